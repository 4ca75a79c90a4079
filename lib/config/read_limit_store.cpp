#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/text.hpp"
#include "config/read_limits.hpp"
#include "config/secret_source.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"
#include "config/upstream_host.hpp"

namespace outpost::config {
namespace {

using Redis = LimitStore::Redis;

constexpr std::string_view scheme = "redis://";
constexpr std::size_t max_node = 64;

/// HOST[:PORT][/DATABASE].
std::optional<Redis> parse_redis(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto host = UpstreamHost::parse(text.substr(0, slash));
    std::uint64_t database = 0;
    if (slash != std::string_view::npos && slash + 1 < text.size()) {
        database = parse_number(text.substr(slash + 1)).value_or(~0ULL);
    }
    if (!host || database > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    Redis redis;
    redis.host = host->host;
    redis.port = host->port.value_or(redis.port);
    redis.database = static_cast<std::uint32_t>(database);
    return redis;
}

/// Nothing for `sqlite`.
Read<std::optional<Redis>> as_store(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text) return std::unexpected(text.error());
    if (*text == "sqlite") return std::nullopt;
    // What stands before the @ is never shown.
    if (text->find('@') != std::string::npos) {
        return std::unexpected(
            "has an @; a password does not belong in the address, write it under limits.password");
    }
    std::optional<Redis> redis;
    if (text->starts_with(scheme)) redis = parse_redis(text->substr(scheme.size()));
    if (!redis) {
        return std::unexpected(
            fmt::format("{} is not a store; write sqlite, or redis://HOST:PORT/DATABASE such as "
                        "redis://192.0.2.1:6379/0",
                        in_quotes(*text)));
    }
    return redis;
}

Read<std::string> as_node(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text) return text;
    const bool plain = std::ranges::all_of(*text, [](char c) {
        const char lower = base::ascii_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
               c == '.';
    });
    if (text->empty() || text->size() > max_node || !plain) {
        return std::unexpected(
            fmt::format("{} is not a node's name; write up to {} letters, digits, \"-\", \"_\" "
                        "or \".\"",
                        in_quotes(*text), max_node));
    }
    return text;
}

void read_redis(Section& section, Redis& redis) {
    section.read("node", redis.node, as_node);
    section.missing("node", "is missing; name this machine among those that share the counters");
    section.read("share", redis.share, [](const YamlNode& node) { return as_share(node, true); });
    if (auto password = read_secret(section, "password")) redis.password = std::move(*password);
}

}  // namespace

void read_limit_store(Section& root, Config& config) {
    Section section = subsection(root, "limits");
    section.read("store", config.limits.redis, as_store);
    if (config.limits.redis) {
        read_redis(section, *config.limits.redis);
    } else {
        const YamlEntry* const store = section.find("store");
        const bool known = store == nullptr || store->value.text == "sqlite";
        for (const std::string_view key : {"node", "share", "password"}) {
            const YamlEntry* const entry = section.find(key);
            if (entry != nullptr && known) {
                section.error(*entry, "is for a store on Redis; remove it, or set limits.store");
            }
        }
    }
    section.finish();
}

}  // namespace outpost::config

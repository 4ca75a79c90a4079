#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/domain_name.hpp"
#include "config/secret_source.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"
#include "config/web_address.hpp"
#include "smtp/path.hpp"

namespace outpost::config {
namespace {

/// What a provider's account consists of, beside the endpoint.
struct ApiKeys {
    std::string_view type;
    bool api_secret = false;
    bool domain = false;
    bool eu = false;  ///< has a European site of its own: `region: eu`
};

constexpr auto providers = std::to_array<ApiKeys>({
    {.type = "sendgrid", .eu = true},
    {.type = "mailgun", .domain = true, .eu = true},
    {.type = "mailersend"},
    {.type = "elasticemail"},
    {.type = "postmark"},
    {.type = "sparkpost", .eu = true},
    {.type = "mailjet", .api_secret = true},
    {.type = "brevo"},
    {.type = "mandrill"},
    {.type = "resend"},
    {.type = "smtp2go", .eu = true},
    {.type = "mailup", .api_secret = true},
});

Read<std::string> as_endpoint(const YamlNode& node) {
    auto text = as_line(node);
    if (!text) return text;
    while (text->ends_with('/')) text->pop_back();
    return check_secure_url(*text, "a base URL such as https://api.example.com");
}

/// `http://HOST:PORT`, `https://`, `socks5h://`; a password in it is not shown in errors.
Read<std::string> as_proxy(const YamlNode& node) {
    auto text = as_line(node);
    if (!text) return text;
    static constexpr std::array<std::string_view, 4> schemes{"http://", "https://", "socks5://",
                                                             "socks5h://"};
    const auto scheme = std::ranges::find_if(
        schemes, [&](std::string_view each) { return text->starts_with(each); });
    const bool named = scheme != schemes.end() && text->size() > scheme->size();
    if (!named || text->find_first_of(" \t\"<>#") != std::string::npos)
        return std::unexpected(
            "is not a proxy's URL; write one such as http://proxy.example.net:3128");
    return text;
}

Read<std::string> as_ca_bundle(const YamlNode& node) {
    auto text = as_line(node);
    if (!text) return text;
    std::string path = resolve_path(node.place, *text);
    if (const auto reason = unreadable(path))
        return std::unexpected(fmt::format("cannot read {}", *reason));
    return path;
}

Read<std::string> as_domain(const YamlNode& node) {
    const auto text = as_line(node);
    if (!text) return text;
    auto domain = canonical_domain(*text);
    if (!domain)
        return std::unexpected(fmt::format(
            "{} is not a domain; write a name such as mg.example.com", in_quotes(*text)));
    return std::move(*domain);
}

Read<std::string> as_aws_region(const YamlNode& node) {
    auto text = as_line(node);
    if (!text) return text;
    const bool plain = std::ranges::all_of(
        *text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
    if (!plain)
        return std::unexpected(
            fmt::format("{} is not an AWS region; write one such as eu-west-1", in_quotes(*text)));
    return text;
}

void read_ses(Section& section, ApiUpstream& api) {
    section.read("region", api.region, as_aws_region);
    section.missing("region",
                    "is missing; write the AWS region of the sender's domain, such as "
                    "eu-west-1");
    const YamlEntry* const id = section.find("access_key_id");
    const YamlEntry* const secret = section.find("secret_access_key");
    if (auto value = read_secret(section, "access_key_id")) api.access_key_id = value->reveal();
    if (auto value = read_secret(section, "secret_access_key"))
        api.secret_access_key = std::move(*value);
    if (id != nullptr && secret == nullptr)
        section.error(*id, "is set without a secret_access_key");
    if (id == nullptr && secret != nullptr)
        section.error(*secret, "is set without an access_key_id");
}

void read_keys(Section& section, const ApiKeys& keys, ApiUpstream& api) {
    if (auto secret = read_secret(section, "api_key")) api.api_key = std::move(*secret);
    section.missing("api_key",
                    "is missing; make one in the provider's console and write {file: "
                    "PATH}, {env: NAME} or {credential: NAME}");
    if (keys.api_secret) {
        if (auto secret = read_secret(section, "api_secret")) api.api_secret = std::move(*secret);
        section.missing("api_secret", "is missing; it belongs to the api_key");
    }
    if (keys.domain) {
        section.read("domain", api.domain, as_domain);
        section.missing("domain", "is missing; write the sending domain, such as mg.example.com");
    }
    if (keys.eu) {
        section.read("region", api.region, [](const YamlNode& node) {
            static constexpr auto names = std::to_array<std::string_view>({"us", "eu"});
            return mapped(as_one_of(node, names),
                          [](std::size_t index) { return std::string(index == 0 ? "" : "eu"); });
        });
    }
}

/// A mailbox's address alone.
Read<std::string> as_address(const YamlNode& node) {
    auto text = as_line(node);
    if (!text) return text;
    if (!smtp::parse_mailbox(*text, true))
        return std::unexpected(
            fmt::format("{} is not an address; write LOCAL@DOMAIN", in_quotes(*text)));
    return text;
}

/// `{name: Your Company, email: news@example.com}`, or the address alone.
Read<Overrides::From> as_from(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::scalar)
        return mapped(as_address(node),
                      [](std::string address) { return Overrides::From{{}, std::move(address)}; });
    Overrides::From from;
    if (node.kind != YamlNode::Kind::mapping || node.find("email") == nullptr)
        return std::unexpected("must be an address, or {name: NAME, email: ADDRESS}");
    for (const YamlEntry& entry : node.entries) {
        const bool email = entry.key == "email";
        if (!email && entry.key != "name")
            return std::unexpected(fmt::format("has no {}; write {{name: NAME, email: ADDRESS}}",
                                               in_quotes(entry.key)));
        auto value = email ? as_address(entry.value) : as_line(entry.value);
        if (!value) return std::unexpected(fmt::format("{}: {}", entry.key, value.error()));
        (email ? from.email : from.name) = std::move(*value);
    }
    return from;
}

}  // namespace

std::span<const std::string_view> api_types() {
    static const auto names = [] {
        std::array<std::string_view, providers.size() + 1> all{"ses"};
        std::ranges::transform(providers, all.begin() + 1, &ApiKeys::type);
        return all;
    }();
    return names;
}

ApiUpstream read_api_upstream(Section& section, std::string_view type) {
    ApiUpstream api;
    api.provider = type;
    const auto keys = std::ranges::find(providers, type, &ApiKeys::type);
    if (keys == providers.end()) {
        read_ses(section, api);
    } else {
        read_keys(section, *keys, api);
    }
    if (const YamlEntry* const verp = section.find("verp"))
        section.error(*verp, "is not for a provider's API: it makes return paths of its own");
    section.read("endpoint", api.endpoint, as_endpoint);
    section.read("proxy", api.proxy, as_proxy);
    section.read("ca_bundle", api.ca_bundle, as_ca_bundle);
    section.read("uncertain", api.uncertain, [](const YamlNode& node) {
        return mapped(choice<Uncertain>(std::to_array<std::string_view>({"retry", "report"}))(node),
                      [](Uncertain value) { return std::optional(value); });
    });
    return api;
}

Overrides read_overrides(Section& section) {
    Overrides overrides;
    section.read("from", overrides.from, [](const YamlNode& node) {
        return mapped(as_from(node), [](Overrides::From from) { return std::optional(from); });
    });
    section.read("reply_to", overrides.reply_to, as_mailbox);
    section.read("return_path", overrides.return_path, as_address);
    section.read("verp", overrides.verp, as_bool);
    const YamlEntry* const verp = section.find("verp");
    if (overrides.verp && overrides.return_path.empty())
        section.error(*verp, "needs a return_path, into which each recipient's address is put");
    return overrides;
}

}  // namespace outpost::config

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "config/domain_name.hpp"
#include "config/secret_source.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t most_failures = 10'000;

Read<std::string> as_hostname(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text) return text;
    const auto name = canonical_domain(*text);
    if (!name) {
        return std::unexpected(fmt::format(
            "{} is not a host name; write one such as relay.example.com", in_quotes(*text)));
    }
    return *name;
}

void use_machine_name(Section& root, Config& config) {
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0) name[0] = '\0';
    if (const auto canonical = canonical_domain(name.data())) {
        config.hostname = *canonical;
    } else {
        root.missing("hostname",
                     fmt::format("is not set, and the machine's own name {} is no host name; write "
                                 "one such as relay.example.com",
                                 in_quotes(name.data())));
    }
}

/// Whether there is such a file and it can be read.
bool check_readable(Section& section, std::string_view key, const std::string& path) {
    const YamlEntry* const entry = section.find(key);
    if (entry == nullptr || path.empty()) return false;
    const auto reason = unreadable(path);
    if (reason) section.error(*entry, fmt::format("cannot read {}", *reason));
    return !reason;
}

Read<std::vector<YamlNode>> as_items(const YamlNode& node) {
    if (node.kind != YamlNode::Kind::sequence) return std::unexpected("must be a list");
    return node.items;
}

}  // namespace

Section subsection(Section& parent, std::string_view key) {
    const YamlEntry* const entry = parent.find(key);
    return {entry == nullptr ? nullptr : &entry->value, parent.path_of(key), parent.diagnostics()};
}

Read<std::string> as_path(const YamlNode& node) {
    return mapped(as_line(node),
                  [&node](const std::string& path) { return resolve_path(node.place, path); });
}

void read_server(Section& root, Config& config) {
    root.read("hostname", config.hostname, as_hostname);
    if (config.hostname.empty()) use_machine_name(root, config);
    root.read("data_dir", config.data_dir, as_path);

    Section log = subsection(root, "log");
    log.read("level", config.log.level,
             choice<base::log::Level>(
                 std::to_array<std::string_view>({"debug", "info", "warning", "error"})));
    log.read("format", config.log.format,
             choice<base::log::Format>(std::to_array<std::string_view>({"text", "json"})));
    log.finish();

    Section history = subsection(root, "history");
    history.read("keep", config.history.keep,
                 [](const YamlNode& node) { return as_duration(node, 0ms); });
    history.read("max_size", config.history.max_size,
                 [](const YamlNode& node) { return as_size(node, 1 << 20); });
    history.finish();
}

void read_tls(Section& root, Config& config, const CertificateCheck& check) {
    Section tls = subsection(root, "tls");
    std::vector<YamlNode> items;
    tls.read("certificates", items, as_items);
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::string path = tls.path_of(fmt::format("certificates[{}]", i));
        Section pair(&items[i], path, tls.diagnostics());
        Certificate certificate;
        pair.read("certificate", certificate.certificate, as_path);
        pair.read("key", certificate.key, as_path);
        pair.missing("certificate", "is missing; write the PEM file of the chain");
        pair.missing("key", "is missing; write the PEM file of the private key");
        const bool chain = check_readable(pair, "certificate", certificate.certificate);
        const bool key = check_readable(pair, "key", certificate.key);
        if (chain && key && check)
            if (auto fault = check(certificate))
                pair.diagnostics().add(pair.place(), path, std::move(*fault));
        pair.finish();
        config.tls.certificates.push_back(std::move(certificate));
    }
    tls.read("min_version", config.tls.min_version,
             choice<TlsVersion>(std::to_array<std::string_view>({"1.2", "1.3"})));
    tls.finish();
}

void read_submission(Section& root, Config& config) {
    Submission& to = config.submission;
    Section section = subsection(root, "submission");
    section.read("max_message_size", to.max_message_size,
                 [](const YamlNode& node) { return as_size(node, 1); });
    section.read("max_recipients", to.max_recipients, number<std::uint32_t>(1, 1'000'000));
    section.read("max_connections", to.max_connections, number<std::uint32_t>(1, 1'000'000));
    section.read("max_connections_per_ip", to.max_connections_per_ip,
                 number<std::uint32_t>(1, 1'000'000));
    const auto timeout = [](const YamlNode& node) { return as_duration(node, 1ms); };
    section.read("idle_timeout", to.idle_timeout, timeout);
    section.read("data_timeout", to.data_timeout, timeout);
    section.read("bare_newlines", to.bare_newlines,
                 choice<BareNewlines>(std::to_array<std::string_view>({"reject", "normalize"})));

    Section failures = subsection(section, "auth_failures");
    const auto limit = [](const YamlNode& node) -> Read<CountPerPeriod> {
        auto rate = as_count_per_period(node);
        if (rate && rate->count > most_failures) {
            return std::unexpected(fmt::format("counts more than {} failures", most_failures));
        }
        return rate;
    };
    failures.read("per_address", to.auth_failures_per_address, limit);
    failures.read("per_account", to.auth_failures_per_account, limit);
    failures.finish();
    section.finish();
}

void read_queueing(Section& root, Config& config) {
    Section spool = subsection(root, "spool");
    const auto size = [](std::uint64_t least) {
        return [least](const YamlNode& node) { return as_size(node, least); };
    };
    const auto duration = [](Duration least) {
        return [least](const YamlNode& node) { return as_duration(node, least); };
    };
    spool.read("segment_size", config.spool.segment_size, [](const YamlNode& node) {
        auto read = as_size(node, 1 << 20);
        if (read && *read > 1ULL << 30) return Read<std::uint64_t>(std::unexpected("is over 1GB"));
        return read;
    });
    spool.read("large_message", config.spool.large_message, size(1 << 10));
    spool.read("min_free", config.spool.min_free, size(0));
    const YamlEntry* const free = spool.find("min_free");
    if (free != nullptr && config.spool.min_free > 0 && config.spool.min_free < 1 << 20)
        base::log::warning("spool.min_free is less than 1MB; has its unit been forgotten?",
                           {{"octets", config.spool.min_free}, {"at", free->value.place.text()}});
    spool.read("max_age", config.spool.max_age, duration(1s));
    spool.read("delay_notice", config.spool.delay_notice, duration(0s));
    const YamlEntry* const large = spool.find("large_message");
    if (large != nullptr && config.spool.large_message > config.spool.segment_size) {
        spool.error(*large, "is over spool.segment_size; make it smaller");
    }
    config.spool.large_message = std::min(config.spool.large_message, config.spool.segment_size);
    spool.finish();

    Section retry = subsection(root, "retry");
    retry.read("first", config.retry.first, duration(1ms));
    retry.read("factor", config.retry.factor,
               [](const YamlNode& node) { return as_fraction(node, 1, 100); });
    retry.read("max", config.retry.max, duration(1ms));
    retry.read("jitter", config.retry.jitter,
               [](const YamlNode& node) { return as_fraction(node, 0, 1); });
    if (config.retry.max < config.retry.first) {
        if (const YamlEntry* const max = retry.find("max")) {
            retry.error(*max, "is shorter than retry.first");
        }
        config.retry.max = config.retry.first;
    }
    retry.finish();
}

}  // namespace outpost::config

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/executable.hpp"
#include "config/read_limits.hpp"
#include "config/secret_source.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"
#include "config/upstream_host.hpp"
#include "smtp/path.hpp"

namespace outpost::config {
namespace {

constexpr std::uint16_t smtp_port = 25;
constexpr std::uint16_t smtps_port = 465;

bool is_hex(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Read<Verify> as_fingerprint(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text) return std::unexpected(text.error());
    std::string hex = base::to_lower(*text);
    const bool named = hex.starts_with("sha256:");
    if (named) hex.erase(0, 7);
    std::erase(hex, ':');
    if (!named || hex.size() != 64 || !is_hex(hex)) {
        return std::unexpected(fmt::format(
            "{} is not a fingerprint; write sha256: and 64 hex digits", in_quotes(*text)));
    }
    return Verify{Verify::Mode::fingerprint, hex};
}

Read<Verify> as_verify(const YamlNode& node) {
    if (node.kind == YamlNode::Kind::mapping && node.entries.size() == 1 &&
        node.entries.front().key == "fingerprint") {
        return as_fingerprint(node.entries.front().value);
    }
    if (node.kind != YamlNode::Kind::scalar) {
        return std::unexpected("must be full, none or {fingerprint: sha256:HEX}");
    }
    static constexpr auto names = std::to_array<std::string_view>({"full", "none"});
    const auto index = as_one_of(node, names);
    if (!index) return std::unexpected(index.error() + "; or write {fingerprint: sha256:HEX}");
    return Verify{static_cast<Verify::Mode>(*index), {}};
}

Read<UpstreamHost> as_host(const YamlNode& node) {
    return as_parsed(node, UpstreamHost::parse);
}

void read_login(Section& section, SmtpUpstream& smtp) {
    section.read("username", smtp.username, as_line);
    const YamlEntry* const name = section.find("username");
    const YamlEntry* const password = section.find("password");
    const YamlEntry* const oauth2 = section.find("oauth2");
    if (auto secret = read_secret(section, "password")) smtp.password = std::move(*secret);
    smtp.oauth2 = read_oauth2(section);
    if (name != nullptr && password == nullptr && oauth2 == nullptr) {
        section.error(*name, "is set without a password or oauth2");
    }
    if (name == nullptr && password != nullptr) {
        section.error(*password, "is set without a username");
    }
    if (name == nullptr && oauth2 != nullptr) {
        section.error(*oauth2, "is set without a username; write whose mail the token is for");
    }
    if (password != nullptr && oauth2 != nullptr) {
        section.error(*password, "is set beside oauth2; keep one of them");
    }
}

SmtpUpstream read_smtp(Section& section) {
    SmtpUpstream smtp;
    UpstreamHost host;
    section.read("host", host, as_host);
    section.missing("host", "is missing; write a name such as \"[smtp.example.net]:587\"");
    section.read("encryption", smtp.encryption,
                 choice<Encryption>(std::to_array<std::string_view>({"none", "starttls", "tls"})));
    section.read("verify", smtp.verify, as_verify);
    read_login(section, smtp);
    section.read("messages_per_connection", smtp.messages_per_connection,
                 number<std::uint32_t>(1, 1'000'000));
    section.read("uncertain", smtp.uncertain,
                 choice<Uncertain>(std::to_array<std::string_view>({"retry", "report"})));
    smtp.host = host.host;
    smtp.bracketed = host.bracketed;
    smtp.port = host.port.value_or(smtp.encryption == Encryption::tls ? smtps_port : smtp_port);
    return smtp;
}

/// The path of a program. Not searched for, and not relative: which program gets the mail must not
/// depend on where or in what environment the daemon was started.
Read<std::string> as_command(const YamlNode& node) {
    auto path = as_line(node);
    if (!path) return path;
    if (!path->starts_with('/')) {
        return std::unexpected(fmt::format(
            "{} is not an absolute path; write the program alone, such as /usr/sbin/sendmail",
            in_quotes(*path)));
    }
    if (const auto reason = not_executable(*path)) {
        return std::unexpected(fmt::format("cannot run {}", *reason));
    }
    return path;
}

SendmailUpstream read_sendmail(Section& section) {
    SendmailUpstream sendmail;
    section.read("command", sendmail.command, as_command);
    section.missing("command", "is missing; write a path such as /usr/sbin/sendmail");
    return sendmail;
}

SandboxUpstream read_sandbox(Section& section) {
    SandboxUpstream sandbox;
    section.read("directory", sandbox.directory, as_path);
    section.missing("directory", "is missing; write where the .eml files go");
    return sandbox;
}

/// All types: our own first.
std::vector<std::string_view> upstream_types() {
    std::vector<std::string_view> types{"smtp", "sendmail", "sandbox"};
    types.insert(types.end(), api_types().begin(), api_types().end());
    return types;
}

Upstream read_upstream(Section& section, std::string name) {
    std::string_view type;
    Upstream upstream;
    upstream.name = std::move(name);
    section.read("type", type, [](const YamlNode& node) -> Read<std::string_view> {
        static const auto types = upstream_types();
        return mapped(as_one_of(node, types), [](std::size_t index) { return types[index]; });
    });
    section.missing("type",
                    fmt::format("is missing; write one of {}", fmt::join(upstream_types(), ", ")));
    section.read("description", upstream.description, as_line);
    section.read("active", upstream.active, as_bool);
    section.read("concurrency", upstream.concurrency, number<std::uint32_t>(1, 100'000));
    read_upstream_limits(section, upstream);
    // Without a type there is no telling which other keys are right.
    if (type.empty()) return upstream;
    upstream.overrides = read_overrides(section);
    if (type == "smtp") {
        upstream.kind = read_smtp(section);
    } else if (type == "sendmail") {
        upstream.kind = read_sendmail(section);
    } else if (type == "sandbox") {
        upstream.kind = read_sandbox(section);
    } else {
        upstream.kind = read_api_upstream(section, type);
    }
    section.finish();
    return upstream;
}

}  // namespace

Read<std::string> as_mailbox(const YamlNode& node) {
    const auto text = as_line(node);
    if (!text) return text;
    std::string_view address = *text;
    if (const std::size_t open = address.rfind('<');
        open != std::string_view::npos && address.ends_with('>')) {
        address = address.substr(open + 1, address.size() - open - 2);
    }
    if (!smtp::parse_mailbox(address, true)) {
        return std::unexpected(fmt::format(
            "{} is not a mailbox; write ADDRESS or \"NAME <ADDRESS>\"", in_quotes(*text)));
    }
    return text;
}

Read<std::string> as_upstream(const YamlNode& node, const Config& config) {
    const auto text = as_text(node);
    if (!text || config.upstreams.contains(*text)) return text;
    std::vector<std::string_view> names;
    for (const auto& [name, upstream] : config.upstreams) names.push_back(name);
    const auto near = base::near_match(*text, names);
    return std::unexpected(near ? fmt::format("there is no upstream {}; did you mean {}?",
                                              in_quotes(*text), in_quotes(*near))
                                : fmt::format("there is no upstream {}; there is {}",
                                              in_quotes(*text), fmt::join(names, ", ")));
}

void read_upstreams(Section& root, Config& config) {
    const YamlEntry* const entry = root.find("upstreams");
    Section upstreams = subsection(root, "upstreams");
    for (const YamlEntry& child : upstreams.entries()) {
        std::string path = upstreams.path_of(base::printable(child.key, 64));
        YamlNode named;
        named.kind = YamlNode::Kind::scalar;
        named.text = child.key;
        if (const auto name = as_line(named); !name) {
            upstreams.diagnostics().add(child.place, path, "an upstream's name " + name.error());
            continue;
        }
        Section section(&child.value, std::move(path), upstreams.diagnostics());
        config.upstreams[child.key] = read_upstream(section, child.key);
    }
    root.missing("upstreams", "is missing; name at least one");
    if (entry != nullptr && entry->value.kind == YamlNode::Kind::mapping &&
        config.upstreams.empty()) {
        root.error(*entry, "names no upstream; name at least one");
    }
}

void read_dsn(Section& root, Config& config) {
    Section section = subsection(root, "dsn");
    section.read("to", config.dsn, [&config](const YamlNode& node) -> Read<Dsn> {
        const auto text = as_text(node);
        if (!text) return std::unexpected(text.error());
        Dsn dsn = config.dsn;
        if (*text == "sender" || *text == "none") {
            dsn.to = *text == "none" ? Dsn::To::none : Dsn::To::sender;
        } else if (smtp::parse_mailbox(*text, true)) {
            dsn.to = Dsn::To::address;
            dsn.to_address = *text;
        } else {
            return std::unexpected(
                fmt::format("{} is none of sender, none or an address", in_quotes(*text)));
        }
        return dsn;
    });
    config.dsn.from = fmt::format("Mail Delivery System <mailer-daemon@{}>", config.hostname);
    section.read("from", config.dsn.from, as_mailbox);
    section.read("via", config.dsn.via,
                 [&config](const YamlNode& node) { return as_via(node, config); });
    section.finish();
}

}  // namespace outpost::config

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "config/network.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"

namespace outpost::config {
namespace {

Read<std::string> as_address(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text || IpAddress::parse(*text)) return text;
    return std::unexpected(fmt::format(
        "{} is not an IP address; write one such as \"::\" (IPv4 too), 0.0.0.0 or 127.0.0.1",
        in_quotes(*text)));
}

/// A range of ports of an address, and where it stands.
struct Claim {
    std::string address;  ///< in one spelling
    PortRange ports;
    Place place;
};

void claim_ports(const Claim& claim, std::vector<Claim>& claims, const std::string& key,
                 Diagnostics& diagnostics) {
    const auto clash = std::ranges::find_if(claims, [&claim](const Claim& other) {
        return other.address == claim.address && other.ports.first <= claim.ports.last &&
               claim.ports.first <= other.ports.last;
    });
    if (clash == claims.end()) {
        claims.push_back(claim);
        return;
    }
    const std::uint16_t port = std::max(clash->ports.first, claim.ports.first);
    diagnostics.add(claim.place, key,
                    fmt::format("port {} of {} is listed twice; the first is at {}", port,
                                in_quotes(claim.address), clash->place.text()));
}

void read_ports(Section& section, Listener& listener, std::vector<Claim>& claims) {
    const YamlEntry* const entry = section.find("ports");
    section.missing("ports", "is missing; write a list such as [587, 1025-5000]");
    if (entry == nullptr) return;
    const YamlNode& node = entry->value;
    const std::vector<YamlNode> single{node};
    const bool list = node.kind == YamlNode::Kind::sequence;
    if (list && node.items.empty()) section.error(*entry, "names no port");
    const auto address = IpAddress::parse(listener.address);
    for (const YamlNode& item : list ? node.items : single) {
        const auto ports = as_parsed(item, parse_ports);
        if (!ports) {
            section.diagnostics().add(item.place, section.path_of("ports"), ports.error());
            continue;
        }
        listener.ports.push_back(*ports);
        claim_ports({address ? address->text() : listener.address, *ports, item.place}, claims,
                    section.path_of("ports"), section.diagnostics());
    }
}

void check_tls(Section& section, const Listener& listener, const Config& config) {
    if (listener.tls != ListenerTls::none && config.tls.certificates.empty()) {
        const YamlEntry* const entry = section.find("tls");
        section.diagnostics().add(entry != nullptr ? entry->value.place : section.place(),
                                  section.path_of("tls"),
                                  "needs a certificate; set tls.certificates, or `tls: none` here");
    }
    if (listener.tls == ListenerTls::none && listener.require_tls) {
        const YamlEntry* const entry = section.find("require_tls");
        section.diagnostics().add(
            entry != nullptr ? entry->value.place : section.place(), section.path_of("require_tls"),
            "must be false where tls is none, or no mail could ever be submitted here");
    }
}

void check_trusted(Section& section, const Listener& listener, const Config& config) {
    const YamlEntry* const entry = section.find("trusted_account");
    if (entry == nullptr || !listener.trusted_account) return;
    if (!config.accounts.contains(*listener.trusted_account)) {
        std::vector<std::string_view> names;
        for (const auto& [name, account] : config.accounts) names.push_back(name);
        const auto near = base::near_match(*listener.trusted_account, names);
        section.error(*entry,
                      fmt::format("there is no account {}{}", in_quotes(*listener.trusted_account),
                                  near ? fmt::format("; did you mean {}?", in_quotes(*near)) : ""));
    }
    const auto address = IpAddress::parse(listener.address);
    if (address && !address->is_loopback()) {
        section.error(*entry, fmt::format("is for loopback addresses only, not {}; listen on "
                                          "127.0.0.1 or ::1",
                                          in_quotes(listener.address)));
    }
}

}  // namespace

void read_listeners(Section& root, Config& config) {
    constexpr std::string_view advice =
        "write a list such as [{address: \"::\", ports: [587], tls: starttls}]";
    const YamlEntry* const entry = root.find("listen");
    root.missing("listen", fmt::format("is missing; {}", advice));
    if (entry == nullptr) return;
    if (entry->value.kind != YamlNode::Kind::sequence || entry->value.items.empty()) {
        root.error(*entry, fmt::format("names no listener; {}", advice));
        return;
    }
    std::vector<Claim> claims;
    for (std::size_t i = 0; i < entry->value.items.size(); ++i) {
        Section section(&entry->value.items[i], fmt::format("listen[{}]", i), root.diagnostics());
        Listener listener;
        section.read("address", listener.address, as_address);
        section.read(
            "tls", listener.tls,
            choice<ListenerTls>(std::to_array<std::string_view>({"starttls", "implicit", "none"})));
        section.read("require_tls", listener.require_tls, as_bool);
        section.read("proxy_protocol", listener.proxy_protocol, as_bool);
        section.read("trusted_account", listener.trusted_account, [](const YamlNode& node) {
            return mapped(as_text(node), [](std::string v) { return std::optional(std::move(v)); });
        });
        read_ports(section, listener, claims);
        check_tls(section, listener, config);
        check_trusted(section, listener, config);
        section.finish();
        config.listen.push_back(std::move(listener));
    }
}

}  // namespace outpost::config

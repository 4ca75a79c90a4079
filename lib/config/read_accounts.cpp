#include <fmt/format.h>

#include "base/text.hpp"
#include "config/account_settings.hpp"
#include "config/domain_name.hpp"
#include "config/network.hpp"
#include "config/read_limits.hpp"
#include "config/scram_value.hpp"
#include "config/secret_source.hpp"
#include "config/section_readers.hpp"
#include "config/units.hpp"
#include "smtp/path.hpp"

namespace outpost::config {
namespace {

constexpr std::size_t max_name = 255;  // RFC 4616 section 2
constexpr std::size_t max_password = 255;

Read<std::string> as_authorized_domain(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text) return text;
    const std::string_view domain = std::string_view(*text).substr(text->starts_with('.') ? 1 : 0);
    if (text->starts_with("*.")) {
        return std::unexpected(fmt::format("{} has a *; write {} for a domain and all below it",
                                           in_quotes(*text), in_quotes(text->substr(1))));
    }
    if (text->find('@') != std::string::npos) {
        return std::unexpected(
            fmt::format("{} is an address; it belongs in authorized_senders", in_quotes(*text)));
    }
    if (!canonical_domain(domain)) {
        return std::unexpected(fmt::format(
            "{} is not a domain; write one such as example.com or .example.com", in_quotes(*text)));
    }
    return base::to_lower(*text);
}

Read<std::string> as_authorized_sender(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text) return text;
    const auto mailbox = smtp::parse_mailbox(*text, true);
    if (!mailbox) {
        return std::unexpected(fmt::format(
            "{} is not an address; write one such as info@example.com", in_quotes(*text)));
    }
    return mailbox->address();
}

Read<std::string> as_network(const YamlNode& node) {
    const auto text = as_text(node);
    if (!text || Network::parse(*text)) return text;
    return std::unexpected(
        fmt::format("{} is not a network; write ADDRESS/BITS with no bits set beyond BITS, such as "
                    "192.0.2.0/24",
                    in_quotes(*text)));
}

void read_entries(Section& section, std::string_view key, std::vector<std::string>& target,
                  Read<std::string> (*reader)(const YamlNode&)) {
    if (section.find(key) == nullptr) return;
    target.clear();
    std::vector<YamlNode> items;
    section.read(key, items, as_list);
    for (const YamlNode& item : items) {
        auto value = reader(item);
        if (value) {
            target.push_back(std::move(*value));
        } else {
            section.diagnostics().add(item.place, section.path_of(key), std::move(value.error()));
        }
    }
}

void read_credentials(Section& section, Account& account) {
    const YamlEntry* const plain = section.find("password");
    const YamlEntry* const hash = section.find("password_hash");
    if (plain != nullptr && hash != nullptr) {
        section.error(*plain, "is set beside password_hash; remove one of them");
    }
    if (auto secret = read_secret(section, "password_hash")) {
        if (const auto value = ScramValue::parse(secret->reveal())) {
            account.password_hash = secret->reveal();
        } else if (hash != nullptr) {
            section.error(*hash, value.error());
        }
    }
    if (auto secret = read_secret(section, "password")) {
        if (secret->reveal().size() > max_password) {
            section.error(*plain, fmt::format("is longer than {} octets", max_password));
        }
        account.password = std::move(*secret);
    }
    if (plain == nullptr && hash == nullptr) {
        section.missing("password_hash", "is missing; an account needs it, or password");
    }
}

/// Every key that `defaults` may set. What the section does not set stays.
void read_inheritable(Section& section, const Config& config, Account& account) {
    section.read("active", account.active, as_bool);
    section.read("priority", account.priority, number<std::uint8_t>(1, 5));
    section.read("priority_cap", account.priority_cap, number<std::uint8_t>(1, 5));
    section.read("provider_headers", account.provider_headers, as_bool);
    read_entries(section, "authorized_domains", account.authorized_domains, as_authorized_domain);
    read_entries(section, "authorized_senders", account.authorized_senders, as_authorized_sender);
    read_entries(section, "allowed_networks", account.allowed_networks, as_network);
    section.read("max_message_size", account.max_message_size, [](const YamlNode& node) {
        return mapped(as_size(node, 1), [](std::uint64_t v) { return std::optional(v); });
    });
    section.read("max_recipients", account.max_recipients, [](const YamlNode& node) {
        return mapped(number<std::uint32_t>(1, 1'000'000)(node),
                      [](std::uint32_t v) { return std::optional(v); });
    });
    read_account_limits(section, account);
    if (section.find("route") != nullptr && !config.upstreams.empty()) {
        section.read("route", account.route,
                     [&config](const YamlNode& node) { return as_via(node, config); });
    }
}

/// `routed`: there are routes for those who name none.
AccountDefaults read_defaults(Section& accounts, const Config& config, bool routed) {
    AccountDefaults defaults;
    if (config.upstreams.size() == 1 && !routed)
        defaults.account.route = config.upstreams.begin()->first;
    Section section = subsection(accounts, "defaults");
    read_inheritable(section, config, defaults.account);
    defaults.names_route = routed || section.find("route") != nullptr;
    for (const std::string_view key : {"password", "password_hash", "note"}) {
        if (const YamlEntry* const entry = section.find(key))
            section.error(*entry, "cannot be inherited; set it on the account that it belongs to");
    }
    section.finish();
    return defaults;
}

/// All but the credentials.
void read_settings(Section& section, const Config& config, Account& account) {
    section.read("note", account.note, as_line);
    read_inheritable(section, config, account);
    if (config.upstreams.size() > 1 && !config.account_defaults.names_route) {
        section.missing("route",
                        "is missing; there are several upstreams, so name one or write routes");
    }
    section.finish();
}

Account read_account(Section& section, const Config& config, const YamlEntry& entry) {
    Account account = config.account_defaults.account;
    account.name = entry.key;
    read_credentials(section, account);
    read_settings(section, config, account);
    return account;
}

}  // namespace

std::optional<std::string> account_name_fault(std::string_view name) {
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.text = name;
    const auto line = as_line(node);
    if (!line) return "an account's name " + line.error();
    if (name.size() > max_name) {
        return fmt::format("an account's name is longer than {} octets", max_name);
    }
    if (base::trim(name) != name) return "an account's name begins or ends with a space";
    return std::nullopt;
}

Account read_added_account(Section& section, const Config& config, std::string name) {
    Account account = config.account_defaults.account;
    account.name = std::move(name);
    read_settings(section, config, account);
    if (config.account_defaults.names_route && !has_route(account, config)) {
        section.missing("route",
                        "is missing; the routes do not take all mail, so name an upstream");
    }
    return account;
}

bool has_route(const Account& account, const Config& config) {
    return !account.route.empty() ||
           (!config.routes.empty() && config.routes.back().takes_everything());
}

void read_accounts(Section& root, Config& config) {
    Section accounts = subsection(root, "accounts");
    const bool routed = root.find("routes") != nullptr;
    config.account_defaults = read_defaults(accounts, config, routed);
    for (const YamlEntry& child : accounts.entries()) {
        if (child.key == "defaults") continue;
        std::string path = accounts.path_of(base::printable(child.key, 64));
        if (auto fault = account_name_fault(child.key)) {
            accounts.diagnostics().add(child.place, std::move(path), std::move(*fault));
            continue;
        }
        Section section(&child.value, std::move(path), accounts.diagnostics());
        config.account_places[child.key] = child.place.text();
        config.accounts[child.key] = read_account(section, config, child);
    }
}

}  // namespace outpost::config

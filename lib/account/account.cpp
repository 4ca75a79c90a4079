#include "account/account.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "config/domain_name.hpp"
#include "smtp/path.hpp"

namespace outpost::account {
namespace {

/// The form in which domains are compared. What is no domain name, such as an address literal,
/// compares by its letters.
std::string comparable(std::string_view domain) {
    if (!base::is_ascii(domain)) {
        if (auto canonical = config::canonical_domain(domain)) return *std::move(canonical);
    }
    return base::to_lower(domain);
}

std::string address_key(std::string_view local, std::string_view comparable_domain) {
    std::string key = base::to_lower(local);
    key += '@';
    key += comparable_domain;
    return key;
}

}  // namespace

AuthorizedSenders::AuthorizedSenders(const std::vector<std::string>& domains,
                                     const std::vector<std::string>& senders) {
    for (const std::string& domain : domains) {
        if (domain.starts_with('.')) {
            domain_trees_.insert(comparable(std::string_view(domain).substr(1)));
        } else {
            domains_.insert(comparable(domain));
        }
    }
    for (const std::string& sender : senders) {
        if (const auto mailbox = smtp::parse_mailbox(sender, true)) {
            senders_.insert(address_key(mailbox->local, comparable(mailbox->domain)));
        }
    }
}

bool AuthorizedSenders::permits(std::string_view local, std::string_view domain) const {
    const std::string name = comparable(domain);
    if (domains_.contains(name)) return true;
    if (!domain_trees_.empty()) {
        for (std::string_view tree = name;;) {
            if (domain_trees_.contains(tree)) return true;
            const std::size_t dot = tree.find('.');
            if (dot == std::string_view::npos) break;
            tree.remove_prefix(dot + 1);
        }
    }
    return !senders_.empty() && senders_.contains(address_key(local, name));
}

bool Account::admits(const config::IpAddress& client) const {
    return networks.empty() || std::ranges::any_of(networks, [&client](const auto& network) {
               return network.contains(client);
           });
}

}  // namespace outpost::account

#include "delivery/router.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "config/domain_name.hpp"

namespace outpost::delivery {
namespace {

/// A domain as routes name it: canonical, or in lower case if it is no domain name (a literal).
std::string domain_of(std::string_view address) {
    const std::string_view domain = address.substr(address.rfind('@') + 1);
    return config::canonical_domain(domain).value_or(base::to_lower(domain));
}

bool fits(const std::vector<std::string>& patterns, std::string_view domain) {
    return patterns.empty() || std::ranges::any_of(patterns, [&](std::string_view pattern) {
               if (!pattern.starts_with('.')) return domain == pattern;
               return domain == pattern.substr(1) || domain.ends_with(pattern);
           });
}

bool fits(const std::vector<config::HeaderMatch>& patterns, const message::HeaderSection& header) {
    return patterns.empty() || std::ranges::any_of(patterns, [&](const auto& pattern) {
               return std::ranges::any_of(header.fields, [&](const message::HeaderField& field) {
                   return base::iequals(field.name, pattern.name) &&
                          (!pattern.value ||
                           base::iequals(message::unfold(field.value), *pattern.value));
               });
           });
}

template <class T, class Value>
bool fits_one(const std::vector<T>& values, const Value& value) {
    return values.empty() || std::ranges::find(values, value) != values.end();
}

}  // namespace

Router::Router(const config::Config& config, const Ways& ways) {
    for (const auto& [name, account] : config.accounts)
        accounts_.emplace(name, account.route.empty() ? std::nullopt : ways.find(account.route));
    for (const config::Route& route : config.routes) {
        routes_.push_back({route, *ways.find(route.via)});
        reads_header_ = reads_header_ || !route.headers.empty();
    }
    if (!config.dsn.via.empty()) {
        reports_ = ways.find(config.dsn.via);
    } else if (config.upstreams.size() == 1) {
        reports_ = WayIndex{0};
    }
}

bool Router::knows(std::string_view account) const {
    return accounts_.find(account) != accounts_.end();
}

std::optional<WayIndex> Router::route(std::string_view account, std::uint8_t priority) const {
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return std::nullopt;
    if (found->second) return found->second;
    for (const Route& route : routes_) {
        if (!fits_one(route.when.accounts, account) || !fits_one(route.when.priorities, priority))
            continue;
        const bool asks_for_more = !route.when.sender_domains.empty() ||
                                   !route.when.recipient_domains.empty() ||
                                   !route.when.headers.empty();
        if (asks_for_more) return std::nullopt;
        return route.way;
    }
    return std::nullopt;
}

std::vector<WayIndex> Router::routes(std::string_view account, const smtp::Envelope& envelope,
                                     const message::HeaderSection& header) const {
    const auto found = accounts_.find(account);
    if (found->second) return std::vector(envelope.recipients.size(), *found->second);
    std::vector<const Route*> candidates;
    const std::string sender = domain_of(envelope.reverse_path);
    for (const Route& route : routes_) {
        if (fits_one(route.when.accounts, account) &&
            fits_one(route.when.priorities, envelope.priority) &&
            fits(route.when.sender_domains, sender) && fits(route.when.headers, header))
            candidates.push_back(&route);
    }
    std::vector<WayIndex> ways;
    for (const smtp::Recipient& recipient : envelope.recipients) {
        const std::string domain = domain_of(recipient.address);
        const auto route = std::ranges::find_if(candidates, [&](const Route* candidate) {
            return fits(candidate->when.recipient_domains, domain);
        });
        // The configuration sees to it that one fits (check_all_routed).
        ways.push_back((*route)->way);
    }
    return ways;
}

}  // namespace outpost::delivery

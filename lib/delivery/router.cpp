#include "delivery/router.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

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

const Router::Route& Router::first_fit(std::string_view account, const smtp::Envelope& envelope,
                                       const message::HeaderSection& header,
                                       std::string_view address) const {
    const std::string sender = domain_of(envelope.reverse_path);
    const std::string recipient = domain_of(address);
    return *std::ranges::find_if(routes_, [&](const Route& route) {
        return fits_one(route.when.accounts, account) &&
               fits_one(route.when.priorities, envelope.priority) &&
               fits(route.when.sender_domains, sender) &&
               fits(route.when.recipient_domains, recipient) && fits(route.when.headers, header);
    });
}

std::vector<WayIndex> Router::routes(std::string_view account, const smtp::Envelope& envelope,
                                     const message::HeaderSection& header) const {
    const auto found = accounts_.find(account);
    if (found->second) return std::vector(envelope.recipients.size(), *found->second);
    std::vector<WayIndex> ways;
    for (const smtp::Recipient& recipient : envelope.recipients)
        ways.push_back(first_fit(account, envelope, header, recipient.address).way);
    return ways;
}

Router::Choice Router::explain(std::string_view account, const smtp::Envelope& envelope,
                               const message::HeaderSection& header, std::size_t recipient) const {
    const auto found = accounts_.find(account);
    if (found->second) return {*found->second, fmt::format("the route of account {}", account)};
    const Route& route =
        first_fit(account, envelope, header, envelope.recipients[recipient].address);
    std::string conditions;
    const auto add = [&](std::string_view key, const auto& values) {
        if (!values.empty())
            conditions += fmt::format("{}{} {}", conditions.empty() ? "" : ", ", key,
                                      fmt::join(values, " or "));
    };
    add("account", route.when.accounts);
    add("priority", route.when.priorities);
    add("sender_domain", route.when.sender_domains);
    add("recipient_domain", route.when.recipient_domains);
    std::vector<std::string> headers;
    for (const auto& header_match : route.when.headers)
        headers.push_back(header_match.name +
                          (header_match.value ? ": " + *header_match.value : ""));
    add("header", headers);
    return {route.way, fmt::format("routes[{}] ({})", &route - routes_.data(),
                                   conditions.empty() ? "everything" : conditions)};
}

}  // namespace outpost::delivery

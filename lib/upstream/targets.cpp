#include "upstream/targets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace outpost::upstream {

namespace {

namespace asio = boost::asio;

/// Servers tried for one message; with the limit for connecting this bounds the whole attempt.
constexpr std::size_t most_targets = 8;

Outcome no_target(Verdict verdict, std::string words) {
    Outcome outcome;
    outcome.verdict = verdict;
    outcome.scope = Scope::upstream;
    outcome.reply = smtp::own_words(std::move(words));
    return outcome;
}

bool is_address(const std::string& host) {
    boost::system::error_code error;
    asio::ip::make_address(host, error);
    return !error;
}

}  // namespace

std::string Target::text() const {
    return fmt::format("{} [{}]:{}", host, endpoint.address().to_string(), endpoint.port());
}

std::vector<std::string> mx_order(std::vector<net::Mx> records, std::minstd_rand& random) {
    std::ranges::shuffle(records, random);
    std::ranges::sort(records, {}, &net::Mx::preference);
    std::vector<std::string> hosts;
    for (auto& record : records)
        if (!record.host.empty()) hosts.push_back(std::move(record.host));
    return hosts;
}

asio::awaitable<std::expected<std::vector<Target>, Outcome>> find_targets(
    const SmtpSettings& settings, net::Resolver& resolver, std::minstd_rand& random) {
    std::vector<std::string> hosts;
    const bool single_label = settings.host.find('.') == std::string::npos;
    if (!settings.bracketed && !single_label && !is_address(settings.host)) {
        auto records = co_await resolver.mx(settings.host);
        if (records && !records->empty()) {
            hosts = mx_order(std::move(*records), random);
            if (hosts.empty())
                co_return std::unexpected(no_target(
                    Verdict::misconfigured,
                    fmt::format("{0} accepts no mail (null MX); write [{0}] if that host is meant",
                                settings.host)));
        }
    }
    if (hosts.empty()) hosts.push_back(settings.host);
    std::vector<Target> targets;
    std::string problem;
    for (const auto& host : hosts) {
        auto addresses = co_await resolver.addresses(host);
        if (!addresses) {
            if (problem.empty()) problem = std::move(addresses.error().text);
            continue;
        }
        for (const auto& address : *addresses)
            if (targets.size() < most_targets) targets.push_back({host, {address, settings.port}});
        if (targets.size() >= most_targets) break;
    }
    if (targets.empty()) co_return std::unexpected(no_target(Verdict::deferred, problem));
    co_return targets;
}

}  // namespace outpost::upstream

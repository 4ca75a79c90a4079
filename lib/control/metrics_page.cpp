#include "control/metrics_page.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "control/prometheus_text.hpp"

namespace outpost::control {

namespace asio = boost::asio;

namespace {

using Names = std::set<std::string, std::less<>>;

asio::awaitable<void> look_at(delivery::Desk& desk, Observations& seen, Names& with_mail) {
    seen.queue = desk.totals();
    for (auto& row : desk.queue()) with_mail.insert(std::move(row.account));
    seen.oldest = co_await desk.oldest();
    seen.upstreams = desk.upstreams();
    seen.limit_queues = desk.waiting_for_limits();
}

/// Whether a counter is that of an account that is no more and has no mail here either.
bool is_gone(std::string_view key, const config::Config& config, const Names& with_mail) {
    constexpr std::string_view owner = "account/";
    if (!key.starts_with(owner)) return false;
    const std::string name(key.substr(owner.size(), key.rfind('/') - owner.size()));
    const auto account = config.accounts.find(name);
    return (account == config.accounts.end() || account->second.removed) &&
           !with_mail.contains(name);
}

}  // namespace

asio::awaitable<Response> MetricsPage::show() {
    Observations seen{.version = parts_.version, .started = parts_.started};
    Names with_mail;
    co_await at_desk(parts_.delivery,
                     [&](delivery::Desk& desk) { return look_at(desk, seen, with_mail); });
    seen.now = parts_.clock.wall();
    const auto config = parts_.accounts.config();
    for (const auto id : parts_.limiter.all())
        if (std::string key = parts_.limiter.key(id); !is_gone(key, *config, with_mail))
            seen.limits.push_back({std::move(key), parts_.limiter.levels(id)});
    seen.limits_reachable = parts_.limit_store().state != "on its own";
    seen.disk = parts_.spool.disk_use();
    seen.accepting = parts_.spool.health().accepting;
    if (const auto tls = parts_.tls()) seen.certificates = tls->certificates();
    auto all = base::metrics::snapshot();
    auto looked_at = families(seen);
    std::ranges::move(looked_at, std::back_inserter(all));
    co_return prometheus_response(std::move(all));
}

}  // namespace outpost::control

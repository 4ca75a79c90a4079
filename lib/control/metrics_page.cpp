#include "control/metrics_page.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "control/prometheus_text.hpp"

namespace outpost::control {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> look_at(delivery::Desk& desk, Observations& seen) {
    seen.queue = desk.totals();
    seen.oldest = co_await desk.oldest();
    seen.upstreams = desk.upstreams();
    seen.limit_queues = desk.waiting_for_limits();
}

}  // namespace

asio::awaitable<Response> MetricsPage::show() {
    Observations seen{.version = parts_.version, .started = parts_.started};
    co_await at_desk(parts_.delivery,
                     [&seen](delivery::Desk& desk) { return look_at(desk, seen); });
    seen.now = parts_.clock.wall();
    for (const auto id : parts_.limiter.all())
        seen.limits.push_back({parts_.limiter.key(id), parts_.limiter.levels(id)});
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

#include "control/metrics_page.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iterator>
#include <utility>

#include "control/prometheus_text.hpp"

namespace outpost::control {

namespace asio = boost::asio;

asio::awaitable<void> MetricsPage::look_at_delivery(Observations& seen) {
    seen.queue = parts_.desk.totals();
    seen.oldest = parts_.desk.oldest();
    seen.upstreams = parts_.desk.upstreams();
    seen.limit_queues = parts_.desk.waiting_for_limits();
    co_return;
}

asio::awaitable<Response> MetricsPage::show() {
    Observations seen{.version = parts_.version, .started = parts_.started};
    co_await asio::co_spawn(parts_.delivery, look_at_delivery(seen), asio::use_awaitable);
    seen.now = parts_.clock.wall();
    for (const auto id : parts_.limiter.all())
        seen.limits.push_back({parts_.limiter.key(id), parts_.limiter.levels(id)});
    seen.disk = parts_.spool.disk_use();
    seen.accepting = parts_.spool.health().accepting;
    if (const auto tls = parts_.tls()) seen.certificates = tls->certificates();
    auto all = base::metrics::snapshot();
    auto looked_at = families(seen);
    std::ranges::move(looked_at, std::back_inserter(all));
    co_return prometheus_response(std::move(all));
}

}  // namespace outpost::control

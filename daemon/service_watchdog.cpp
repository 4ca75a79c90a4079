#include "service_watchdog.hpp"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

namespace outpost {

ServiceWatchdog::ServiceWatchdog(std::vector<boost::asio::any_io_executor> loops) {
    std::uint64_t limit = 0;
    if (sd_watchdog_enabled(0, &limit) <= 0) return;
    thread_.emplace(1, "watchdog");
    watchdog_.emplace(net::Watchdog::Parts{
        .executor = (*thread_)[0].get_executor(),
        .loops = std::move(loops),
        .interval = std::chrono::milliseconds(std::max<std::uint64_t>(limit / 1000 / 4, 1)),
        .alive = [] { sd_notify(0, "WATCHDOG=1"); }});
    watchdog_->start();
}

ServiceWatchdog::~ServiceWatchdog() {
    if (thread_) thread_->stop();
}

}  // namespace outpost

#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <optional>
#include <vector>

#include "net/io_threads.hpp"
#include "net/watchdog.hpp"

namespace outpost {

/// Tells systemd (WatchdogSec=) that the loops of both halves turn, until it goes. Does nothing
/// where nobody wants to know.
class ServiceWatchdog {
  public:
    explicit ServiceWatchdog(std::vector<boost::asio::any_io_executor> loops);
    ~ServiceWatchdog();
    ServiceWatchdog(const ServiceWatchdog&) = delete;
    ServiceWatchdog& operator=(const ServiceWatchdog&) = delete;

  private:
    std::optional<net::IoThreads> thread_;
    std::optional<net::Watchdog> watchdog_;
};

}  // namespace outpost

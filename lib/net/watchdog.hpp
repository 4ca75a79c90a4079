#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

namespace outpost::net {

/// Finds out whether loops still turn: asks each of them in every interval, and says that all is
/// well once all have answered. A loop that hangs therefore silences it. Used on its own executor,
/// which must not be that of a loop it watches; ends with that executor's context.
class Watchdog {
  public:
    struct Parts {
        boost::asio::any_io_executor executor;
        std::vector<boost::asio::any_io_executor> loops;
        std::chrono::milliseconds interval{};
        std::function<void()> alive;  ///< all have answered since the last time
    };
    explicit Watchdog(Parts parts);
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    void start();

  private:
    void ask();
    void look();

    Parts parts_;
    boost::asio::steady_timer timer_;
    /// How many have not answered; shared with the questions, which may outlast us.
    std::shared_ptr<std::atomic<std::size_t>> silent_ =
        std::make_shared<std::atomic<std::size_t>>(0);
};

}  // namespace outpost::net

#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "account/authenticator.hpp"
#include "base/clock.hpp"
#include "config/types.hpp"
#include "control/api.hpp"
#include "control/http_server.hpp"
#include "delivery/desk.hpp"
#include "net/io_threads.hpp"
#include "spool/spool.hpp"

namespace outpost {

/// Where operators ask: the control socket for outpostctl, and /healthz, /readyz over TCP. One
/// thread.
class ControlHalf {
  public:
    struct World {
        const config::Config& config;
        const base::Clock& clock;
        spool::Spool& spool;
        boost::asio::any_io_executor delivery;
        delivery::Desk& desk;
        account::Authenticator& authenticator;
        limit::Limiter& limiter;
        store::History* history;
        net::OffloadPool& pool;
    };

    /// Listens. Throws StartFailure where the configuration names what cannot be had; a default
    /// socket that cannot be made is a warning.
    explicit ControlHalf(const World& world);
    ~ControlHalf();
    ControlHalf(const ControlHalf&) = delete;
    ControlHalf& operator=(const ControlHalf&) = delete;

    /// Says in /readyz that mail is accepted, or not any more.
    void set_ready(bool ready) noexcept { ready_ = ready; }
    /// Answers nothing more.
    void stop();

  private:
    boost::asio::awaitable<control::Response> health(const control::Request& request);

    spool::Spool& spool_;
    std::atomic<bool> ready_{false};
    control::Api api_;
    net::IoThreads threads_;
    std::unique_ptr<control::HttpServer> socket_;
    std::unique_ptr<control::HttpServer> http_;
};

}  // namespace outpost

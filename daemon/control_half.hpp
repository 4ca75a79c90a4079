#pragma once

#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "account/authenticator.hpp"
#include "base/clock.hpp"
#include "config/types.hpp"
#include "control/api.hpp"
#include "control/http_server.hpp"
#include "control/metrics_page.hpp"
#include "delivery/desk.hpp"
#include "net/io_threads.hpp"
#include "spool/spool.hpp"

namespace outpost {

/// Where operators ask: the control socket for outpostctl, and /metrics, /healthz, /readyz over
/// TCP. One thread.
class ControlHalf {
  public:
    struct World {
        const config::Config& config;
        const base::Clock& clock;
        spool::Spool& spool;
        control::DeskAccess delivery;
        account::Authenticator& authenticator;
        limit::Limiter& limiter;
        const submission::AccountLimits& account_limits;
        control::LimitStoreView limit_store;
        /// What clients are served with now; null: no listener uses TLS.
        std::function<std::shared_ptr<const net::TlsServer>()> tls;
        control::AccountKeeper& accounts;
        control::PauseKeeper& pauses;
        net::OffloadPool& pool;
        control::Api::Reload reload;
        store::History* history;  ///< null: none is kept
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
    boost::asio::awaitable<control::Response> answer(const control::Request& request);
    [[nodiscard]] control::Response health(const control::Request& request) const;

    spool::Spool& spool_;
    std::atomic<bool> ready_{false};
    control::Api api_;
    control::MetricsPage metrics_;
    net::IoThreads threads_;
    std::unique_ptr<control::HttpServer> socket_;
    std::unique_ptr<control::HttpServer> http_;
};

}  // namespace outpost

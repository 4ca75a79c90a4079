#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "control/account_keeper.hpp"
#include "control/at_desk.hpp"
#include "control/http_server.hpp"
#include "control/limit_store_state.hpp"
#include "control/observations.hpp"
#include "limit/limiter.hpp"
#include "net/tls_context.hpp"
#include "spool/spool.hpp"

namespace outpost::control {

/// What /metrics shows: the families that are counted (base::metrics), and what is looked at for
/// each request. Used on the control thread; what belongs to delivery is looked at on its executor.
class MetricsPage {
  public:
    /// All that is referred to outlives it.
    struct Parts {
        std::string version;
        base::WallTime started;
        const base::Clock& clock;
        const spool::Spool& spool;
        DeskAccess delivery;
        const AccountKeeper& accounts;
        limit::Limiter& limiter;
        LimitStoreView limit_store;
        /// What clients are served with now; null: no TLS.
        std::function<std::shared_ptr<const net::TlsServer>()> tls;
    };
    explicit MetricsPage(Parts parts) : parts_(std::move(parts)) {}

    boost::asio::awaitable<Response> show();

  private:
    Parts parts_;
};

}  // namespace outpost::control

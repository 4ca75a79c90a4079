#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "account/account.hpp"
#include "base/clock.hpp"
#include "control/http_server.hpp"
#include "delivery/desk.hpp"
#include "history/event.hpp"
#include "limit/limiter.hpp"
#include "net/offload.hpp"
#include "spool/spool.hpp"
#include "store/history.hpp"

namespace outpost::control {

/// The control API (docs/control-api.yaml): what outpostctl asks for. Every change is logged with
/// the operator's reason. Used on the control thread; what belongs to delivery is done on its
/// executor.
class Api {
  public:
    struct Parts {
        std::string version;
        std::string hostname;
        base::WallTime started;
        const base::Clock& clock;
        spool::Spool& spool;
        boost::asio::any_io_executor delivery;  ///< the desk's
        delivery::Desk& desk;
        /// The account of that name; null if there is none.
        std::function<std::shared_ptr<const account::Account>(std::string_view)> account;
        limit::Limiter& limiter;
        store::History* history;  ///< null: none is kept
        net::OffloadPool& pool;   ///< for searches in it
    };
    explicit Api(Parts parts) : parts_(std::move(parts)) {}

    boost::asio::awaitable<Response> handle(const Request& request);

  private:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    struct Path;

    awaitable<Response> status();
    awaitable<Response> queue();
    awaitable<Response> messages(const Request& request);
    awaitable<Response> message(base::MessageId id, std::string_view what);
    awaitable<Response> content(base::MessageId id);
    awaitable<Response> change(std::string_view what, const Request& request);
    awaitable<Response> upstreams();
    using Rows = std::expected<std::vector<history::Row>, std::string>;
    awaitable<void> settle_history();
    awaitable<Rows> find_history(history::Query query);
    awaitable<Response> history(const Request& request);
    awaitable<Response> why_gone(base::MessageId id);
    awaitable<Response> route(const Request& request);
    awaitable<Response> upstream(std::string_view name, std::string_view what,
                                 const Request& request);

    /// Runs on the delivery executor.
    template <class Make>
    auto at_delivery(Make make);

    Parts parts_;
};

}  // namespace outpost::control

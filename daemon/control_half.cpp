#include "control_half.hpp"

#include <sysexits.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "base/error.hpp"
#include "base/log.hpp"
#include "control/json_views.hpp"
#include "version.hpp"

namespace outpost {

namespace asio = boost::asio;
using control::HttpServer;
using control::Request;
using control::Response;

ControlHalf::ControlHalf(const World& world)
    : spool_(world.spool),
      api_({.version = version,
            .started = world.clock.wall(),
            .clock = world.clock,
            .spool = world.spool,
            .delivery = world.delivery,
            .authenticator = world.authenticator,
            .limiter = world.limiter,
            .account_limits = world.account_limits,
            .limit_store = world.limit_store,
            .accounts = world.accounts,
            .pauses = world.pauses,
            .pool = world.pool,
            .reload = world.reload,
            .history = world.history}),
      metrics_({.version = version,
                .started = world.clock.wall(),
                .clock = world.clock,
                .spool = world.spool,
                .delivery = world.delivery,
                .accounts = world.accounts,
                .limiter = world.limiter,
                .limit_store = world.limit_store,
                .tls = world.tls}),
      threads_(1, "control") {
    const auto& control = world.config.control;
    auto socket =
        HttpServer::at_path(threads_[0].get_executor(), control.socket,
                            [this](const Request& request) { return api_.handle(request); });
    if (socket) {
        socket_ = std::move(*socket);
    } else if (control.socket_set) {
        throw base::StartFailure(EX_CANTCREAT, "control.socket: " + socket.error());
    } else {
        base::log::warning("no control socket",
                           {{"reason", socket.error()},
                            {"result", "outpostctl cannot ask this daemon; set control.socket"}});
    }
    if (control.http.empty()) return;
    auto http = HttpServer::at_address(threads_[0].get_executor(), control.http,
                                       [this](const Request& request) { return answer(request); });
    if (!http) throw base::StartFailure(EX_UNAVAILABLE, "control.http: " + http.error());
    http_ = std::move(*http);
}

ControlHalf::~ControlHalf() {
    stop();
}

void ControlHalf::stop() {
    // Nothing runs on the thread any more when the servers go.
    threads_.stop();
    socket_.reset();
    http_.reset();
}

asio::awaitable<Response> ControlHalf::answer(const Request& request) {
    if (request.path == "/metrics") co_return co_await metrics_.show();
    co_return health(request);
}

Response ControlHalf::health(const Request& request) const {
    const spool::Health health = spool_.health();
    const bool broken = !health.accepting && health.kind == spool::StoreFailure::Kind::fail_stop;
    if (request.path == "/healthz")
        return control::json_response({{"healthy", !broken}, {"reason", health.reason}},
                                      broken ? 503 : 200);
    if (request.path == "/readyz") {
        const bool ready = ready_ && health.accepting;
        return control::json_response(
            {{"ready", ready}, {"reason", ready_ ? health.reason : "starting or stopping"}},
            ready ? 200 : 503);
    }
    return control::error_response(404, "there is /metrics, /healthz and /readyz");
}

}  // namespace outpost

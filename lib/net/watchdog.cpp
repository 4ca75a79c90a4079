#include "net/watchdog.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace outpost::net {

namespace asio = boost::asio;

Watchdog::Watchdog(Parts parts) : parts_(std::move(parts)), timer_(parts_.executor) {}

void Watchdog::start() {
    asio::post(parts_.executor, [this] { ask(); });
}

void Watchdog::ask() {
    *silent_ = parts_.loops.size();
    for (const auto& loop : parts_.loops) asio::post(loop, [silent = silent_] { --*silent; });
    look();
}

void Watchdog::look() {
    timer_.expires_after(parts_.interval);
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
        if (cancelled) return;
        if (*silent_ > 0) return look();
        parts_.alive();
        ask();
    });
}

}  // namespace outpost::net

#include "submission/acceptor.hpp"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <chrono>

#include "base/log.hpp"

namespace outpost::submission {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds starved_pause{100};

bool starved_by(const ErrorCode& error) {
    namespace errc = boost::system::errc;
    return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
           error == errc::no_buffer_space || error == errc::not_enough_memory;
}

}  // namespace

void Acceptor::start() {
    asio::post(socket_.get_executor(), [this] { accept(); });
}

void Acceptor::close() noexcept {
    ErrorCode ignored;
    socket_.close(ignored);
    if (pause_) pause_->cancel();
}

asio::ip::tcp::endpoint Acceptor::endpoint() const {
    ErrorCode ignored;
    return socket_.local_endpoint(ignored);
}

void Acceptor::accept() {
    if (!socket_.is_open()) return;
    SessionGroup& group = next_group_();
    // Asio tries at once before it waits, so a burst is drained without going back to epoll.
    socket_.async_accept(group.context(),
                         [this, &group](const ErrorCode& error, asio::ip::tcp::socket socket) {
                             accepted(error, std::move(socket), group);
                         });
}

void Acceptor::accepted(const ErrorCode& error, asio::ip::tcp::socket socket, SessionGroup& group) {
    if (error == asio::error::operation_aborted) return;
    if (starved_by(error)) return back_off(error);
    if (!error) {
        starved_ = false;
        asio::dispatch(group.context(),
                       [&group, socket = std::move(socket), rules = rules_]() mutable {
                           group.start(std::move(socket), std::move(rules));
                       });
    }
    // Any other error is of a connection that is gone already (accept(2), "Error handling").
    accept();
}

void Acceptor::back_off(const ErrorCode& error) {
    if (!starved_)
        base::log::error(
            "cannot accept connections: raise the limit on open files "
            "(LimitNOFILE=) or lower submission.max_connections",
            {{"port", endpoint().port()}, {"reason", error.message()}});
    starved_ = true;
    pause_.emplace(socket_.get_executor(), starved_pause);
    pause_->async_wait([this](const ErrorCode& cancelled) {
        if (!cancelled) accept();
    });
}

}  // namespace outpost::submission

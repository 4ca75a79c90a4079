#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>

#include "submission/session_group.hpp"
#include "submission/settings.hpp"

namespace outpost::submission {

/// One listening socket: takes connections for as long as there are some and hands each to the
/// group that the caller names. A chain of callbacks and not a coroutine, for there are thousands.
/// Runs on the thread of its socket's io_context.
class Acceptor {
  public:
    using NextGroup = std::function<SessionGroup&()>;

    using Rules = std::shared_ptr<const ListenerRules>;

    /// What `next_group` refers to outlives it.
    Acceptor(boost::asio::ip::tcp::acceptor socket, Rules rules, const NextGroup& next_group)
        : socket_(std::move(socket)), rules_(std::move(rules)), next_group_(next_group) {}

    /// From any thread, once.
    void start();
    /// For the connections to come. On its thread.
    void use(Rules rules) { rules_ = std::move(rules); }
    /// On its thread. What is pending ends.
    void close() noexcept;
    [[nodiscard]] auto executor() { return socket_.get_executor(); }
    [[nodiscard]] boost::asio::ip::tcp::endpoint endpoint() const;

  private:
    void accept();
    void accepted(const boost::system::error_code& error, boost::asio::ip::tcp::socket socket,
                  SessionGroup& group);
    /// No file descriptors or memory: a pause lets sessions end.
    void back_off(const boost::system::error_code& error);

    boost::asio::ip::tcp::acceptor socket_;
    Rules rules_;
    const NextGroup& next_group_;
    std::optional<boost::asio::steady_timer> pause_;
    bool starved_ = false;
};

}  // namespace outpost::submission

#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "config/types.hpp"
#include "net/io_threads.hpp"
#include "submission/acceptor.hpp"
#include "submission/greeting.hpp"
#include "submission/session_group.hpp"
#include "submission/settings.hpp"

namespace outpost::submission {

/// All of submission: listening sockets and the sessions that come of them, spread over threads.
/// What `services` and `threads` refer to outlives it; after stop() no thread uses it any more.
class Server {
  public:
    Server(Services services, net::IoThreads& threads);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Binds every port of `listeners`, or takes over what systemd has bound of them. A port named
    /// singly that cannot be bound throws base::StartFailure; those of a range are left out with
    /// one warning. Before start().
    void open(const std::vector<config::Listener>& listeners);
    /// A socket that listens already, on one of the threads' io_contexts. Before start().
    void add(boost::asio::ip::tcp::acceptor socket, ListenerRules rules);
    /// Takes connections from now on.
    void start();

    /// Takes no more connections, lets open transactions end within `grace`, ends all others with
    /// 421 4.3.2, and returns when the last session is gone. Blocks: call it from a thread that is
    /// none of `threads`.
    void stop(std::chrono::milliseconds grace);

    /// The authenticator has another directory: sessions whose account is gone end soon, without
    /// waiting for their next command. Thread-safe.
    void accounts_changed();

    [[nodiscard]] std::size_t listening() const noexcept { return acceptors_.size(); }
    [[nodiscard]] std::uint32_t sessions() const noexcept { return census_->count(); }

  private:
    void close_acceptors();

    Services services_;
    Greeting greeting_;
    net::IoThreads& threads_;
    std::shared_ptr<Census> census_ = std::make_shared<Census>();
    std::deque<SessionGroup> groups_;
    std::atomic<std::uint32_t> next_{0};
    Acceptor::NextGroup next_group_;
    std::deque<ListenerRules> rules_;
    std::deque<Acceptor> acceptors_;
};

}  // namespace outpost::submission

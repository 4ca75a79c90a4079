#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/types.hpp"
#include "net/io_threads.hpp"
#include "submission/acceptor.hpp"
#include "submission/session_group.hpp"
#include "submission/settings.hpp"
#include "submission/terms.hpp"

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

    /// What may change while it runs.
    struct Settings {
        std::string hostname;
        config::Submission limits;
        std::shared_ptr<net::TlsServer> tls;  ///< null: as it is
    };
    /// Sockets of another list of listeners: new ones are bound, but nobody accepts there yet.
    class Listeners;
    /// Throws base::StartFailure, see open(). After start().
    [[nodiscard]] Listeners prepare(const std::vector<config::Listener>& listeners);
    /// Sessions that begin from now on are held by these; open ones and those sockets that stay are
    /// not touched. Not from one of its threads.
    void reload(Settings settings, Listeners listeners);
    /// The same with other certificates alone.
    void use_certificates(std::shared_ptr<net::TlsServer> tls);
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
    using Rules = std::shared_ptr<const ListenerRules>;

    void use(Services services);
    void close_acceptors(std::list<Acceptor>& acceptors);
    void close_all_but(const Listeners& listeners);

    std::shared_ptr<const Terms> terms_;
    net::IoThreads& threads_;
    std::shared_ptr<Census> census_ = std::make_shared<Census>();
    std::deque<SessionGroup> groups_;
    std::atomic<std::uint32_t> next_{0};
    Acceptor::NextGroup next_group_;
    std::list<Acceptor> acceptors_;
};

class Server::Listeners {
    friend class Server;
    std::vector<std::pair<boost::asio::ip::tcp::acceptor, Rules>> fresh_;
    std::map<boost::asio::ip::tcp::endpoint, Rules> kept_;
};

}  // namespace outpost::submission

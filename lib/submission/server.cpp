#include "submission/server.hpp"

#include <boost/asio/post.hpp>
#include <latch>

#include "base/log.hpp"
#include "submission/port_binder.hpp"

namespace outpost::submission {

namespace asio = boost::asio;

namespace {

/// What a session may take to say good-bye once it is told to end at once.
constexpr std::chrono::seconds farewell{3};

ListenerRules rules_of(const config::Listener& listener) {
    return {.tls = listener.tls,
            .require_tls = listener.require_tls,
            .proxy_protocol = listener.proxy_protocol,
            .trusted_account = listener.trusted_account};
}

}  // namespace

Server::Server(Services services, net::IoThreads& threads)
    : services_(std::move(services)),
      greeting_(services_),
      threads_(threads),
      next_group_([this]() -> SessionGroup& {
          return groups_[next_.fetch_add(1, std::memory_order_relaxed) % groups_.size()];
      }) {
    for (std::size_t i = 0; i < threads.size(); ++i)
        groups_.emplace_back(threads[i], SessionGroup::Shared{services_, greeting_, census_});
}

void Server::open(const std::vector<config::Listener>& listeners) {
    PortBinder binder(threads_);
    for (const config::Listener& listener : listeners) {
        const ListenerRules& rules = rules_.emplace_back(rules_of(listener));
        binder.bind(listener, [&](asio::ip::tcp::acceptor socket) {
            acceptors_.emplace_back(std::move(socket), rules, next_group_);
        });
    }
    binder.report();
}

void Server::add(asio::ip::tcp::acceptor socket, ListenerRules rules) {
    const ListenerRules& kept = rules_.emplace_back(std::move(rules));
    acceptors_.emplace_back(std::move(socket), kept, next_group_);
}

void Server::start() {
    for (Acceptor& acceptor : acceptors_) acceptor.start();
}

void Server::close_acceptors() {
    std::latch closed(static_cast<std::ptrdiff_t>(acceptors_.size()));
    for (Acceptor& acceptor : acceptors_)
        asio::post(acceptor.executor(), [&] {
            acceptor.close();
            closed.count_down();
        });
    closed.wait();
}

void Server::stop(std::chrono::milliseconds grace) {
    close_acceptors();
    for (SessionGroup& group : groups_) asio::post(group.context(), [&group] { group.stop(); });
    if (census_->wait_for_none(grace)) return;
    base::log::warning("sessions still open after the grace time are ended",
                       {{"sessions", census_->count()}});
    for (SessionGroup& group : groups_) asio::post(group.context(), [&group] { group.stop_now(); });
    census_->wait_for_none(farewell);
}

void Server::accounts_changed() {
    for (SessionGroup& group : groups_)
        asio::post(group.context(), [&group] { group.accounts_changed(); });
}

}  // namespace outpost::submission

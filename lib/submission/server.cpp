#include "submission/server.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <iterator>
#include <latch>
#include <set>

#include "base/error.hpp"
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
            .trusted_account = listener.trusted_account,
            .sessions = counts::sessions(listener)};
}

/// On the thread of each; returns when all is done.
void on_each(std::list<Acceptor>& acceptors, const std::function<void(Acceptor&)>& work) {
    std::latch done(static_cast<std::ptrdiff_t>(acceptors.size()));
    for (Acceptor& acceptor : acceptors)
        asio::post(acceptor.executor(), [&] {
            work(acceptor);
            done.count_down();
        });
    done.wait();
}

}  // namespace

Server::Server(Services services, net::IoThreads& threads)
    : terms_(std::make_shared<const Terms>(std::move(services))),
      threads_(threads),
      next_group_([this]() -> SessionGroup& {
          return groups_[next_.fetch_add(1, std::memory_order_relaxed) % groups_.size()];
      }) {
    for (std::size_t i = 0; i < threads.size(); ++i)
        groups_.emplace_back(threads[i], terms_, census_);
}

void Server::open(const std::vector<config::Listener>& listeners) {
    PortBinder binder = PortBinder::first(threads_);
    for (const config::Listener& listener : listeners) {
        const auto rules = std::make_shared<const ListenerRules>(rules_of(listener));
        binder.bind(listener, [&](asio::ip::tcp::acceptor socket) {
            acceptors_.emplace_back(std::move(socket), rules, next_group_);
        });
    }
    binder.report();
}

void Server::add(asio::ip::tcp::acceptor socket, ListenerRules rules) {
    acceptors_.emplace_back(std::move(socket),
                            std::make_shared<const ListenerRules>(std::move(rules)), next_group_);
}

void Server::start() {
    for (Acceptor& acceptor : acceptors_) acceptor.start();
}

void Server::close_acceptors(std::list<Acceptor>& acceptors) {
    on_each(acceptors, [](Acceptor& acceptor) { acceptor.close(); });
}

namespace {

/// A socket that is there cannot be opened with another address beside it: the port would be left
/// out, and then closed.
void refuse_moved(const config::Listener& listener,
                  const std::set<asio::ip::tcp::endpoint>& bound) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(listener.address, error);
    for (const auto& endpoint : bound) {
        const bool overlap = endpoint.address() != address &&
                             (address.is_unspecified() || endpoint.address().is_unspecified());
        const bool named = std::ranges::any_of(listener.ports, [&](const config::PortRange& range) {
            return range.first <= endpoint.port() && endpoint.port() <= range.last;
        });
        if (error || !overlap || !named) continue;
        throw base::StartFailure(
            EX_UNAVAILABLE,
            fmt::format("listen: port {} is open on {}, and cannot change to {} while outpostd "
                        "runs; restart it",
                        endpoint.port(), endpoint.address().to_string(), listener.address));
    }
}

}  // namespace

Server::Listeners Server::prepare(const std::vector<config::Listener>& listeners) {
    std::set<asio::ip::tcp::endpoint> bound;
    for (const Acceptor& acceptor : acceptors_) bound.insert(acceptor.endpoint());
    PortBinder binder(threads_);
    Listeners prepared;
    for (const config::Listener& listener : listeners) {
        refuse_moved(listener, bound);
        const auto rules = std::make_shared<const ListenerRules>(rules_of(listener));
        binder.bind(
            listener,
            [&](asio::ip::tcp::acceptor socket) {
                prepared.fresh_.emplace_back(std::move(socket), rules);
            },
            [&](const asio::ip::tcp::endpoint& endpoint) {
                return bound.contains(endpoint) && prepared.kept_.emplace(endpoint, rules).second;
            });
    }
    binder.report();
    return prepared;
}

void Server::reload(Settings settings, Listeners listeners) {
    Services services = terms_->services;
    services.hostname = std::move(settings.hostname);
    services.limits = settings.limits;
    if (settings.tls) services.tls = std::move(settings.tls);
    services.admission->set_limits(
        {settings.limits.max_connections, settings.limits.max_connections_per_ip});
    // Before any listener that needs what is new in it.
    use(std::move(services));
    close_all_but(listeners);
    on_each(acceptors_,
            [&](Acceptor& acceptor) { acceptor.use(listeners.kept_.at(acceptor.endpoint())); });
    for (auto& [socket, rules] : listeners.fresh_) {
        acceptors_.emplace_back(std::move(socket), std::move(rules), next_group_);
        acceptors_.back().start();
    }
}

void Server::use_certificates(std::shared_ptr<net::TlsServer> tls) {
    Services services = terms_->services;
    services.tls = std::move(tls);
    use(std::move(services));
}

void Server::use(Services services) {
    terms_ = std::make_shared<const Terms>(std::move(services));
    std::latch done(static_cast<std::ptrdiff_t>(groups_.size()));
    for (SessionGroup& group : groups_)
        asio::post(group.context(), [&, terms = terms_]() mutable {
            group.use(std::move(terms));
            done.count_down();
        });
    done.wait();
}

void Server::close_all_but(const Listeners& listeners) {
    std::list<Acceptor> closing;
    for (auto each = acceptors_.begin(); each != acceptors_.end();) {
        const auto next = std::next(each);
        if (!listeners.kept_.contains(each->endpoint()))
            closing.splice(closing.end(), acceptors_, each);
        each = next;
    }
    close_acceptors(closing);
    // What was pending there has been called when this is.
    on_each(closing, [](Acceptor&) {});
}

void Server::stop(std::chrono::milliseconds grace) {
    close_acceptors(acceptors_);
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

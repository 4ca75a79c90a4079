#include "submission/port_binder.hpp"

#include <fmt/format.h>
#include <sysexits.h>

#include "base/error.hpp"
#include "base/log.hpp"
#include "net/listener.hpp"

namespace outpost::submission {

namespace asio = boost::asio;
using Endpoint = asio::ip::tcp::endpoint;

namespace {

/// `1025-1027, 2000`
std::string list_of(const std::vector<std::uint16_t>& ports) {
    std::string out;
    for (std::size_t i = 0; i < ports.size();) {
        std::size_t last = i;
        while (last + 1 < ports.size() && ports[last + 1] == ports[last] + 1) ++last;
        if (!out.empty()) out += ", ";
        out += fmt::format("{}", ports[i]);
        if (last > i) out += fmt::format("-{}", ports[last]);
        i = last + 1;
    }
    return out;
}

std::string advice(const boost::system::error_code& error) {
    if (error == boost::system::errc::permission_denied)
        return "ports below 1024 need CAP_NET_BIND_SERVICE (see the systemd unit) or root";
    if (error == boost::system::errc::address_in_use)
        return "another program listens there: stop it, or take the port out of `listen`";
    return "check `listen` in the configuration";
}

}  // namespace

PortBinder PortBinder::first(net::IoThreads& threads) {
    PortBinder binder(threads);
    auto sockets = net::inherited_listeners([&]() -> auto& { return binder.next_context(); });
    if (!sockets) throw base::StartFailure(EX_CONFIG, sockets.error());
    for (auto& socket : *sockets) {
        boost::system::error_code error;
        const Endpoint endpoint = socket.local_endpoint(error);
        if (!error) binder.inherited_.emplace(endpoint, std::move(socket));
    }
    return binder;
}

asio::io_context& PortBinder::next_context() noexcept {
    return threads_[next_++ % threads_.size()];
}

void PortBinder::bind(const config::Listener& listener, const Take& take, const Have& have) {
    boost::system::error_code error;
    const auto address = asio::ip::make_address(listener.address, error);
    if (error)
        throw base::StartFailure(EX_CONFIG,
                                 fmt::format("listen: {} is not an IP address", listener.address));
    for (const config::PortRange& range : listener.ports)
        for (std::uint32_t port = range.first; port <= range.last; ++port) {
            const Endpoint endpoint(address, static_cast<std::uint16_t>(port));
            if (!have || !have(endpoint)) bind_port(endpoint, range.single(), take);
        }
}

void PortBinder::bind_port(const Endpoint& endpoint, bool must, const Take& take) {
    if (auto node = inherited_.extract(endpoint)) return take(std::move(node.mapped()));
    auto socket = net::listen(next_context(), endpoint.address(), endpoint.port());
    if (socket) return take(std::move(*socket));
    const auto error = socket.error();
    // A port that is taken or not allowed is one port's trouble; anything else is everyone's.
    const bool local = error == boost::system::errc::address_in_use ||
                       error == boost::system::errc::permission_denied;
    if (must || !local)
        throw base::StartFailure(
            EX_UNAVAILABLE,
            fmt::format("cannot listen on {} port {}: {}; {}", endpoint.address().to_string(),
                        endpoint.port(), error.message(), advice(error)));
    skipped_.push_back(endpoint.port());
    skipped_reason_ = error.message();
}

void PortBinder::report() const {
    if (!skipped_.empty())
        base::log::warning("ports of a range left out",
                           {{"ports", list_of(skipped_)}, {"reason", skipped_reason_}});
    std::string unnamed;
    for (const auto& [endpoint, socket] : inherited_)
        unnamed += fmt::format("{}{} port {}", unnamed.empty() ? "" : ", ",
                               endpoint.address().to_string(), endpoint.port());
    if (!unnamed.empty())
        throw base::StartFailure(
            EX_CONFIG, fmt::format("systemd has handed over sockets that no entry of `listen` "
                                   "names: {}; add them there with the same address, or take them "
                                   "out of outpostd.socket",
                                   unnamed));
}

}  // namespace outpost::submission

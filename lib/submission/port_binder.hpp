#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/types.hpp"
#include "net/io_threads.hpp"

namespace outpost::submission {

/// Opens the listening sockets that the configuration names, spread over threads. A socket that
/// systemd has opened for the same address and port is taken over.
class PortBinder {
  public:
    using Socket = boost::asio::ip::tcp::acceptor;
    using Take = std::function<void(Socket)>;

    /// Takes over what systemd has handed over, which is for once.
    static PortBinder first(net::IoThreads& threads);
    explicit PortBinder(net::IoThreads& threads) : threads_(threads) {}

    /// Throws base::StartFailure if the address or a port named singly cannot be bound. `have` is
    /// asked whether a socket is there already.
    using Have = std::function<bool(const boost::asio::ip::tcp::endpoint&)>;
    void bind(const config::Listener& listener, const Take& take, const Have& have = {});
    /// Warns of ports of ranges that other programs hold. Throws StartFailure for sockets of
    /// systemd's that no listener names: clients would connect to them and wait for ever. Once,
    /// after the last bind().
    void report() const;

  private:
    [[nodiscard]] boost::asio::io_context& next_context() noexcept;
    void bind_port(const boost::asio::ip::tcp::endpoint& endpoint, bool must, const Take& take);

    net::IoThreads& threads_;
    std::size_t next_ = 0;
    std::map<boost::asio::ip::tcp::endpoint, Socket> inherited_;
    std::vector<std::uint16_t> skipped_;
    std::string skipped_reason_;
};

}  // namespace outpost::submission

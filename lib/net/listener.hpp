#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

namespace outpost::net {

// What these accept has TCP_NODELAY: on Linux it comes from the listening socket.

/// Binds and listens (backlog 4,096). `::` takes IPv4 too. Port 0 lets the kernel choose.
std::expected<boost::asio::ip::tcp::acceptor, boost::system::error_code> listen(
    boost::asio::io_context& context, const boost::asio::ip::address& address, std::uint16_t port);

/// Sockets handed down by systemd (LISTEN_FDS), already listening, each on the context that is
/// named for it; empty if there are none. The error tells of one that is no listening TCP socket.
std::expected<std::vector<boost::asio::ip::tcp::acceptor>, std::string> inherited_listeners(
    const std::function<boost::asio::io_context&()>& next_context);

/// Raises the limit on open files as far as allowed and returns it.
std::uint64_t raise_file_limit();

}  // namespace outpost::net

#include "net/listener.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <boost/asio/ip/v6_only.hpp>

namespace outpost::net {

namespace {

using boost::asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// Clients that reconnect for every message must never see a dropped SYN.
constexpr int backlog = 4096;

}  // namespace

std::expected<tcp::acceptor, ErrorCode> listen(boost::asio::io_context& context,
                                               const boost::asio::ip::address& address,
                                               std::uint16_t port) {
    const tcp::endpoint endpoint(address, port);
    tcp::acceptor acceptor(context);
    ErrorCode error;
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error && address.is_v6() && address.is_unspecified())
        acceptor.set_option(boost::asio::ip::v6_only(false), error);
    if (!error) acceptor.set_option(tcp::no_delay(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(backlog, error);
    if (!error) acceptor.non_blocking(true, error);
    if (error) return std::unexpected(error);
    return acceptor;
}

std::expected<std::vector<tcp::acceptor>, std::string> inherited_listeners(
    const std::function<boost::asio::io_context&()>& next_context) {
    std::vector<tcp::acceptor> acceptors;
    const int count = sd_listen_fds(1);
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
        const bool v6 = sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0;
        if (!v6 && sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) <= 0)
            return std::unexpected(fmt::format(
                "file descriptor {} that systemd has handed over is no listening TCP socket; "
                "outpostd.socket takes ListenStream= with a port or an address and port",
                fd));
        tcp::acceptor acceptor(next_context());
        ErrorCode error;
        acceptor.assign(v6 ? tcp::v6() : tcp::v4(), fd, error);
        ErrorCode ignored;
        acceptor.set_option(tcp::no_delay(true), ignored);
        if (!error) acceptor.non_blocking(true, error);
        if (!error) acceptors.push_back(std::move(acceptor));
    }
    return acceptors;
}

std::uint64_t raise_file_limit() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

}  // namespace outpost::net

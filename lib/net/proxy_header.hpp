#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): what a load balancer puts
/// before the first octet of a connection. Pure: no sockets here.
namespace outpost::net {

/// Longest header that is waited for, octets.
inline constexpr std::size_t proxy_v1_max = 107;
/// Addresses and type-length-values after the 16 fixed octets; longer is refused.
inline constexpr std::size_t proxy_v2_max_length = 4096;

struct ProxyEndpoint {
    std::string address;     ///< canonical IP address, or the path of a UNIX socket
    std::uint16_t port = 0;  ///< 0 for UNIX sockets
    bool operator==(const ProxyEndpoint&) const = default;
};

struct ProxyHeader {
    /// `local` (v2 LOCAL: the proxy's own health check) and `unknown` (v1 UNKNOWN, v2 UNSPEC) say
    /// nothing of the client: the connection's own addresses hold.
    enum class Kind : std::uint8_t { ipv4, ipv6, unix_socket, local, unknown };
    Kind kind = Kind::unknown;
    ProxyEndpoint source;
    ProxyEndpoint destination;
    std::size_t consumed = 0;  ///< octets of the header; what follows belongs to the session
    bool operator==(const ProxyHeader&) const = default;
    /// Whether source and destination are given.
    [[nodiscard]] bool has_addresses() const noexcept {
        return kind != Kind::local && kind != Kind::unknown;
    }
};
struct ProxyNeedMore {
    bool operator==(const ProxyNeedMore&) const = default;
};
/// Not a PROXY header: close without a word.
struct ProxyError {
    std::string reason;
    bool operator==(const ProxyError&) const = default;
};
using ProxyResult = std::variant<ProxyNeedMore, ProxyHeader, ProxyError>;

/// Looks at all that has arrived so far; call again with more on ProxyNeedMore.
[[nodiscard]] ProxyResult parse_proxy_header(std::string_view buffer);

}  // namespace outpost::net

#pragma once

#include <boost/system/error_code.hpp>
#include <cstdint>
#include <string>

namespace outpost::net {

/// What went wrong on a connection.
struct Failure {
    enum class Kind : std::uint8_t {
        timed_out,    ///< the deadline passed
        closed,       ///< the peer ended the connection in order
        refused,      ///< connection refused, no route, unreachable
        reset,        ///< the connection broke
        tls,          ///< handshake or record error
        certificate,  ///< the peer's certificate was not accepted
        cancelled,    ///< by ourselves: Stream::close or a stop
        other,
    };
    Kind kind = Kind::other;
    std::string text;  ///< for people: `connection refused`, `certificate has expired`
};

/// The failure that an Asio or OpenSSL error code stands for.
[[nodiscard]] Failure to_failure(const boost::system::error_code& error);

}  // namespace outpost::net

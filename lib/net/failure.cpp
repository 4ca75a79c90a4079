#include "net/failure.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

namespace outpost::net {

Failure to_failure(const boost::system::error_code& error) {
    namespace asio = boost::asio;
    using Kind = Failure::Kind;
    if (error == asio::error::eof) return {Kind::closed, "connection closed by the peer"};
    // Most clients end TLS without close_notify; SMTP has its own end marks, so this is a close.
    if (error == asio::ssl::error::stream_truncated)
        return {Kind::closed, "connection closed by the peer"};
    if (error == asio::error::operation_aborted) return {Kind::cancelled, "cancelled"};
    if (error == asio::error::timed_out) return {Kind::timed_out, "timed out"};
    if (error == asio::error::connection_refused) return {Kind::refused, "connection refused"};
    if (error == asio::error::host_unreachable || error == asio::error::network_unreachable ||
        error == asio::error::network_down)
        return {Kind::refused, error.message()};
    if (error == asio::error::connection_reset || error == asio::error::broken_pipe ||
        error == asio::error::connection_aborted || error == asio::error::not_connected)
        return {Kind::reset, "connection broken by the peer"};
    if (error.category() == asio::error::get_ssl_category()) return {Kind::tls, error.message()};
    return {Kind::other, error.message()};
}

}  // namespace outpost::net

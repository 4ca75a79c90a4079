#include "net/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/container/small_vector.hpp>

#include "net/peer_certificate.hpp"

namespace outpost::net {

namespace asio = boost::asio;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);
using ErrorCode = boost::system::error_code;

}  // namespace

Stream::Stream(asio::io_context& context)
    : Deadline(context), context_(context), socket_(context) {}

Stream::Stream(asio::io_context& context, tcp::socket socket)
    : Deadline(context), context_(context), socket_(std::move(socket)) {
    ErrorCode ignored;
    remote_ = socket_.remote_endpoint(ignored);
    socket_.non_blocking(true, ignored);
}

void Stream::expires_after(std::chrono::steady_clock::duration duration) {
    timed_out_ = false;
    Deadline::expires_after(duration);
}

void Stream::expires_never() noexcept {
    timed_out_ = false;
    Deadline::expires_never();
}

void Stream::expired() {
    timed_out_ = true;
    ErrorCode ignored;
    socket_.cancel(ignored);
}

std::unexpected<Failure> Stream::failure(const ErrorCode& error) const {
    if (timed_out_) return std::unexpected(Failure{Failure::Kind::timed_out, "timed out"});
    return std::unexpected(to_failure(error));
}

Stream::tcp::endpoint Stream::local() const noexcept {
    ErrorCode ignored;
    return socket_.local_endpoint(ignored);
}

Stream::awaitable<Result<void>> Stream::connect(tcp::endpoint endpoint) {
    if (timed_out_) co_return failure({});
    auto [error] = co_await socket_.async_connect(endpoint, use_tuple);
    if (error) {
        auto result = failure(error);
        close();
        co_return result;
    }
    remote_ = endpoint;
    ErrorCode ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    socket_.non_blocking(true, ignored);
    co_return Result<void>{};
}

Stream::awaitable<Result<std::size_t>> Stream::read_some(std::span<char> into) {
    if (timed_out_) co_return failure({});
    const auto buffer = asio::buffer(into.data(), into.size());
    auto [error, count] = tls_ ? co_await tls_->async_read_some(buffer, use_tuple)
                               : co_await socket_.async_read_some(buffer, use_tuple);
    if (count > 0) co_return count;
    co_return failure(error);
}

Stream::awaitable<Result<void>> Stream::write(std::string_view octets) {
    while (!octets.empty()) {
        if (timed_out_) co_return failure({});
        if (!tls_) {
            // Nearly always the socket has room; a direct call spares a pass through the reactor.
            ErrorCode error;
            const auto sent = socket_.write_some(asio::buffer(octets), error);
            octets.remove_prefix(sent);
            if (!error) continue;
            if (error != asio::error::would_block) co_return failure(error);
        }
        const auto buffer = asio::buffer(octets);
        auto [error, count] = tls_ ? co_await tls_->async_write_some(buffer, use_tuple)
                                   : co_await socket_.async_write_some(buffer, use_tuple);
        octets.remove_prefix(count);
        if (error) co_return failure(error);
    }
    co_return Result<void>{};
}

Stream::awaitable<Result<void>> Stream::write(std::span<const std::string_view> pieces) {
    if (!tls_ && !timed_out_) {
        boost::container::small_vector<asio::const_buffer, 8> buffers;
        std::size_t total = 0;
        for (const auto piece : pieces) {
            buffers.emplace_back(piece.data(), piece.size());
            total += piece.size();
        }
        ErrorCode error;
        std::size_t sent = socket_.write_some(buffers, error);
        if (error && error != asio::error::would_block) co_return failure(error);
        if (sent == total) co_return Result<void>{};
        for (auto piece : pieces) {
            const auto skipped = std::min(sent, piece.size());
            sent -= skipped;
            auto written = co_await write(piece.substr(skipped));
            if (!written) co_return written;
        }
        co_return Result<void>{};
    }
    std::string joined;
    for (const auto piece : pieces) joined += piece;
    co_return co_await write(std::string_view(joined));
}

Failure Stream::handshake_failure(const ErrorCode& error) const {
    if (timed_out_) return {Failure::Kind::timed_out, "timed out during the TLS handshake"};
    if (SSL* ssl = tls_->native_handle(); (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) != 0) {
        if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK)
            return {Failure::Kind::certificate, X509_verify_cert_error_string(verdict)};
    }
    auto result = to_failure(error);
    if (result.kind == Failure::Kind::closed)
        result.text = "connection closed by the peer during the TLS handshake";
    return result;
}

Stream::awaitable<Result<void>> Stream::handshake(std::shared_ptr<TlsServer> server) {
    tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, server->context());
    tls_context_ = std::move(server);
    auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, use_tuple);
    if (error || timed_out_) co_return std::unexpected(handshake_failure(error));
    co_return Result<void>{};
}

Stream::awaitable<Result<void>> Stream::handshake(std::shared_ptr<TlsClient> client,
                                                  std::string host) {
    tls_ = std::make_unique<asio::ssl::stream<tcp::socket&>>(socket_, client->context());
    prepare_verification(tls_->native_handle(), *client, host);
    const auto& options = *client;
    tls_context_ = client;
    auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::client, use_tuple);
    if (error || timed_out_) co_return std::unexpected(handshake_failure(error));
    if (auto problem = check_fingerprint(tls_->native_handle(), options); !problem.empty())
        co_return std::unexpected(Failure{Failure::Kind::certificate, std::move(problem)});
    co_return Result<void>{};
}

std::string Stream::cipher() const {
    if (!tls_) return {};
    SSL* ssl = tls_->native_handle();
    return std::string(SSL_get_version(ssl)) + " " + SSL_get_cipher_name(ssl);
}

Stream::awaitable<void> Stream::shutdown() {
    if (tls_ && is_open() && !timed_out_) {
        expires_after(std::chrono::seconds(1));
        co_await tls_->async_shutdown(use_tuple);
    }
    close();
}

void Stream::close() noexcept {
    Deadline::expires_never();
    ErrorCode ignored;
    socket_.close(ignored);
}

bool Stream::idle_and_healthy() noexcept {
    if (!is_open()) return false;
    char octet = 0;
    const auto n = ::recv(socket_.native_handle(), &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    // TLS 1.3 session tickets may still wait to be read: octets on an encrypted stream say nothing.
    if (n > 0) return encrypted();
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace outpost::net

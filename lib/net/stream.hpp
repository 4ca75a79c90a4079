#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/deadline.hpp"
#include "net/failure.hpp"
#include "net/tls_context.hpp"

namespace outpost::net {

template <class T>
using Result = std::expected<T, Failure>;

/// A TCP connection, plain or TLS, as one type, with one deadline for whatever is under way. Used
/// by one coroutine at a time, on the thread of `context`. Not movable: what is pending points to
/// it. Set a deadline before the first operation; after it passes every operation fails with
/// timed_out until it is set again.
class Stream final : private Deadline {
  public:
    using tcp = boost::asio::ip::tcp;
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    /// An unconnected stream, for connect().
    explicit Stream(boost::asio::io_context& context);
    /// Takes a socket of that context, accepted by one of listener.hpp.
    Stream(boost::asio::io_context& context, tcp::socket socket);
    ~Stream() override = default;

    /// Everything from now on must be done within `duration`, until set again.
    void expires_after(std::chrono::steady_clock::duration duration);
    void expires_never() noexcept;

    awaitable<Result<void>> connect(tcp::endpoint endpoint);
    /// At least one octet, or a failure; `closed` at the end of the stream.
    awaitable<Result<std::size_t>> read_some(std::span<char> into);
    /// All of it. One system call where the socket has room; TLS copies pieces into one record.
    awaitable<Result<void>> write(std::string_view octets);
    awaitable<Result<void>> write(std::span<const std::string_view> pieces);

    /// From here on the stream is encrypted. The caller has made sure that no plain-text octets
    /// are left over. The stream keeps `server` or `client` alive.
    awaitable<Result<void>> handshake(std::shared_ptr<TlsServer> server);
    awaitable<Result<void>> handshake(std::shared_ptr<TlsClient> client, std::string host);

    /// Says close_notify where encrypted, then closes. Within a second.
    awaitable<void> shutdown();
    /// At once; what is pending fails with `cancelled`.
    void close() noexcept;

    [[nodiscard]] bool is_open() const noexcept { return socket_.is_open(); }
    [[nodiscard]] bool encrypted() const noexcept { return tls_ != nullptr; }
    /// `TLSv1.3 TLS_AES_256_GCM_SHA384`; empty if plain.
    [[nodiscard]] std::string cipher() const;
    [[nodiscard]] tcp::endpoint remote() const noexcept { return remote_; }
    [[nodiscard]] tcp::endpoint local() const noexcept;
    [[nodiscard]] boost::asio::any_io_executor executor() { return socket_.get_executor(); }
    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
    /// An idle connection that the peer has closed or written to is not usable any more. One
    /// non-blocking system call.
    [[nodiscard]] bool idle_and_healthy() noexcept;

  private:
    void expired() override;
    [[nodiscard]] std::unexpected<Failure> failure(const boost::system::error_code& error) const;
    [[nodiscard]] Failure handshake_failure(const boost::system::error_code& error) const;

    boost::asio::io_context& context_;
    tcp::socket socket_;
    tcp::endpoint remote_;
    std::unique_ptr<boost::asio::ssl::stream<tcp::socket&>> tls_;
    std::shared_ptr<void> tls_context_;
    bool timed_out_ = false;
};

}  // namespace outpost::net

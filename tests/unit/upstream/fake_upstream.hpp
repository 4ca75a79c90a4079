#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/stream.hpp"
#include "net/tls_context.hpp"

namespace outpost::upstream::test {

/// One connection as the server plays it, step by step:
///   `S: text`   a reply line; lines in a row leave in one write
///   `C: text`   the client must send this line
///   `BODY`      reads up to CRLF.CRLF; kept in bodies() as it came
///   `CHUNK n`   reads n octets; kept in bodies()
///   `TLS`       the server's side of the handshake
///   `RAW text`  writes this as it is
///   `RESET`     ends the connection with RST
///   `GONE`      the client must end the connection
/// At its end the connection is closed.
using Script = std::vector<std::string>;

/// A scripted SMTP server on 127.0.0.1, on the same io_context as what is tested. Each connection
/// plays the next script; one that comes without a script, or out of step, is an error.
class FakeUpstream {
  public:
    explicit FakeUpstream(boost::asio::io_context& context,
                          std::shared_ptr<net::TlsServer> tls = nullptr);
    ~FakeUpstream();

    void expect(Script script) { scripts_.push_back(std::move(script)); }
    [[nodiscard]] std::uint16_t port() const;
    /// Stops listening: connections are refused from now on.
    void stop();

    [[nodiscard]] const std::vector<std::string>& bodies() const noexcept { return state_->bodies; }
    /// Connections that were accepted.
    [[nodiscard]] std::size_t connections() const noexcept { return state_->connections; }
    /// What did not go by the scripts; empty if all is well.
    [[nodiscard]] std::string problems() const;

  private:
    struct State {
        std::vector<std::string> bodies;
        std::vector<std::string> problems;
        std::size_t connections = 0;
    };
    struct Peer;

    static boost::asio::awaitable<void> serve(std::shared_ptr<Peer> peer);
    boost::asio::awaitable<void> accept();

    boost::asio::io_context& context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    std::shared_ptr<net::TlsServer> tls_;
    std::deque<Script> scripts_;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A certificate for `localhost`, made anew, and the lower-case hex SHA-256 of its DER form.
struct SelfSigned {
    std::shared_ptr<net::TlsServer> server;
    std::string sha256;
};
[[nodiscard]] SelfSigned make_self_signed();

}  // namespace outpost::upstream::test

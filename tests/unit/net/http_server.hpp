#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"
#include "net/spawn.hpp"
#include "net/stream.hpp"

namespace outpost::test {

struct SeenRequest {
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    std::size_t connection = 0;  ///< 1 for the first one
};

/// An answer's octets.
inline std::string http_answer(int status, std::string_view body,
                               const std::vector<std::string>& fields = {}) {
    auto text = "HTTP/1.1 " + std::to_string(status) + " x\r\n";
    for (const auto& field : fields) text += field + "\r\n";
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    return text.append(body);
}

/// A scripted HTTP/1.1 server on 127.0.0.1, on the same io_context as what is tested. It reads
/// whole requests; `script` says the octets to answer with. "" closes the connection, nothing
/// leaves the request without an answer; after an answer with `Connection: close` it is closed too.
class HttpServer {
  public:
    using Script = std::function<std::optional<std::string>(const SeenRequest&)>;

    HttpServer(boost::asio::io_context& context, Script script,
               std::shared_ptr<net::TlsServer> tls = nullptr)
        : state_(std::make_shared<State>(context, std::move(script), std::move(tls))) {
        net::spawn(context.get_executor(), accept(state_), "test server");
    }
    ~HttpServer() { stop(); }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return state_->port; }
    [[nodiscard]] std::string url(std::string_view host = "127.0.0.1") const {
        return (state_->tls ? "https://" : "http://") + std::string(host) + ":" +
               std::to_string(port());
    }
    [[nodiscard]] const std::vector<SeenRequest>& seen() const { return state_->seen; }
    [[nodiscard]] std::size_t connections() const { return state_->connections; }
    /// Requests that ended before they were whole.
    [[nodiscard]] std::size_t fragments() const { return state_->fragments; }
    void script(Script script) { state_->script = std::move(script); }
    /// Stops listening.
    void stop() {
        boost::system::error_code ignored;
        state_->acceptor.close(ignored);
    }

  private:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    using tcp = boost::asio::ip::tcp;

    struct State {
        boost::asio::io_context& context;
        Script script;
        std::shared_ptr<net::TlsServer> tls;
        tcp::acceptor acceptor;
        std::uint16_t port;
        std::vector<SeenRequest> seen{};
        std::size_t connections = 0;
        std::size_t fragments = 0;

        State(boost::asio::io_context& io, Script what, std::shared_ptr<net::TlsServer> server)
            : context(io),
              script(std::move(what)),
              tls(std::move(server)),
              acceptor(io, {boost::asio::ip::address_v4::loopback(), 0}),
              port(acceptor.local_endpoint().port()) {}
    };

    static awaitable<void> accept(std::shared_ptr<State> state) {
        for (;;) {
            boost::system::error_code error;
            auto socket = co_await state->acceptor.async_accept(
                boost::asio::redirect_error(boost::asio::use_awaitable, error));
            if (error) co_return;
            net::spawn(state->context.get_executor(),
                       serve(state, std::move(socket), ++state->connections), "test connection");
        }
    }

    static awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket,
                                 std::size_t connection) {
        net::Stream stream(state->context, std::move(socket));
        stream.expires_after(std::chrono::minutes(1));
        if (state->tls)
            if (const auto done = co_await stream.handshake(state->tls); !done) co_return;
        std::string input;
        for (;;) {
            auto request = co_await read(stream, input);
            if (!request) {
                if (!input.empty()) ++state->fragments;
                co_return;
            }
            request->connection = connection;
            state->seen.push_back(*request);
            const auto script = state->script;  // it may be replaced by what it calls
            const auto answer = script(*request);
            if (!answer) {
                (void)co_await read(stream, input);
                co_return;
            }
            if (!answer->empty())
                if (const auto done = co_await stream.write(*answer); !done) co_return;
            if (answer->empty() || answer->find("Connection: close\r\n") != std::string::npos) {
                co_await stream.shutdown();
                co_return;
            }
        }
    }

    static awaitable<bool> fill(net::Stream& stream, std::string& input) {
        std::array<char, 16384> buffer{};
        const auto count = co_await stream.read_some(buffer);
        if (!count) co_return false;
        input.append(buffer.data(), *count);
        co_return true;
    }

    static awaitable<std::optional<SeenRequest>> read(net::Stream& stream, std::string& input) {
        std::size_t end = 0;
        while ((end = input.find("\r\n\r\n")) == std::string::npos)
            if (const bool more = co_await fill(stream, input); !more) co_return std::nullopt;
        auto request = parse(std::string_view(input).substr(0, end));
        std::size_t size = 0;
        const auto& length = request.headers["content-length"];
        std::from_chars(length.data(), length.data() + length.size(), size);
        end += 4;
        while (input.size() < end + size)
            if (const bool more = co_await fill(stream, input); !more) co_return std::nullopt;
        request.body = input.substr(end, size);
        input.erase(0, end + size);
        co_return request;
    }

    static SeenRequest parse(std::string_view head) {
        SeenRequest request;
        const auto first = head.substr(0, head.find("\r\n"));
        const auto space = first.find(' ');
        request.method = first.substr(0, space);
        request.target = first.substr(space + 1, first.rfind(' ') - space - 1);
        while (head.find("\r\n") != std::string_view::npos) {
            head.remove_prefix(head.find("\r\n") + 2);
            const auto line = head.substr(0, head.find("\r\n"));
            const auto colon = line.find(':');
            request.headers[base::to_lower(line.substr(0, colon))] =
                base::trim(line.substr(colon + 1));
        }
        return request;
    }

    std::shared_ptr<State> state_;
};

}  // namespace outpost::test

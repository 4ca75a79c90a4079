#include "control/http_server.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <chrono>
#include <filesystem>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "net/spawn.hpp"

namespace outpost::control {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr auto token = asio::as_tuple(asio::use_awaitable);
/// A request that is slower, or a connection that says nothing for as long, is ended.
constexpr std::chrono::minutes idle_limit{2};
/// The largest message that `route --file` may show us.
constexpr std::uint64_t most_octets = 32ULL << 20;

Response error_response(unsigned status, std::string_view words) {
    return {.status = status,
            .content_type = "text/plain; charset=utf-8",
            .body = fmt::format("{}\n", words)};
}

/// Nothing if the target is no path.
std::optional<Request> read_target(std::string_view method, std::string_view target) {
    const auto url = boost::urls::parse_origin_form(target);
    if (!url) return std::nullopt;
    Request request;
    request.method = method;
    request.path = url->path();
    for (const auto& param : url->params()) request.query[param.key] = param.value;
    return request;
}

/// -1 where it is no UNIX socket.
std::int64_t peer_uid(int socket) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    const bool known = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    return known && peer.uid != static_cast<uid_t>(-1) ? static_cast<std::int64_t>(peer.uid) : -1;
}

template <class Protocol>
class Server final : public HttpServer, public std::enable_shared_from_this<Server<Protocol>> {
  public:
    using Acceptor = asio::basic_socket_acceptor<Protocol>;
    using Stream = beast::basic_stream<Protocol>;

    Server(Acceptor acceptor, Handler handler, std::string path)
        : acceptor_(std::move(acceptor)), handler_(std::move(handler)), path_(std::move(path)) {}

    void start() {
        net::spawn(acceptor_.get_executor(), accept(this->shared_from_this()), "control");
    }

    void stop() override {
        error_code ignored;
        acceptor_.close(ignored);
        for (Stream* stream : streams_) stream->cancel();
        if (!path_.empty()) ::unlink(path_.c_str());
    }

    [[nodiscard]] std::uint16_t port() const override {
        if constexpr (std::is_same_v<Protocol, asio::ip::tcp>) {
            return acceptor_.local_endpoint().port();
        } else {
            return 0;
        }
    }

  private:
    static asio::awaitable<void> accept(std::shared_ptr<Server> self) {
        while (self->acceptor_.is_open()) {
            auto [error, socket] = co_await self->acceptor_.async_accept(token);
            if (error == asio::error::operation_aborted || !self->acceptor_.is_open()) break;
            if (error) {
                base::log::warning("control", {{"reason", error.message()}});
                asio::steady_timer pause(self->acceptor_.get_executor(), std::chrono::seconds(1));
                co_await pause.async_wait(token);
                continue;
            }
            net::spawn(self->acceptor_.get_executor(), serve(self, std::move(socket)), "control");
        }
    }

    static asio::awaitable<void> serve(std::shared_ptr<Server> self,
                                       typename Protocol::socket socket) {
        Stream stream(std::move(socket));
        self->streams_.insert(&stream);
        const std::int64_t uid = peer_uid(stream.socket().native_handle());
        beast::flat_buffer buffer;
        while (self->acceptor_.is_open()) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(most_octets);
            stream.expires_after(idle_limit);
            auto [read_error, size] = co_await http::async_read(stream, buffer, parser, token);
            if (read_error == http::error::body_limit) {
                co_await reply(stream, error_response(413, "the request is too large"), false);
                break;
            }
            if (read_error) break;
            const bool keep = parser.get().keep_alive();
            const Response response = co_await self->answer(parser.release(), uid);
            stream.expires_after(idle_limit);
            if (!co_await reply(stream, response, keep) || !keep) break;
        }
        self->streams_.erase(&stream);
    }

    asio::awaitable<Response> answer(http::request<http::string_body> message, std::int64_t uid) {
        auto request = read_target(std::string_view(message.method_string()),
                                   std::string_view(message.target()));
        if (!request) co_return error_response(400, "the request names no path");
        request->body = std::move(message.body());
        request->uid = uid;
        std::string fault;
        try {
            co_return co_await handler_(*request);
        } catch (const std::exception& e) {
            fault = e.what();
        }
        base::log::error("internal error",
                         {{"in", "control"}, {"path", request->path}, {"what", fault}});
        co_return error_response(500, "an internal error; the log has it");
    }

    static asio::awaitable<bool> reply(Stream& stream, const Response& response, bool keep) {
        http::response<http::string_body> message;
        message.result(response.status);
        message.version(11);
        message.keep_alive(keep);
        message.set(http::field::content_type, response.content_type);
        message.set(http::field::cache_control, "no-store");
        message.body() = response.body;
        message.prepare_payload();
        auto [error, size] = co_await http::async_write(stream, message, token);
        co_return !error;
    }

    Acceptor acceptor_;
    Handler handler_;
    std::string path_;
    std::set<Stream*> streams_;
};

/// Stops a shared server when the handle that its owner has goes.
class Handle final : public HttpServer {
  public:
    explicit Handle(std::shared_ptr<HttpServer> server) : server_(std::move(server)) {}
    ~Handle() override { server_->stop(); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    void stop() override { server_->stop(); }
    [[nodiscard]] std::uint16_t port() const override { return server_->port(); }

  private:
    std::shared_ptr<HttpServer> server_;
};

template <class Protocol>
std::unique_ptr<HttpServer> start(typename Server<Protocol>::Acceptor acceptor,
                                  HttpServer::Handler handler, std::string path) {
    auto server = std::make_shared<Server<Protocol>>(std::move(acceptor), std::move(handler),
                                                     std::move(path));
    server->start();
    return std::make_unique<Handle>(std::move(server));
}

/// Whether a socket file is left over from a process that has ended.
bool is_stale(const asio::any_io_executor& executor, const std::string& path) {
    asio::local::stream_protocol::socket probe(executor);
    error_code error;
    probe.connect(asio::local::stream_protocol::endpoint(path), error);
    return error == asio::error::connection_refused;
}

}  // namespace

std::expected<std::unique_ptr<HttpServer>, std::string> HttpServer::at_path(
    asio::any_io_executor executor, const std::string& path, Handler handler) {
    using Protocol = asio::local::stream_protocol;
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (path.size() > longest)
        return std::unexpected(
            fmt::format("\"{}\" is longer than the {} octets that a socket's "
                        "path may have",
                        path, longest));
    std::error_code made;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), made);
    struct stat info{};
    if (::lstat(path.c_str(), &info) == 0) {
        if (!S_ISSOCK(info.st_mode))
            return std::unexpected(fmt::format("\"{}\" is there and is no socket", path));
        if (!is_stale(executor, path))
            return std::unexpected(fmt::format(
                "another process listens at \"{}\"; stop it or name another path", path));
        ::unlink(path.c_str());
    }
    asio::basic_socket_acceptor<Protocol> acceptor(executor);
    error_code error;
    acceptor.open(Protocol(), error);
    if (!error) acceptor.bind(Protocol::endpoint(path), error);
    // Until it listens nobody can connect, whatever the umask made of its mode.
    if (!error && ::chmod(path.c_str(), 0660) != 0)
        error = error_code(errno, boost::system::system_category());
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        return std::unexpected(fmt::format("cannot listen at \"{}\": {}", path, error.message()));
    return start<Protocol>(std::move(acceptor), std::move(handler), path);
}

std::expected<std::unique_ptr<HttpServer>, std::string> HttpServer::at_address(
    asio::any_io_executor executor, const std::string& address, Handler handler) {
    using Protocol = asio::ip::tcp;
    const std::size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    error_code error;
    const auto ip = asio::ip::make_address(host, error);
    unsigned number = 0;
    try {
        number = static_cast<unsigned>(std::stoul(address.substr(colon + 1)));
    } catch (const std::exception&) {
        error = asio::error::invalid_argument;
    }
    asio::basic_socket_acceptor<Protocol> acceptor(executor);
    const Protocol::endpoint endpoint(ip, static_cast<std::uint16_t>(number));
    if (!error) acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
        return std::unexpected(fmt::format("cannot listen at {}: {}", address, error.message()));
    return start<Protocol>(std::move(acceptor), std::move(handler), "");
}

}  // namespace outpost::control

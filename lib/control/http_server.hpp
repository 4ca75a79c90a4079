#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace outpost::control {

struct Request {
    std::string method;  ///< GET, POST, ...
    std::string path;    ///< decoded, without the query
    std::map<std::string, std::string, std::less<>> query;
    std::string body;
    std::int64_t uid = -1;  ///< of the process at the other end of a UNIX socket; -1: not known
};

struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
};

/// A small HTTP/1.1 server for operators: on a UNIX socket, or on a TCP address for metrics. One
/// coroutine a connection; connections are kept, time and size of a request are limited.
class HttpServer {
  public:
    using Handler = std::function<boost::asio::awaitable<Response>(const Request&)>;

    /// Listens at a path, with mode 0660. A socket file that nobody listens at is replaced; the
    /// error says what stands in the way. The file goes with the server.
    static std::expected<std::unique_ptr<HttpServer>, std::string> at_path(
        boost::asio::any_io_executor executor, const std::string& path, Handler handler);
    /// Listens at `ADDRESS:PORT`, such as 127.0.0.1:8025 or [::1]:8025.
    static std::expected<std::unique_ptr<HttpServer>, std::string> at_address(
        boost::asio::any_io_executor executor, const std::string& address, Handler handler);

    virtual ~HttpServer() = default;
    /// Takes no more connections and ends those that there are. On the executor.
    virtual void stop() = 0;
    /// The port; 0 at a path.
    [[nodiscard]] virtual std::uint16_t port() const = 0;
};

}  // namespace outpost::control

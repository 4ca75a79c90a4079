#include "control/client.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/url.hpp>
#include <limits>

namespace outpost::control {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

std::string explain(const std::string& socket, const error_code& error) {
    if (error == boost::system::errc::no_such_file_or_directory ||
        error == asio::error::connection_refused)
        return fmt::format(
            "nobody listens at {}; is outpostd running, and is this its "
            "control.socket (--socket PATH)?",
            socket);
    if (error == boost::system::errc::permission_denied)
        return fmt::format(
            "{} is not open to you; run this as root or as a member of the group "
            "that owns it",
            socket);
    return fmt::format("{}: {}", socket, error.message());
}

}  // namespace

std::expected<Answer, std::string> call(const std::string& socket, std::string_view method,
                                        std::string_view path, const Query& query,
                                        std::string body) {
    boost::urls::url target;
    target.set_path(path);
    for (const auto& [key, value] : query) target.params().append({key, value});
    asio::io_context context;
    asio::local::stream_protocol::socket connection(context);
    error_code error;
    if (socket.size() >= sizeof(sockaddr_un::sun_path))
        return std::unexpected(fmt::format("{} is too long for a socket's path", socket));
    connection.connect(asio::local::stream_protocol::endpoint(socket), error);
    if (error) return std::unexpected(explain(socket, error));

    http::request<http::string_body> request;
    request.method_string(method);
    request.target(target.buffer());
    request.version(11);
    request.set(http::field::host, "outpostd");
    request.body() = std::move(body);
    request.prepare_payload();
    http::write(connection, request, error);
    if (error) return std::unexpected(explain(socket, error));
    boost::beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    http::read(connection, buffer, parser, error);
    if (error)
        return std::unexpected(fmt::format(
            "outpostd ended the connection before it had answered: {}", error.message()));
    return Answer{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace outpost::control

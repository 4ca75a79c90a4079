#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <string>

#include "net/http.hpp"

namespace outpost::net {

/// HTTP calls through libcurl's multi interface on one io_context: HTTP/2 where the server speaks
/// it and the request allows it, connections kept and reused, certificates always verified,
/// redirects never followed (they would carry a key elsewhere). Used on its executor only; any
/// number of calls at once.
class HttpClient {
  public:
    struct Settings {
        std::string proxy;      ///< URL; empty: none. The environment's *_proxy is not looked at
        std::string ca_bundle;  ///< PEM file; empty: the system's
        std::string user_agent = "outpost";
        std::chrono::milliseconds connect_timeout = std::chrono::seconds(30);
        std::chrono::milliseconds total_timeout = std::chrono::minutes(5);
        std::size_t max_body = 1 << 20;    ///< octets of an answer's body that are kept
        std::size_t max_connections = 20;  ///< to one host; more calls wait for one
    };
    struct Result {
        std::expected<HttpResponse, HttpFailure> answer;
        HttpStages stages;
    };

    HttpClient(boost::asio::io_context& context, Settings settings);
    /// Ends what is under way: those calls return a failure.
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    /// Never throws for anything the peer or the network does. A cancelled call is aborted.
    boost::asio::awaitable<Result> call(HttpRequest request);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace outpost::net

#pragma once

#include <curl/curl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>

namespace outpost::net {

/// libcurl's multi interface on an io_context: curl says which descriptors and what time it waits
/// for, Asio does the waiting. Used on the io_context's thread.
class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
  public:
    /// Called when a transfer has ended, with its handle, which is not part of the multi any more.
    using Ended = std::function<void(CURL*, CURLcode)>;

    CurlMulti(boost::asio::io_context& context, std::size_t connections_per_host, Ended ended);
    ~CurlMulti();
    CurlMulti(const CurlMulti&) = delete;
    CurlMulti& operator=(const CurlMulti&) = delete;

    /// The transfer begins once the caller is back in the io_context.
    [[nodiscard]] CURLMcode add(CURL* transfer);
    /// Ends a transfer that has not ended by itself; `Ended` is not called. Not from `Ended`.
    void remove(CURL* transfer);

  private:
    struct Socket;

    static int on_socket(CURL* transfer, curl_socket_t socket, int what, void* self, void* ignored);
    static int on_timer(CURLM* multi, long milliseconds, void* self);

    void watch(curl_socket_t number, int what);
    void arm(curl_socket_t number, const std::shared_ptr<Socket>& socket);
    void wait(curl_socket_t number, const std::shared_ptr<Socket>& socket, int side);
    void act(curl_socket_t number, int ready);

    boost::asio::io_context& context_;
    Ended ended_;
    boost::asio::steady_timer timer_;
    std::map<curl_socket_t, std::shared_ptr<Socket>> sockets_;
    CURLM* multi_;
};

}  // namespace outpost::net

#include "net/curl_multi.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <new>
#include <utility>

namespace outpost::net {

namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using asio::posix::stream_descriptor;

/// Once a process, before any handle; curl counts.
void initialize_curl() {
    static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (done != CURLE_OK) throw std::bad_alloc();
}

}  // namespace

/// A descriptor of curl's. Shared with handlers that may run after curl has closed it.
struct CurlMulti::Socket {
    stream_descriptor descriptor;
    int wanted = 0;   ///< CURL_POLL_IN, CURL_POLL_OUT or both
    int waiting = 0;  ///< for which of them a wait is under way

    explicit Socket(asio::io_context& context) : descriptor(context) {}
    ~Socket() { release(); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;

    /// Takes it out of the reactor; closing it is curl's part.
    void release() {
        wanted = 0;
        if (descriptor.is_open()) descriptor.release();
    }
};

CurlMulti::CurlMulti(asio::io_context& context, std::size_t connections_per_host, Ended ended)
    : context_(context), ended_(std::move(ended)), timer_(context) {
    initialize_curl();
    multi_ = curl_multi_init();
    if (multi_ == nullptr) throw std::bad_alloc();
    const auto connections = static_cast<long>(std::max<std::size_t>(connections_per_host, 1));
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &CurlMulti::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &CurlMulti::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, connections);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, connections);
}

CurlMulti::~CurlMulti() {
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, nullptr);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, nullptr);
    for (const auto& [number, socket] : sockets_) socket->release();
    curl_multi_cleanup(multi_);
}

CURLMcode CurlMulti::add(CURL* transfer) {
    return curl_multi_add_handle(multi_, transfer);
}

void CurlMulti::remove(CURL* transfer) {
    curl_multi_remove_handle(multi_, transfer);
}

int CurlMulti::on_socket(CURL* /*transfer*/, curl_socket_t socket, int what, void* self,
                         void* /*ignored*/) {
    static_cast<CurlMulti*>(self)->watch(socket, what);
    return 0;
}

int CurlMulti::on_timer(CURLM* /*multi*/, long milliseconds, void* self) {
    auto& multi = *static_cast<CurlMulti*>(self);
    if (milliseconds < 0) {
        multi.timer_.cancel();
        return 0;
    }
    multi.timer_.expires_after(std::chrono::milliseconds(milliseconds));
    multi.timer_.async_wait([weak = multi.weak_from_this()](const ErrorCode& error) {
        if (error) return;
        if (const auto living = weak.lock()) living->act(CURL_SOCKET_TIMEOUT, 0);
    });
    return 0;
}

void CurlMulti::watch(curl_socket_t number, int what) {
    auto found = sockets_.find(number);
    if (what == CURL_POLL_REMOVE) {
        if (found == sockets_.end()) return;
        found->second->release();
        sockets_.erase(found);
        return;
    }
    if (found == sockets_.end()) {
        auto socket = std::make_shared<Socket>(context_);
        ErrorCode error;
        // Without a place in the reactor the transfer's time limit ends it.
        socket->descriptor.assign(number, error);
        if (error) return;
        found = sockets_.emplace(number, std::move(socket)).first;
    }
    found->second->wanted = what;
    arm(number, found->second);
}

void CurlMulti::arm(curl_socket_t number, const std::shared_ptr<Socket>& socket) {
    for (const int side : {CURL_POLL_IN, CURL_POLL_OUT})
        if ((socket->wanted & side) != 0 && (socket->waiting & side) == 0)
            wait(number, socket, side);
}

void CurlMulti::wait(curl_socket_t number, const std::shared_ptr<Socket>& socket, int side) {
    const bool in = side == CURL_POLL_IN;
    socket->waiting |= side;
    socket->descriptor.async_wait(
        in ? stream_descriptor::wait_read : stream_descriptor::wait_write,
        [weak = weak_from_this(), number, socket, side, in](const ErrorCode& error) {
            socket->waiting &= ~side;
            if (error == asio::error::operation_aborted || (socket->wanted & side) == 0) return;
            const auto living = weak.lock();
            if (!living) return;
            const int ready = in ? CURL_CSELECT_IN : CURL_CSELECT_OUT;
            living->act(number, error ? CURL_CSELECT_ERR : ready);
            if (!error) living->arm(number, socket);
        });
}

void CurlMulti::act(curl_socket_t number, int ready) {
    int running = 0;
    curl_multi_socket_action(multi_, number, ready, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        // The message goes with the transfer.
        CURL* const transfer = message->easy_handle;
        const CURLcode code = message->data.result;
        curl_multi_remove_handle(multi_, transfer);
        ended_(transfer, code);
    }
}

}  // namespace outpost::net

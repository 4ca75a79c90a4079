#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>

namespace outpost::test {

/// A client on a blocking loopback socket that gives up after ten seconds of silence.
class TestClient {
  public:
    explicit TestClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval limit{.tv_sec = 10, .tv_usec = 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
                  0);
    }
    ~TestClient() { close(); }
    TestClient(const TestClient&) = delete;
    TestClient& operator=(const TestClient&) = delete;

    void send(std::string_view octets) {
        while (!octets.empty()) {
            const auto n =
                ssl_ ? SSL_write(ssl_.get(), octets.data(), static_cast<int>(octets.size()))
                     : ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
            if (n <= 0) return;
            octets.remove_prefix(static_cast<std::size_t>(n));
        }
    }
    void send_line(std::string_view line) { send(std::string(line) + "\r\n"); }

    /// The next line without its CRLF; `<closed>` at the end of the connection, `<silence>` if
    /// nothing comes.
    std::string read_line() {
        for (;;) {
            if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
                auto line = buffer_.substr(0, end);
                buffer_.erase(0, end + 2);
                return line;
            }
            if (const auto problem = read_more(); !problem.empty()) return problem;
        }
    }
    /// A whole reply, its lines joined with `\n`.
    std::string read_reply() {
        std::string reply = read_line();
        std::string last = reply;
        while (last.size() > 3 && last[3] == '-') {
            last = read_line();
            reply += "\n" + last;
        }
        return reply;
    }
    std::string ask(std::string_view line) {
        send_line(line);
        return read_reply();
    }
    /// One read: what arrived together.
    std::string read_burst() {
        if (buffer_.empty()) read_more();
        return std::exchange(buffer_, {});
    }

    /// Whether the handshake succeeded.
    bool start_tls() {
        context_.reset(SSL_CTX_new(TLS_client_method()));
        ssl_.reset(SSL_new(context_.get()));
        SSL_set_fd(ssl_.get(), socket_);
        return SSL_connect(ssl_.get()) == 1;
    }
    /// The same, with these octets in one segment with the ClientHello.
    bool start_tls_behind(std::string_view octets) {
        context_.reset(SSL_CTX_new(TLS_client_method()));
        ssl_.reset(SSL_new(context_.get()));
        BIO* out = BIO_new(BIO_s_mem());
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), out);
        SSL_connect(ssl_.get());
        char hello[4096];
        const int size = BIO_read(out, hello, sizeof(hello));
        std::string segment(octets);
        segment.append(hello, static_cast<std::size_t>(size));
        ::send(socket_, segment.data(), segment.size(), MSG_NOSIGNAL);
        SSL_set_fd(ssl_.get(), socket_);
        return SSL_connect(ssl_.get()) == 1;
    }
    void close() {
        ssl_.reset();
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }

  private:
    struct Free {
        void operator()(SSL* ssl) const { SSL_free(ssl); }
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };

    std::string read_more() {
        char octets[4096];
        const auto n = ssl_ ? SSL_read(ssl_.get(), octets, sizeof(octets))
                            : ::recv(socket_, octets, sizeof(octets), 0);
        if (n > 0) {
            buffer_.append(octets, static_cast<std::size_t>(n));
            return {};
        }
        if (n < 0 && !ssl_ && (errno == EAGAIN || errno == EWOULDBLOCK)) return "<silence>";
        return "<closed>";
    }

    int socket_;
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> ssl_;
    std::string buffer_;
};

}  // namespace outpost::test

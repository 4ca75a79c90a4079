#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <boost/asio/co_spawn.hpp>

#include "net/http_client.hpp"
#include "net/loopback.hpp"
#include "net/spawn.hpp"
#include "net/stream.hpp"

// A server that speaks just enough HTTP/2 (RFC 9113) to take requests and to answer or to break
// off.
namespace outpost::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

enum class Plan : std::uint8_t { answer, close, need_http1 };

enum : char { data = 0, headers = 1, reset = 3, settings = 4, window_update = 8 };
enum : char { end_stream = 1, ack = 1, end_headers = 4 };

std::string number(std::uint32_t value, int octets) {
    std::string text;
    for (int shift = 8 * (octets - 1); shift >= 0; shift -= 8)
        text += static_cast<char>(value >> shift);
    return text;
}

std::string frame(char type, char flags, std::uint32_t stream, const std::string& payload) {
    return number(static_cast<std::uint32_t>(payload.size()), 3) + type + flags +
           number(stream, 4) + payload;
}

std::uint32_t value(std::string_view octets) {
    std::uint32_t result = 0;
    for (const char c : octets) result = result << 8 | static_cast<unsigned char>(c);
    return result;
}

struct Server {
    asio::io_context& context;
    std::shared_ptr<TlsServer> tls;
    tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    Plan plan = Plan::answer;
    std::vector<std::string> bodies{};  ///< of requests that arrived whole
    std::size_t connections = 0;

    asio::awaitable<void> accept() {
        for (;;) {
            auto socket = co_await acceptor.async_accept(asio::use_awaitable);
            ++connections;
            spawn(context.get_executor(), serve(std::move(socket)), "test");
        }
    }
    asio::awaitable<void> serve(tcp::socket socket) {
        Stream stream(context, std::move(socket));
        stream.expires_after(std::chrono::minutes(1));
        if (const auto done = co_await stream.handshake(tls); !done) co_return;
        (void)co_await stream.write(frame(settings, 0, 0, ""));
        std::string input;
        std::map<std::uint32_t, std::string> requests;
        std::size_t at = 24;  // the client's preface
        for (;;) {
            std::array<char, 16384> buffer{};
            const auto count = co_await stream.read_some(buffer);
            if (!count) co_return;
            input.append(buffer.data(), *count);
            while (input.size() >= at + 9) {
                const auto size = value(std::string_view(input).substr(at, 3));
                if (input.size() < at + 9 + size) break;
                const char type = input[at + 3];
                const char flags = input[at + 4];
                const auto id = value(std::string_view(input).substr(at + 5, 4));
                const auto payload = input.substr(at + 9, size);
                at += 9 + size;
                if (type == settings && (flags & ack) == 0)
                    (void)co_await stream.write(frame(settings, ack, 0, ""));
                if (type == data && size > 0) {
                    requests[id] += payload;
                    (void)co_await stream.write(frame(window_update, 0, 0, number(size, 4)) +
                                                frame(window_update, 0, id, number(size, 4)));
                }
                if ((type != data && type != headers) || (flags & end_stream) == 0) continue;
                bodies.push_back(requests[id]);
                if (plan == Plan::close) {
                    stream.close();
                    co_return;
                }
                if (plan == Plan::need_http1)
                    (void)co_await stream.write(frame(reset, 0, id, number(13, 4)));
                else  // 0x88 is `:status: 200` in HPACK's static table
                    (void)co_await stream.write(frame(headers, end_headers, id, "\x88") +
                                                frame(data, end_stream, id, "ok"));
            }
        }
    }
};

int choose_h2(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size,
              const unsigned char* offered, unsigned int offered_size, void* /*self*/) {
    static constexpr unsigned char h2[] = "\x02h2";
    unsigned char* selected = nullptr;
    const int result = SSL_select_next_proto(&selected, size, h2, 3, offered, offered_size);
    *chosen = selected;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

class HttpClientH2Test : public ::testing::Test {
  protected:
    HttpClientH2Test() {
        test::make_certificate(directory_.path(), "localhost");
        const CertificateFiles files{.certificate = (directory_.path() / "localhost.pem").string(),
                                     .key = (directory_.path() / "localhost.key").string()};
        server_.tls = *TlsServer::load({&files, 1}, false);
        SSL_CTX_set_alpn_select_cb(server_.tls->context().native_handle(), &choose_h2, nullptr);
        spawn(context_.get_executor(), server_.accept(), "test");
        client_ = std::make_unique<HttpClient>(
            context_, HttpClient::Settings{.proxy = {},
                                           .ca_bundle = files.certificate,
                                           .connect_timeout = std::chrono::seconds(20),
                                           .total_timeout = std::chrono::seconds(20)});
    }
    HttpRequest request(std::string body) {
        HttpRequest result;
        result.url =
            "https://localhost:" + std::to_string(server_.acceptor.local_endpoint().port());
        result.body = std::move(body);
        return result;
    }
    HttpClient::Result call(std::string body, bool http2 = true) {
        std::optional<HttpClient::Result> result;
        auto asked = request(std::move(body));
        asked.http2 = http2;
        test::run(context_, [&]() -> asio::awaitable<void> {
            result = co_await client_->call(std::move(asked));
        });
        return std::move(*result);
    }

    test::TempDirectory directory_;
    asio::io_context context_;
    Server server_{.context = context_, .tls = nullptr};
    std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientH2Test, SpeaksHttp2WhereTheServerDoes) {
    for (const std::string& body :
         {std::string("first"), std::string(3'000'000, 'l'), std::string("third")}) {
        const auto result = call(body);
        ASSERT_TRUE(result.answer) << result.answer.error().text;
        EXPECT_EQ(result.answer->status, 200);
        EXPECT_EQ(result.answer->body, "ok");
        EXPECT_TRUE(server_.bodies.back() == body);
    }
    EXPECT_EQ(server_.bodies.size(), 3U);
    EXPECT_EQ(server_.connections, 1U);
}

TEST_F(HttpClientH2Test, ManyCallsShareAConnection) {
    ASSERT_TRUE(call("opens it").answer);
    std::size_t ended = 0;
    for (int i = 0; i < 30; ++i)
        asio::co_spawn(context_, client_->call(request(std::string(20'000, 'x'))),
                       [&](const std::exception_ptr&, const HttpClient::Result& result) {
                           EXPECT_TRUE(result.answer) << result.answer.error().text;
                           ++ended;
                       });
    context_.restart();
    while (ended < 30) ASSERT_GT(context_.run_one_for(std::chrono::seconds(30)), 0U);
    EXPECT_EQ(server_.bodies.size(), 31U);
    EXPECT_EQ(server_.connections, 1U);
}

/// The server takes nothing else: no request reaches it, nor over the connection that is open.
TEST_F(HttpClientH2Test, SpeaksHttp1WhereTheRequestWantsIt) {
    ASSERT_TRUE(call("first").answer);
    const auto result = call("second", false);
    ASSERT_FALSE(result.answer);
    EXPECT_FALSE(result.answer.error().request_sent);
    EXPECT_THAT(server_.bodies, testing::ElementsAre("first"));
    EXPECT_EQ(server_.connections, 2U);
    EXPECT_TRUE(call("third").answer);
}

TEST_F(HttpClientH2Test, ARequestThatWasReadWholeIsNeverRepeated) {
    ASSERT_TRUE(call("first").answer);
    server_.plan = Plan::close;
    for (const std::string& body : {std::string("second"), std::string(300'000, 's')}) {
        const auto before = server_.bodies.size();
        const auto result = call(body);
        ASSERT_FALSE(result.answer);
        EXPECT_TRUE(result.answer.error().request_sent);
        ASSERT_EQ(server_.bodies.size(), before + 1);
    }
}

TEST_F(HttpClientH2Test, AnErrorThatAsksForHttp1EndsTheCall) {
    ASSERT_TRUE(call("first").answer);
    server_.plan = Plan::need_http1;
    const auto result = call("second");
    ASSERT_FALSE(result.answer);
    EXPECT_TRUE(result.answer.error().request_sent);
    EXPECT_FALSE(result.answer.error().timed_out);
    EXPECT_EQ(server_.bodies.size(), 2U);
}

}  // namespace
}  // namespace outpost::net

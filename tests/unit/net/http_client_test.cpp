#include "net/http_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <set>

#include "net/http_server.hpp"
#include "net/loopback.hpp"

namespace outpost::net {
namespace {

namespace asio = boost::asio;
using test::http_answer;
using test::HttpServer;
using test::SeenRequest;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class HttpClientTest : public ::testing::Test {
  protected:
    HttpClientTest() {
        settings_.connect_timeout = std::chrono::seconds(20);
        settings_.total_timeout = std::chrono::seconds(20);
    }

    HttpClient& client() {
        if (!client_) client_ = std::make_unique<HttpClient>(context_, settings_);
        return *client_;
    }
    HttpClient::Result call(HttpRequest request) {
        std::optional<HttpClient::Result> result;
        asio::co_spawn(context_, client().call(std::move(request)),
                       [&](const std::exception_ptr& error, HttpClient::Result answer) {
                           EXPECT_FALSE(error);
                           result = std::move(answer);
                       });
        run_until([&] { return result.has_value(); });
        return std::move(*result);
    }
    template <class Condition>
    void run_until(Condition condition) {
        while (!condition()) {
            context_.restart();
            if (context_.run_one_for(std::chrono::seconds(30)) == 0)
                throw std::runtime_error("nothing happened for 30 s");
        }
    }
    static HttpRequest post(std::string url, std::string body) {
        HttpRequest request;
        request.url = std::move(url);
        request.body = std::move(body);
        return request;
    }
    static HttpServer::Script always(std::string answer) {
        return [answer = std::move(answer)](const SeenRequest&) { return answer; };
    }
    std::shared_ptr<TlsServer> tls_server(const std::string& name) {
        test::make_certificate(directory_.path(), name);
        const CertificateFiles files{.certificate = file(name + ".pem"),
                                     .key = file(name + ".key")};
        return *TlsServer::load({&files, 1}, false);
    }
    [[nodiscard]] std::string file(const std::string& name) const {
        return (directory_.path() / name).string();
    }

    test::TempDirectory directory_;
    asio::io_context context_;
    HttpClient::Settings settings_;
    std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, SendsWhatItIsGivenAndReturnsTheAnswer) {
    HttpServer server(
        context_,
        always(http_answer(202, "queued", {"X-Message-Id:  abc ", "X-Twice: 1", "X-Twice: 2"})));
    auto request =
        post(server.url() + "/v3/mail?a=b", "body\0with nul" + std::string(300'000, 'x'));
    request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
    request.secret_headers.emplace_back("Authorization", base::Secret("Bearer geheim"));
    const auto result = call(request);
    ASSERT_TRUE(result.answer) << result.answer.error().text;
    EXPECT_EQ(result.answer->status, 202);
    EXPECT_EQ(result.answer->body, "queued");
    EXPECT_EQ(result.answer->header("x-message-id"), "abc");
    EXPECT_EQ(result.answer->header("x-twice"), "1");
    EXPECT_EQ(result.answer->header("x-none"), std::nullopt);
    EXPECT_THAT(result.answer->headers,
                ElementsAre(Pair("x-message-id", "abc"), Pair("x-twice", "1"), Pair("x-twice", "2"),
                            Pair("content-length", "6")));
    EXPECT_FALSE(result.answer->truncated);
    ASSERT_EQ(server.seen().size(), 1U);
    const auto& seen = server.seen().front();
    EXPECT_EQ(seen.method, "POST");
    EXPECT_EQ(seen.target, "/v3/mail?a=b");
    EXPECT_EQ(seen.body, request.body);
    auto host = "127.0.0.1:" + std::to_string(server.port());
    EXPECT_THAT(seen.headers,
                ElementsAre(Pair("accept", "*/*"), Pair("authorization", "Bearer geheim"),
                            Pair("content-length", std::to_string(request.body.size())),
                            Pair("content-type", "application/json"), Pair("host", host),
                            Pair("user-agent", "outpost"), Pair("x-empty", "")));
    EXPECT_EQ(result.stages.remote, "[127.0.0.1]:" + std::to_string(server.port()));
    EXPECT_GT(result.stages.connect.count(), 0);
    EXPECT_EQ(result.stages.tls.count(), 0);
    EXPECT_GT(result.stages.transfer.count(), 0);
    EXPECT_FALSE(result.stages.reused);
}

TEST_F(HttpClientTest, MethodsOtherThanPostWork) {
    HttpServer server(context_, always(http_answer(200, "token")));
    for (const char* method : {"GET", "PUT", "DELETE"}) {
        HttpRequest request;
        request.method = method;
        request.url = server.url() + "/latest";
        EXPECT_EQ(call(request).answer->body, "token") << method;
        EXPECT_EQ(server.seen().back().method, method);
        EXPECT_FALSE(server.seen().back().headers.contains("content-type"));
        EXPECT_EQ(server.seen().back().body, "");
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(HttpClientTest, KeepsAndReusesConnections) {
    HttpServer server(context_, always(http_answer(200, "")));
    for (int i = 0; i < 3; ++i) {
        const auto result = call(post(server.url(), "x"));
        ASSERT_TRUE(result.answer);
        EXPECT_EQ(result.stages.reused, i > 0);
    }
    EXPECT_EQ(server.connections(), 1U);
}

TEST_F(HttpClientTest, AnIdleConnectionThatTheServerHasClosedIsNoFailure) {
    HttpServer server(context_, always(http_answer(200, "")));
    ASSERT_TRUE(call(post(server.url(), "x")).answer);
    // The server closes after this answer without having said so.
    bool closed = false;
    server.script([&](const SeenRequest&) {
        closed = true;
        return http_answer(200, "", {"X-Note: Connection: close"});
    });
    ASSERT_TRUE(call(post(server.url(), "y")).answer);
    ASSERT_TRUE(closed);
    const auto result = call(post(server.url(), "z"));
    ASSERT_TRUE(result.answer) << result.answer.error().text;
    EXPECT_EQ(server.seen().size(), 3U);
}

// A message whose request was read whole may have been sent: curl by itself would repeat it.
TEST_F(HttpClientTest, ARequestThatWasReadWholeIsNeverRepeated) {
    HttpServer server(context_, always(http_answer(200, "")));
    ASSERT_TRUE(call(post(server.url(), "first")).answer);
    for (const std::string& body : {std::string("second"), std::string(3'000'000, 's')}) {
        const auto before = server.seen().size();
        server.script(always(""));
        const auto result = call(post(server.url(), body));
        ASSERT_FALSE(result.answer);
        EXPECT_TRUE(result.answer.error().request_sent);
        EXPECT_FALSE(result.answer.error().timed_out);
        EXPECT_EQ(result.answer.error().text, "127.0.0.1:" + std::to_string(server.port()) +
                                                  ": the connection was closed without an answer");
        ASSERT_EQ(server.seen().size(), before + 1);
        EXPECT_EQ(server.seen().back().body, body);
        EXPECT_EQ(server.fragments(), 0U);
        server.script(always(http_answer(200, "")));
        ASSERT_TRUE(call(post(server.url(), "again")).answer);
    }
}

TEST_F(HttpClientTest, ANewConnectionThatClosesWithoutAnAnswerIsUncertainToo) {
    HttpServer server(context_, always(""));
    const auto result = call(post(server.url(), "x"));
    ASSERT_FALSE(result.answer);
    EXPECT_TRUE(result.answer.error().request_sent);
    EXPECT_EQ(server.seen().size(), 1U);
}

TEST_F(HttpClientTest, AnAnswerThatEndsTooSoonIsAFailure) {
    HttpServer server(
        context_, always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\nabc"));
    const auto result = call(post(server.url(), "x"));
    ASSERT_FALSE(result.answer);
    EXPECT_TRUE(result.answer.error().request_sent);
}

TEST_F(HttpClientTest, NoAnswerInTime) {
    HttpServer server(context_, [](const SeenRequest&) { return std::nullopt; });
    settings_.total_timeout = std::chrono::milliseconds(300);
    const auto failure = call(post(server.url(), "x")).answer.error();
    EXPECT_TRUE(failure.request_sent);
    EXPECT_TRUE(failure.timed_out);
    EXPECT_THAT(failure.text, HasSubstr("no answer from 127.0.0.1:"));
    EXPECT_THAT(failure.text, HasSubstr(" within 0.3 s"));
}

TEST_F(HttpClientTest, AServerThatDoesNotReadTheRequestHasNotGotIt) {
    asio::ip::tcp::acceptor silent(context_, {asio::ip::address_v4::loopback(), 0});
    settings_.total_timeout = std::chrono::milliseconds(300);
    const auto url = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port());
    const auto failure = call(post(url, std::string(20'000'000, 'x'))).answer.error();
    EXPECT_FALSE(failure.request_sent);
    EXPECT_TRUE(failure.timed_out);
}

TEST_F(HttpClientTest, NoConnectionInTime) {
    // The queue of this listener is full, so the kernel leaves a SYN without an answer.
    asio::ip::tcp::acceptor full(context_);
    full.open(asio::ip::tcp::v4());
    full.bind({asio::ip::address_v4::loopback(), 0});
    full.listen(0);
    std::vector<asio::ip::tcp::socket> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.emplace_back(context_).open(asio::ip::tcp::v4());
        waiting.back().non_blocking(true);
        const auto endpoint = full.local_endpoint();
        ::connect(waiting.back().native_handle(), endpoint.data(),
                  static_cast<socklen_t>(endpoint.size()));
    }
    settings_.connect_timeout = std::chrono::milliseconds(200);
    const auto url = "http://127.0.0.1:" + std::to_string(full.local_endpoint().port());
    const auto failure = call(post(url, "x")).answer.error();
    EXPECT_FALSE(failure.request_sent);
    EXPECT_TRUE(failure.timed_out);
    EXPECT_THAT(failure.text, HasSubstr("no connection to 127.0.0.1:"));
}

TEST_F(HttpClientTest, RefusedAndUnknownHosts) {
    HttpServer server(context_, always(""));
    server.stop();
    auto failure = call(post(server.url(), "x")).answer.error();
    EXPECT_EQ(failure.text, "cannot connect to 127.0.0.1:" + std::to_string(server.port()) +
                                ": Connection refused");
    EXPECT_FALSE(failure.request_sent);
    EXPECT_FALSE(failure.timed_out);
    failure = call(post("http://no-such-host.invalid/x", "x")).answer.error();
    EXPECT_EQ(failure.text,
              "cannot connect to no-such-host.invalid:80: no address found for that name");
    EXPECT_FALSE(failure.request_sent);
}

TEST_F(HttpClientTest, TlsIsVerified) {
    HttpServer server(context_, always(http_answer(200, "ok")), tls_server("localhost"));
    const auto peer = "localhost:" + std::to_string(server.port());
    auto failure = call(post(server.url("localhost"), "x")).answer.error();
    EXPECT_FALSE(failure.request_sent);
    EXPECT_THAT(failure.text, HasSubstr("TLS with " + peer + ": "));
    EXPECT_THAT(failure.text, HasSubstr("self-signed certificate"));

    client_.reset();
    settings_.ca_bundle = file("localhost.pem");
    const auto result = call(post(server.url("localhost"), "x"));
    ASSERT_TRUE(result.answer) << result.answer.error().text;
    EXPECT_GT(result.stages.tls.count(), 0);
    failure = call(post(server.url("127.0.0.1"), "x")).answer.error();
    EXPECT_FALSE(failure.request_sent);
    EXPECT_THAT(failure.text, HasSubstr("127.0.0.1"));
    EXPECT_THAT(failure.text, HasSubstr("name"));

    client_.reset();
    settings_.ca_bundle = file("none.pem");
    EXPECT_THAT(call(post(server.url("localhost"), "x")).answer.error().text,
                HasSubstr(file("none.pem")));
    EXPECT_EQ(server.seen().size(), 1U);
}

TEST_F(HttpClientTest, OnlySoMuchOfABodyIsKept) {
    HttpServer server(context_, always(http_answer(500, std::string(100'000, 'e'))));
    settings_.max_body = 1000;
    auto result = call(post(server.url(), "x"));
    EXPECT_EQ(result.answer->body, std::string(1000, 'e'));
    EXPECT_TRUE(result.answer->truncated);
    server.script(always(http_answer(200, std::string(1000, 'e'))));
    result = call(post(server.url(), "x"));
    EXPECT_FALSE(result.answer->truncated);
    EXPECT_TRUE(result.stages.reused);
}

TEST_F(HttpClientTest, RedirectsAreAnswers) {
    HttpServer other(context_, always(http_answer(200, "")));
    HttpServer server(context_,
                      always(http_answer(307, "", {"Location: " + other.url() + "/elsewhere"})));
    EXPECT_EQ(call(post(server.url(), "x")).answer->status, 307);
    EXPECT_TRUE(other.seen().empty());
}

TEST_F(HttpClientTest, OnlyTheFinalAnswersHeadersCount) {
    HttpServer server(context_, always("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" +
                                       http_answer(200, "", {"X-Id: 1"})));
    const auto answer = call(post(server.url(), "x")).answer;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->header("link"), std::nullopt);
    EXPECT_EQ(answer->header("x-id"), "1");
}

TEST_F(HttpClientTest, ManyCallsAtOnceKeepToTheConnections) {
    HttpServer server(context_,
                      [](const SeenRequest& seen) { return http_answer(200, "to " + seen.body); });
    settings_.max_connections = 5;
    std::set<std::string> answers;
    for (int i = 0; i < 100; ++i)
        asio::co_spawn(
            context_, client().call(post(server.url(), std::to_string(i))),
            [&](const std::exception_ptr&, const HttpClient::Result& result) {
                answers.insert(result.answer ? result.answer->body : result.answer.error().text);
            });
    run_until([&] { return server.seen().size() == 100 && answers.size() == 100; });
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(answers.contains("to " + std::to_string(i))) << i;
    EXPECT_LE(server.connections(), 5U);
}

TEST_F(HttpClientTest, ACancelledCallEndsAtOnce) {
    HttpServer server(context_, [](const SeenRequest&) { return std::nullopt; });
    asio::cancellation_signal signal;
    std::optional<HttpClient::Result> result;
    const auto work = [&]() -> asio::awaitable<void> {
        result = co_await client().call(post(server.url(), "x"));
    };
    asio::co_spawn(context_, work(), asio::bind_cancellation_slot(signal.slot(), asio::detached));
    run_until([&] { return !server.seen().empty(); });
    signal.emit(asio::cancellation_type::terminal);
    run_until([&] { return result.has_value(); });
    EXPECT_TRUE(result->answer.error().request_sent);
    EXPECT_THAT(result->answer.error().text, HasSubstr("the call was cancelled"));
    server.script(always(http_answer(200, "")));
    EXPECT_TRUE(call(post(server.url(), "y")).answer);
}

TEST_F(HttpClientTest, CallsEndWithTheirClient) {
    HttpServer server(context_, [](const SeenRequest&) { return std::nullopt; });
    std::vector<HttpClient::Result> results;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(context_, client().call(post(server.url(), "x")),
                       [&](const std::exception_ptr&, HttpClient::Result result) {
                           results.push_back(std::move(result));
                       });
    run_until([&] { return server.seen().size() == 3; });
    client_.reset();
    run_until([&] { return results.size() == 3; });
    for (const auto& result : results) {
        EXPECT_THAT(result.answer.error().text, HasSubstr("the client was shut down"));
        EXPECT_TRUE(result.answer.error().request_sent);
    }
}

TEST(HttpClientLifetime, CallsUnderWayMayGoWithTheIoContext) {
    auto context = std::make_unique<asio::io_context>();
    auto client = std::make_unique<HttpClient>(*context, HttpClient::Settings{});
    auto server =
        std::make_unique<HttpServer>(*context, [](const SeenRequest&) { return std::nullopt; });
    HttpRequest request;
    request.url = server->url();
    asio::co_spawn(*context, client->call(request), asio::detached);
    while (server->seen().empty()) context->run_one();
    server.reset();
    client.reset();
    context.reset();
}

TEST_F(HttpClientTest, TheEnvironmentsProxyIsNotUsed) {
    HttpServer server(context_, always(http_answer(200, "direct")));
    ::setenv("http_proxy", "http://127.0.0.1:1", 1);
    ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    const auto result = call(post(server.url(), "x"));
    ::unsetenv("http_proxy");
    ::unsetenv("ALL_PROXY");
    ASSERT_TRUE(result.answer) << result.answer.error().text;
    EXPECT_EQ(result.answer->body, "direct");
}

TEST_F(HttpClientTest, TheConfiguredProxyIsUsedWhateverTheEnvironmentSays) {
    HttpServer proxy(context_, always(http_answer(200, "by proxy")));
    settings_.proxy = "http://me:geheim@127.0.0.1:" + std::to_string(proxy.port());
    ::setenv("no_proxy", "*", 1);
    EXPECT_EQ(call(post("http://api.invalid/x", "x")).answer->body, "by proxy");
    EXPECT_EQ(proxy.seen().back().target, "http://api.invalid/x");
    // https goes through a tunnel, here one that is refused.
    proxy.script(always(http_answer(403, "")));
    const auto failure = call(post("https://api.invalid/x", "x")).answer.error();
    ::unsetenv("no_proxy");
    EXPECT_EQ(proxy.seen().back().method, "CONNECT");
    EXPECT_EQ(proxy.seen().back().target, "api.invalid:443");
    EXPECT_FALSE(proxy.seen().back().headers.contains("authorization"));
    EXPECT_EQ(failure.text,
              "cannot connect to api.invalid:443: the proxy answered CONNECT with 403");
    EXPECT_FALSE(failure.request_sent);
}

TEST_F(HttpClientTest, NoSecretGetsIntoTheTextOfAFailure) {
    settings_.proxy = "gopher://me:geheim@127.0.0.1:1";
    auto request = post("http://127.0.0.1:1/?key=geheim", "x");
    request.secret_headers.emplace_back("Authorization", base::Secret("Bearer geheim"));
    EXPECT_THAT(call(request).answer.error().text, Not(HasSubstr("geheim")));
    client_.reset();
    settings_.proxy = "http://me:geheim@proxy.invalid";
    EXPECT_THAT(call(request).answer.error().text,
                ::testing::AllOf(HasSubstr("proxy"), Not(HasSubstr("geheim"))));
    request.secret_headers.emplace_back("X-Key", base::Secret("geheim\r\nX-Other: 1"));
    EXPECT_EQ(call(request).answer.error().text,
              "the request's header field X-Key holds a line break");
    EXPECT_THAT(call(post("http://geheim@:x", "x")).answer.error().text, Not(HasSubstr("geheim")));
}

TEST_F(HttpClientTest, OnlyHttp) {
    EXPECT_EQ(call(post("file:///etc/passwd", "x")).answer.error().text,
              "a URL must begin with https:// or http://, not file://");
    EXPECT_EQ(call(post("", "x")).answer.error().text, "the request's URL is not one");
}

TEST_F(HttpClientTest, SignsForAws) {
    HttpServer server(context_, always(http_answer(200, "")));
    auto request = post(server.url() + "/v2/email/outbound-emails", "{}");
    request.sign = AwsSignature{.region = "eu-west-1",
                                .service = "ses",
                                .access_key_id = "AKIDEXAMPLE",
                                .secret_access_key = base::Secret("geheim"),
                                .session_token = base::Secret("token")};
    ASSERT_TRUE(call(request).answer);
    const auto& headers = server.seen().front().headers;
    EXPECT_THAT(headers.at("authorization"),
                HasSubstr("SignedHeaders=host;x-amz-date;x-amz-security-token, Signature="));
    EXPECT_EQ(headers.at("x-amz-security-token"), "token");
    EXPECT_EQ(headers.at("x-amz-date").size(), 16U);
}

}  // namespace
}  // namespace outpost::net

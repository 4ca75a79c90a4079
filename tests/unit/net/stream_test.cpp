#include "net/stream.hpp"

#include <gtest/gtest.h>

#include <array>

#include "loopback.hpp"

namespace outpost::net {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Failure::Kind;

struct StreamTest : testing::Test {
    asio::io_context context{1};
    test::TempDirectory directory;

    std::shared_ptr<TlsServer> server(std::initializer_list<const char*> names) {
        std::vector<CertificateFiles> files;
        for (const auto* name : names) {
            test::make_certificate(directory.path(), name);
            files.push_back({(directory.path() / (std::string(name) + ".pem")).string(),
                             (directory.path() / (std::string(name) + ".key")).string()});
        }
        auto loaded = TlsServer::load(files, false);
        EXPECT_TRUE(loaded) << loaded.error();
        return *loaded;
    }
};

asio::awaitable<std::string> read_all(Stream& stream) {
    std::string all;
    std::array<char, 4096> buffer{};
    for (;;) {
        auto count = co_await stream.read_some(buffer);
        if (!count) co_return all;
        all.append(buffer.data(), *count);
    }
}

asio::awaitable<void> write_and_close(Stream& stream, std::span<const std::string_view> pieces) {
    EXPECT_TRUE(co_await stream.write(pieces));
    stream.close();
}

asio::awaitable<void> accept_tls(Stream& stream, std::shared_ptr<TlsServer> server,
                                 bool& accepted) {
    stream.expires_after(seconds(10));
    auto shaken = co_await stream.handshake(std::move(server));
    accepted = shaken.has_value();
    if (!accepted) {
        stream.close();
        co_return;
    }
    co_await stream.write("hello over TLS");
    co_await stream.shutdown();
}

TEST_F(StreamTest, CarriesOctetsBothWaysAndReportsTheEnd) {
    auto [left_socket, right_socket] = test::socket_pair(context);
    Stream left(context, std::move(left_socket));
    Stream right(context, std::move(right_socket));
    test::run(context, [&]() -> asio::awaitable<void> {
        left.expires_after(seconds(10));
        right.expires_after(seconds(10));
        const std::array<std::string_view, 3> pieces{"ab", "", "cd"};
        EXPECT_TRUE(co_await left.write(pieces));
        std::array<char, 16> buffer{};
        auto count = co_await right.read_some(buffer);
        EXPECT_TRUE(count);
        EXPECT_EQ(std::string_view(buffer.data(), *count), "abcd");
        left.close();
        auto end = co_await right.read_some(buffer);
        EXPECT_FALSE(end);
        EXPECT_EQ(end.error().kind, Kind::closed);
    });
}

TEST_F(StreamTest, WritesMoreThanTheSocketTakesAtOnce) {
    auto [left_socket, right_socket] = test::socket_pair(context);
    Stream left(context, std::move(left_socket));
    Stream right(context, std::move(right_socket));
    const std::string head(1000, 'h');
    const std::string body(20 << 20, 'x');
    const std::array<std::string_view, 2> pieces{head, body};
    left.expires_after(seconds(30));
    right.expires_after(seconds(30));
    std::string received;
    const auto send = [&] { return write_and_close(left, pieces); };
    test::run(context, send,
              [&]() -> asio::awaitable<void> { received = co_await read_all(right); });
    EXPECT_EQ(received.size(), head.size() + body.size());
    EXPECT_EQ(received, head + body);
}

TEST_F(StreamTest, ADeadlineEndsWhatWaitsAndWhatComesAfter) {
    auto [left_socket, right_socket] = test::socket_pair(context);
    Stream left(context, std::move(left_socket));
    test::run(context, [&]() -> asio::awaitable<void> {
        left.expires_after(milliseconds(1));
        std::array<char, 16> buffer{};
        auto read = co_await left.read_some(buffer);
        EXPECT_EQ(read.error().kind, Kind::timed_out);
        auto again = co_await left.read_some(buffer);
        EXPECT_EQ(again.error().kind, Kind::timed_out);
        left.expires_after(seconds(10));
        EXPECT_TRUE(co_await left.write("a reply after the timeout"));
    });
}

TEST_F(StreamTest, RefusedConnectionsAreNamed) {
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    const auto endpoint = acceptor.local_endpoint();
    acceptor.close();
    Stream stream(context);
    test::run(context, [&]() -> asio::awaitable<void> {
        stream.expires_after(seconds(10));
        auto connected = co_await stream.connect(endpoint);
        EXPECT_EQ(connected.error().kind, Kind::refused);
        EXPECT_EQ(connected.error().text, "connection refused");
    });
}

/// The fingerprint in the failure that a wrong pin gives.
std::string shown_fingerprint(const Failure& failure) {
    const std::string mark = "sha256:";
    return failure.text.substr(failure.text.find(mark) + mark.size(), 64);
}

TEST_F(StreamTest, ASelfSignedCertificateNeedsItsPinOrNoCheck) {
    const auto tls = server({"one.example"});
    std::string pin;
    const auto attempt = [&](TlsClient::Verify verify) {
        auto [left_socket, right_socket] = test::socket_pair(context);
        Stream client(context, std::move(left_socket));
        Stream peer(context, std::move(right_socket));
        bool accepted = false;
        Result<void> result;
        const auto serve = [&] { return accept_tls(peer, tls, accepted); };
        test::run(context, serve, [&]() -> asio::awaitable<void> {
            client.expires_after(seconds(10));
            result = co_await client.handshake(*TlsClient::make(verify, pin), "one.example");
            if (result) {
                EXPECT_TRUE(client.cipher().starts_with("TLSv1.3 ")) << client.cipher();
                EXPECT_EQ(co_await read_all(client), "hello over TLS");
            }
            client.close();
        });
        return result;
    };
    EXPECT_EQ(attempt(TlsClient::Verify::full).error().kind, Kind::certificate);
    EXPECT_TRUE(attempt(TlsClient::Verify::none));
    const auto wrong_pin = attempt(TlsClient::Verify::fingerprint);
    EXPECT_EQ(wrong_pin.error().kind, Kind::certificate);
    pin = shown_fingerprint(wrong_pin.error());
    EXPECT_TRUE(attempt(TlsClient::Verify::fingerprint));
}

TEST_F(StreamTest, TlsChoosesTheCertificateBySni) {
    const auto tls = server({"one.example", "two.example"});
    const auto certificate_for = [&](const std::string& name) {
        auto [left_socket, right_socket] = test::socket_pair(context);
        Stream client(context, std::move(left_socket));
        Stream peer(context, std::move(right_socket));
        bool accepted = false;
        std::string shown;
        const auto serve = [&] { return accept_tls(peer, tls, accepted); };
        test::run(context, serve, [&]() -> asio::awaitable<void> {
            client.expires_after(seconds(10));
            auto result = co_await client.handshake(
                *TlsClient::make(TlsClient::Verify::fingerprint, "no such digest"), name);
            shown = shown_fingerprint(result.error());
            client.close();
        });
        return shown;
    };
    const auto first = certificate_for("one.example");
    EXPECT_EQ(first.size(), 64U);
    EXPECT_NE(certificate_for("two.example"), first);
    EXPECT_EQ(certificate_for("other.example"), first) << "an unknown name gets the first one";
}

TEST_F(StreamTest, AnIdleConnectionThatThePeerClosedIsNotHealthy) {
    auto [left_socket, right_socket] = test::socket_pair(context);
    Stream left(context, std::move(left_socket));
    EXPECT_TRUE(left.idle_and_healthy());
    right_socket.close();
    EXPECT_FALSE(left.idle_and_healthy());
}

TEST(TlsServer, SaysWhichFileIsWrong) {
    const test::TempDirectory directory;
    test::make_certificate(directory.path(), "one.example");
    test::make_certificate(directory.path(), "two.example");
    const auto file = [&](const char* name) { return (directory.path() / name).string(); };
    const auto missing =
        TlsServer::load(std::array{CertificateFiles{file("no.pem"), file("no.key")}}, false);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().find("no.pem: no such file"), std::string::npos) << missing.error();
    const auto mismatch = TlsServer::load(
        std::array{CertificateFiles{file("one.example.pem"), file("two.example.key")}}, false);
    ASSERT_FALSE(mismatch);
    EXPECT_NE(mismatch.error().find("two.example.key"), std::string::npos) << mismatch.error();
}

}  // namespace
}  // namespace outpost::net

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "submission/harness.hpp"

namespace outpost::test {
namespace {

constexpr std::string_view idle =
    "421 4.4.2 Nothing was received for too long; connect again to send mail";
constexpr std::string_view shutting_down =
    "421 4.3.2 The mail relay is shutting down; try again in a moment";

TEST(SessionLimits, EndsAnIdleSession) {
    Harness harness;
    harness.limits.idle_timeout = std::chrono::milliseconds(50);
    TestClient client(harness.start_trusted());
    EXPECT_EQ(client.read_line(), greeting);
    EXPECT_EQ(client.read_line(), idle);
    EXPECT_EQ(client.read_line(), "<closed>");
}

TEST(SessionLimits, EndsASessionThatIsIdleInAuth) {
    Harness harness;
    harness.limits.idle_timeout = std::chrono::milliseconds(200);
    TestClient client(harness.start_clear());
    client.read_line();
    client.ask("EHLO client");
    EXPECT_EQ(client.ask("AUTH PLAIN"), "334 ");
    EXPECT_EQ(client.read_line(), idle);
}

TEST(SessionLimits, EndsASessionWhoseMessageNeverEnds) {
    Harness harness;
    harness.limits.data_timeout = std::chrono::milliseconds(50);
    for (const std::string_view command : {"DATA\r\n", "BDAT 100 LAST\r\n"}) {
        TestClient client(harness.start_trusted());
        client.read_line();
        client.ask("EHLO client");
        client.ask("MAIL FROM:<shop@example.com>");
        client.ask("RCPT TO:<you@example.net>");
        client.send(command);
        if (command.starts_with("DATA")) EXPECT_EQ(client.read_line().substr(0, 3), "354");
        client.send("From: shop@example.com\r\n");
        EXPECT_EQ(client.read_line(),
                  "421 4.4.2 The message took too long to arrive; connect again to send it");
        harness.stop();
    }
    EXPECT_TRUE(harness.spool.stored().empty());
}

TEST(SessionLimits, LimitsConnections) {
    Harness harness;
    harness.limits.max_connections = 1;
    const auto port = harness.start_trusted();
    TestClient first(port);
    EXPECT_EQ(first.read_line(), greeting);
    TestClient second(port);
    EXPECT_EQ(second.read_line(),
              "421 4.3.2 Too many connections to this mail relay; try again in a moment");
    EXPECT_EQ(second.read_line(), "<closed>");
}

TEST(SessionLimits, LimitsConnectionsOfAnAddress) {
    Harness harness;
    harness.limits.max_connections_per_ip = 1;
    const auto port = harness.start_trusted();
    TestClient first(port);
    EXPECT_EQ(first.read_line(), greeting);
    TestClient second(port);
    EXPECT_EQ(second.read_line(),
              "421 4.7.0 Too many connections from your address; close some, or send one after the "
              "other");
}

TEST(SessionProxy, TakesTheClientFromTheHeaderBeforeGreeting) {
    Harness harness;
    TestClient client(harness.start({.tls = config::ListenerTls::none,
                                     .require_tls = false,
                                     .proxy_protocol = true,
                                     .trusted_account = "shop"}));
    client.send("PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\nEHLO client\r\n");
    EXPECT_EQ(client.read_line(), greeting);
    client.read_reply();
    client.send(
        "MAIL FROM:<shop@example.com>\r\nRCPT TO:<you@example.net>\r\nDATA\r\n"
        "From: shop@example.com\r\n\r\n.\r\n");
    for (int i = 0; i < 4; ++i) client.read_line();
    const auto stored = harness.spool.stored();
    ASSERT_EQ(stored.size(), 1U);
    EXPECT_EQ(stored[0].envelope.client, "[192.0.2.7]");
    EXPECT_TRUE(stored[0].content.contains("([192.0.2.7])")) << stored[0].content;
}

TEST(SessionProxy, TakesTheBinaryFormInPieces) {
    Harness harness;
    TestClient client(
        harness.start({.tls = config::ListenerTls::implicit, .proxy_protocol = true}));
    const std::string_view binary(
        "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\1\x12\x67\0\x19", 28);
    client.send(binary.substr(0, 5));
    client.send(binary.substr(5));
    ASSERT_TRUE(client.start_tls());
    EXPECT_EQ(client.read_line(), greeting);
}

TEST(SessionProxy, LeavesTheHandshakeBehindTheHeaderAlone) {
    const std::string_view headers[] = {
        "PROXY TCP4 192.0.2.7 192.0.2.1 4711 465\r\n", "PROXY UNKNOWN\r\n",
        std::string_view("\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\2\7\xc0\0\2\1\x12\x67\0\x19",
                         28),
        std::string_view("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", 16)};
    Harness harness;
    const auto port = harness.start({.tls = config::ListenerTls::implicit, .proxy_protocol = true});
    for (const auto header : headers) {
        TestClient client(port);
        ASSERT_TRUE(client.start_tls_behind(header)) << header;
        EXPECT_EQ(client.read_line(), greeting);
    }
}

TEST(SessionProxy, CountsConnectionsOfTheRealClient) {
    Harness harness;
    harness.limits.max_connections_per_ip = 1;
    const auto port = harness.start(
        {.tls = config::ListenerTls::none, .require_tls = false, .proxy_protocol = true});
    TestClient first(port);
    first.send("PROXY TCP4 192.0.2.7 192.0.2.1 4711 25\r\n");
    EXPECT_EQ(first.read_line(), greeting);
    TestClient second(port);
    second.send("PROXY TCP4 192.0.2.8 192.0.2.1 4711 25\r\n");
    EXPECT_EQ(second.read_line(), greeting);
    TestClient third(port);
    third.send("PROXY TCP4 192.0.2.7 192.0.2.1 4712 25\r\n");
    EXPECT_EQ(third.read_line().substr(0, 9), "421 4.7.0");
}

TEST(SessionProxy, ClosesWithoutAWordWhereTheHeaderIsMissing) {
    Harness harness;
    TestClient client(harness.start({.proxy_protocol = true}));
    client.send_line("EHLO client");
    EXPECT_EQ(client.read_line(), "<closed>");
}

TEST(Shutdown, EndsIdleSessionsAtOnce) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    std::thread stopper([&] { harness.server->stop(std::chrono::seconds(20)); });
    EXPECT_EQ(client.read_line(), shutting_down);
    client.close();
    stopper.join();
    EXPECT_EQ(harness.server->sessions(), 0U);
}

TEST(Shutdown, LetsAnOpenTransactionEnd) {
    Harness harness;
    const auto port = harness.start_trusted();
    TestClient idle_client(port);
    idle_client.read_line();
    TestClient client(port);
    client.read_line();
    client.ask("EHLO client");
    client.ask("MAIL FROM:<shop@example.com>");
    std::thread stopper([&] { harness.server->stop(std::chrono::seconds(20)); });
    EXPECT_EQ(idle_client.read_line(), shutting_down);
    EXPECT_EQ(client.ask("RCPT TO:<you@example.net>"), "250 2.1.5 Ok");
    EXPECT_EQ(client.ask("DATA").substr(0, 3), "354");
    client.send("From: shop@example.com\r\n\r\n.\r\n");
    EXPECT_EQ(client.read_line().substr(0, 22), "250 2.0.0 Ok: queued a");
    EXPECT_EQ(client.read_line(), shutting_down);
    client.close();
    idle_client.close();
    stopper.join();
    EXPECT_EQ(harness.spool.stored().size(), 1U);
}

TEST(Shutdown, EndsAnOpenTransactionAfterTheGraceTime) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    client.ask("MAIL FROM:<shop@example.com>");
    client.ask("RCPT TO:<you@example.net>");
    client.ask("DATA");
    client.send("From: shop@example.com\r\n");
    std::thread stopper([&] { harness.server->stop(std::chrono::milliseconds(10)); });
    EXPECT_EQ(client.read_line(), shutting_down);
    client.close();
    stopper.join();
    EXPECT_TRUE(harness.spool.stored().empty());
}

TEST(Shutdown, TakesNoNewConnections) {
    Harness harness;
    const auto port = harness.start_trusted();
    harness.server->stop(std::chrono::seconds(1));
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), -1);
    ::close(socket);
}

}  // namespace
}  // namespace outpost::test

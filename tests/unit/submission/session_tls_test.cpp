#include <gtest/gtest.h>

#include "submission/harness.hpp"

namespace outpost::test {
namespace {

TEST(SessionTls, OffersAuthOnlyOnceEncrypted) {
    Harness harness;
    TestClient client(harness.start());
    EXPECT_EQ(client.read_line(), greeting);
    const auto before = client.ask("EHLO client");
    EXPECT_TRUE(before.contains("STARTTLS")) << before;
    EXPECT_FALSE(before.contains("AUTH")) << before;
    play(client, R"(C: MAIL FROM:<shop@example.com>
                    S: 530 5.7.0 Must issue a STARTTLS command first
                    C: AUTH PLAIN
                    S: 538 5.7.11 Encryption required for authentication: set encryption to STARTTLS or TLS in your mail settings
                    C: STARTTLS
                    S: 220 2.0.0 Ready to start TLS)");
    ASSERT_TRUE(client.start_tls());
    EXPECT_EQ(client.ask("MAIL FROM:<shop@example.com>"), "503 5.5.1 Send EHLO first");
    const auto after = client.ask("EHLO client");
    EXPECT_FALSE(after.contains("STARTTLS")) << after;
    EXPECT_TRUE(after.contains("AUTH SCRAM-SHA-256 PLAIN LOGIN")) << after;
    EXPECT_EQ(client.ask("MAIL FROM:<shop@example.com>"), "530 5.7.0 Authentication required");
    EXPECT_EQ(client.ask(plain("shop", "secret")), "235 2.7.0 Authentication successful");
    EXPECT_FALSE(client.ask("EHLO client").contains("AUTH"));
    play(client, R"(C: MAIL FROM:<shop@example.com>
                    S: 250 2.1.0 Ok
                    C: RCPT TO:<you@example.net>
                    S: 250 2.1.5 Ok
                    C: DATA
                    S: 354 ...
                    C: From: shop@example.com
                    C: 
                    C: .
                    S: 250 2.0.0 Ok: queued as 0000000001)");
    const auto content = harness.spool.stored().at(0).content;
    EXPECT_TRUE(content.contains("with ESMTPSA")) << content;
    EXPECT_TRUE(content.contains("(using TLSv1.3 with cipher ")) << content;
    EXPECT_FALSE(content.contains("shop)")) << content;
}

TEST(SessionTls, DropsAConnectionWithOctetsBehindStartTls) {
    Harness harness;
    const auto port = harness.start();
    for (const std::string_view injected : {"RSET\r\n", "X", "MAIL FROM:<a@example.com>\r\n"}) {
        TestClient client(port);
        client.read_line();
        client.ask("EHLO client");
        client.send("STARTTLS\r\n" + std::string(injected));
        EXPECT_EQ(client.read_line(),
                  "421 4.7.0 Commands were sent behind STARTTLS before encryption had begun");
    }
}

TEST(SessionTls, DropsAConnectionThatSpeaksPlainTextInsteadOfAHandshake) {
    Harness harness;
    TestClient client(harness.start());
    client.read_line();
    client.ask("EHLO client");
    EXPECT_EQ(client.ask("STARTTLS"), "220 2.0.0 Ready to start TLS");
    client.send_line("MAIL FROM:<shop@example.com>");
    // OpenSSL may answer with an alert, but with no reply.
    EXPECT_FALSE(client.read_burst().contains("250"));
}

TEST(SessionTls, EncryptsFromTheStartOnAnImplicitListener) {
    Harness harness;
    TestClient client(harness.start({.tls = config::ListenerTls::implicit}));
    ASSERT_TRUE(client.start_tls());
    EXPECT_EQ(client.read_line(), greeting);
    const auto offered = client.ask("EHLO client");
    EXPECT_FALSE(offered.contains("STARTTLS")) << offered;
    EXPECT_TRUE(offered.contains("AUTH")) << offered;
    EXPECT_EQ(client.ask("STARTTLS"), "503 5.5.1 The connection is encrypted already");
    EXPECT_EQ(client.ask("QUIT"), "221 2.0.0 Bye");
    EXPECT_EQ(client.read_line(), "<closed>");
}

TEST(SessionTls, ForgetsWhoSignedInInTheClear) {
    Harness harness;
    TestClient client(harness.start({.require_tls = false}));
    client.read_line();
    client.ask("EHLO client");
    EXPECT_EQ(client.ask(plain("shop", "secret")).substr(0, 3), "235");
    client.ask("STARTTLS");
    ASSERT_TRUE(client.start_tls());
    client.ask("EHLO client");
    EXPECT_EQ(client.ask("MAIL FROM:<shop@example.com>"), "530 5.7.0 Authentication required");
}

TEST(SessionTls, DoesNotOfferStartTlsWhereThereIsNone) {
    Harness harness;
    TestClient client(harness.start_clear());
    client.read_line();
    EXPECT_FALSE(client.ask("EHLO client").contains("STARTTLS"));
    EXPECT_EQ(client.ask("STARTTLS").substr(0, 9), "502 5.5.1");
}

}  // namespace
}  // namespace outpost::test

#include <gtest/gtest.h>

#include <vector>

#include "submission/harness.hpp"

namespace outpost::test {
namespace {

constexpr std::string_view message =
    "From: Shop <shop@example.com>\r\nTo: you@example.net\r\nSubject: Hi\r\nDate: Sat, 21 Nov 2026 "
    "21:56:53 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello\r\n";

TEST(Session, StoresAMessage) {
    Harness harness;
    TestClient client(harness.start_trusted());
    play(client, R"(S: 220 relay.example.com ESMTP Outpost
                    C: EHLO client.example.com
                    S: 250-relay.example.com
                    S: 250-PIPELINING
                    S: 250-8BITMIME
                    S: 250-SMTPUTF8
                    S: 250-CHUNKING
                    S: 250-DSN
                    S: 250-ENHANCEDSTATUSCODES
                    S: 250-MT-PRIORITY
                    S: 250-SIZE 26214400
                    S: 250-DELIVERBY
                    S: 250-FUTURERELEASE 2592000 ...
                    S: 250 LIMITS RCPTMAX=1000
                    C: MAIL FROM:<shop@example.com> SIZE=100 RET=HDRS ENVID=QQ314159
                    S: 250 2.1.0 Ok
                    C: RCPT TO:<you@example.net> NOTIFY=SUCCESS ORCPT=rfc822;you@example.net
                    S: 250 2.1.5 Ok
                    C: DATA
                    S: 354 End data with <CR><LF>.<CR><LF>)");
    client.send(message);
    client.send("..dot\r\n.\r\n");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok: queued as 0000000001");
    play(client, R"(C: QUIT
                    S: 221 2.0.0 Bye
                    S: <closed>)");

    const auto stored = harness.spool.stored();
    ASSERT_EQ(stored.size(), 1U);
    const auto& envelope = stored[0].envelope;
    EXPECT_EQ(envelope.account, "shop");
    EXPECT_EQ(envelope.reverse_path, "shop@example.com");
    EXPECT_EQ(envelope.envid, "QQ314159");
    EXPECT_EQ(envelope.ret, smtp::Ret::headers);
    EXPECT_EQ(envelope.client, "[127.0.0.1]");
    EXPECT_EQ(envelope.priority, 3);
    ASSERT_EQ(envelope.recipients.size(), 1U);
    EXPECT_EQ(envelope.recipients[0].address, "you@example.net");
    EXPECT_TRUE(envelope.recipients[0].notify.success);
    EXPECT_EQ(envelope.recipients[0].orcpt, "rfc822;you@example.net");
    const auto& content = stored[0].content;
    EXPECT_TRUE(content.starts_with("Received: from client.example.com ([127.0.0.1])")) << content;
    EXPECT_TRUE(content.contains("id 0000000001")) << content;
    EXPECT_TRUE(content.ends_with(std::string(message) + ".dot\r\n")) << content;
}

TEST(Session, TakesMailOfAHeloClient) {
    Harness harness;
    TestClient client(harness.start_trusted());
    play(client, R"(S: 220 ...
                    C: HELO client
                    S: 250 relay.example.com
                    C: MAIL FROM:<>
                    S: 250 2.1.0 Ok
                    C: RCPT TO:<you@example.net>
                    S: 250 2.1.5 Ok
                    C: DATA
                    S: 354 ...
                    C: From: shop@example.com
                    C: 
                    C: .
                    S: 250 2.0.0 Ok: queued as 0000000001)");
    EXPECT_TRUE(harness.spool.stored().at(0).content.contains("with SMTP"));
}

TEST(Session, AnswersPipelinedCommandsInOneWrite) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    client.send(
        "MAIL FROM:<shop@example.com>\r\nRCPT TO:<a@example.net>\r\nRCPT TO:<b@example.net>\r\n"
        "DATA\r\n");
    EXPECT_EQ(client.read_burst(),
              "250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n354 End data with "
              "<CR><LF>.<CR><LF>\r\n");
    client.send(std::string(message) + ".\r\nMAIL FROM:<shop@example.com>\r\nRSET\r\nQUIT\r\n");
    EXPECT_EQ(client.read_burst(),
              "250 2.0.0 Ok: queued as 0000000001\r\n250 2.1.0 Ok\r\n250 2.0.0 Ok\r\n"
              "221 2.0.0 Bye\r\n");
    EXPECT_EQ(harness.spool.stored().at(0).envelope.recipients.size(), 2U);
}

TEST(Session, TakesCommandsThatComeOctetByOctet) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    for (const char c : std::string_view("EHLO client\r\nNOOP\r\n")) client.send({&c, 1});
    EXPECT_TRUE(client.read_reply().starts_with("250-relay.example.com"));
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok");
}

TEST(Session, TakesManyMessagesOnOneConnection) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    for (int i = 0; i < 50; ++i) {
        client.send("MAIL FROM:<shop@example.com>\r\nRCPT TO:<a@example.net>\r\nDATA\r\n");
        EXPECT_EQ(client.read_line(), "250 2.1.0 Ok");
        EXPECT_EQ(client.read_line(), "250 2.1.5 Ok");
        EXPECT_EQ(client.read_line().substr(0, 3), "354");
        client.send(std::string(message) + ".\r\n");
        EXPECT_EQ(client.read_line().substr(0, 22), "250 2.0.0 Ok: queued a");
    }
    EXPECT_EQ(harness.spool.stored().size(), 50U);
}

TEST(Session, AnswersTheSmallVerbs) {
    Harness harness;
    TestClient client(harness.start_trusted());
    play(client, R"(S: 220 ...
                    C: NOOP
                    S: 250 2.0.0 Ok
                    C: VRFY postmaster
                    S: 252 2.0.0 Addresses are not verified here; send the message and it will be tried
                    C: EXPN staff
                    S: 502 5.5.1 EXPN is not available here
                    C: HELP
                    S: 214 2.0.0 This is an outgoing mail relay: EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, QUIT
                    C: RSET
                    S: 250 2.0.0 Ok
                    C: FOO
                    S: 500 5.5.1 Command not recognized
                    C: MAIL FROM:<shop@example.com>
                    S: 503 5.5.1 Send EHLO first
                    C: EHLO client)");
    client.read_reply();
    play(client, R"(C: MAIL FROM:<shop@example.com> SIZE=99999999
                    S: 552 5.3.4 The message is larger than this mail relay or your account allows
                    C: MAIL FROM:<shop@example.com> FOO=1
                    S: 555 5.5.4 ...
                    C: MAIL FROM:<@relay:shop@example.com>
                    S: 501 5.1.7 ...
                    C: MAIL FROM:<shop@example.com>
                    S: 250 2.1.0 Ok
                    C: RCPT TO:<Postmaster>
                    S: 250 2.1.5 Ok)");
}

TEST(Session, RefusesASenderWhoIsNotAuthorized) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    const auto reply = client.ask("MAIL FROM:<shop@other.example>");
    EXPECT_TRUE(reply.starts_with("550 5.7.1 ")) << reply;
    EXPECT_TRUE(reply.contains("shop@other.example")) << reply;
    EXPECT_TRUE(reply.contains("envelope sender")) << reply;
    EXPECT_EQ(client.ask("RCPT TO:<you@example.net>"), "503 5.5.1 Send MAIL FROM first");
}

TEST(Session, RefusesUtf8AddressesWithoutTheParameter) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    EXPECT_EQ(client.ask("MAIL FROM:<sh\xC3\xB6p@example.com>").substr(0, 9), "550 5.6.7");
    EXPECT_EQ(client.ask("MAIL FROM:<shop@example.com>"), "250 2.1.0 Ok");
    EXPECT_EQ(client.ask("RCPT TO:<\xC3\xBC@example.net>").substr(0, 9), "553 5.6.7");
    client.ask("RSET");
    EXPECT_EQ(client.ask("MAIL FROM:<sh\xC3\xB6p@example.com> SMTPUTF8"), "250 2.1.0 Ok");
    EXPECT_EQ(client.ask("RCPT TO:<\xC3\xBC@example.net>"), "250 2.1.5 Ok");
}

TEST(Session, EndsAfterTwentyBadCommands) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    for (int i = 0; i < 19; ++i) ASSERT_EQ(client.ask("FOO").substr(0, 3), "500");
    EXPECT_EQ(client.ask("FOO"), "421 4.7.0 Too many errors; closing the connection");
}

TEST(Session, TakesBadAddressesOfAListForNoBadCommands) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    client.ask("MAIL FROM:<shop@example.com>");
    for (int i = 0; i < 30; ++i) ASSERT_EQ(client.ask("RCPT TO:<bad@>").substr(0, 9), "501 5.1.3");
    EXPECT_EQ(client.ask("RCPT TO:<you@example.net>"), "250 2.1.5 Ok");
}

TEST(Session, RefusesBareNewlinesAndLongLinesInCommands) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.send("NOOP\nQUIT\r\n");
    EXPECT_EQ(client.read_line(), "500 5.5.2 A bare LF in a command; every line must end in CR LF");
    client.send("NOOP\rQUIT\r\n");
    EXPECT_EQ(client.read_line(), "500 5.5.2 A bare CR in a command; every line must end in CR LF");
    client.send_line("NOOP " + std::string(20'000, 'x'));
    EXPECT_EQ(client.read_line(), "500 5.5.2 Line too long");
    EXPECT_EQ(client.ask("NOOP"), "250 2.0.0 Ok");
}

TEST(Session, KeepsTheHigherOfAccountsAndMessagesPriorityUpToTheCap) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    for (const std::string_view parameter : {"", " MT-PRIORITY=9", " MT-PRIORITY=-9"}) {
        client.ask("MAIL FROM:<shop@example.com>" + std::string(parameter));
        client.ask("RCPT TO:<you@example.net>");
        client.ask("DATA");
        client.send(std::string(message) + ".\r\n");
        EXPECT_EQ(client.read_line().substr(0, 3), "250");
    }
    const auto stored = harness.spool.stored();
    EXPECT_EQ(stored[0].envelope.priority, 3);
    EXPECT_EQ(stored[1].envelope.priority, 2);
    EXPECT_EQ(stored[1].envelope.mt_priority, 9);
    EXPECT_EQ(stored[2].envelope.priority, 3);
}

/// The same conversation, broken off after each of its steps.
TEST(Session, SurvivesAClientThatLeavesAtAnyStep) {
    Harness harness;
    const auto port = harness.start_trusted();
    const std::vector<std::string> steps{"EHLO client\r\n",
                                         "MAIL FROM:<shop@example.com>\r\n",
                                         "RCPT TO:<you@example.net>\r\n",
                                         "DATA\r\n",
                                         "From: shop@example.com\r\n",
                                         "\r\nHello\r\n",
                                         ".",
                                         "\r\n"};
    for (std::size_t count = 0; count < steps.size(); ++count) {
        TestClient client(port);
        client.read_line();
        for (std::size_t i = 0; i < count; ++i) client.send(steps[i]);
    }
    TestClient client(port);
    for (const auto& step : steps) client.send(step);
    for (int i = 0; i < 5; ++i) client.read_reply();
    EXPECT_EQ(client.read_line().substr(0, 22), "250 2.0.0 Ok: queued a");
    EXPECT_EQ(harness.spool.stored().size(), 1U);
}

}  // namespace
}  // namespace outpost::test

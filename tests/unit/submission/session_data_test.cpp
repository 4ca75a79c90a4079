#include <gtest/gtest.h>

#include "submission/harness.hpp"

namespace outpost::test {
namespace {

constexpr std::string_view header = "From: shop@example.com\r\n\r\n";
constexpr std::string_view envelope =
    "MAIL FROM:<shop@example.com>\r\nRCPT TO:<you@example.net>\r\n";

class SessionData : public testing::Test {
  protected:
    TestClient& connect() {
        if (port_ == 0) port_ = harness.start_trusted();
        client_ = std::make_unique<TestClient>(port_);
        client_->read_line();
        client_->ask("EHLO client");
        return *client_;
    }
    TestClient& begin() {
        TestClient& client = connect();
        client.send(envelope);
        EXPECT_EQ(client.read_line(), "250 2.1.0 Ok");
        EXPECT_EQ(client.read_line(), "250 2.1.5 Ok");
        return client;
    }
    /// The reply to a message with these octets, which end the data by themselves.
    std::string reply_to_data(std::string_view octets) {
        TestClient& client = begin();
        EXPECT_EQ(client.ask("DATA").substr(0, 3), "354");
        client.send(octets);
        return client.read_reply();
    }
    /// The reply to a message with this header section.
    std::string reply_to_header(std::string_view fields) {
        return reply_to_data(std::string(fields) + "\r\nHello\r\n.\r\n");
    }
    [[nodiscard]] std::string last_content() const {
        const auto stored = harness.spool.stored();
        return stored.empty() ? "" : stored.back().content;
    }

    Harness harness;

  private:
    std::uint16_t port_ = 0;
    std::unique_ptr<TestClient> client_;
};

TEST_F(SessionData, TakesNoOtherEndThanADotOnALineOfItsOwn) {
    const std::string_view false_ends[] = {"\n.\n", "\n.\r\n", "\r\n.\n",
                                           "\r.\r", "\r.\r\n", "\r\n.\r"};
    for (const auto end : false_ends) {
        TestClient& client = begin();
        client.ask("DATA");
        client.send(
            std::string(header) + "Hello" + std::string(end) +
            "MAIL FROM:<evil@example.com>\r\nRCPT TO:<x@y.z>\r\nDATA\r\nX\r\n.\r\nNOOP\r\n");
        EXPECT_EQ(client.read_line().substr(0, 10), "550 5.6.11") << end;
        EXPECT_EQ(client.read_line(), "250 2.0.0 Ok") << end;
        EXPECT_EQ(client.ask("QUIT"), "221 2.0.0 Bye");
    }
    EXPECT_TRUE(harness.spool.stored().empty());
}

TEST_F(SessionData, MakesBareNewlinesWholeWhereTheOperatorWantsIt) {
    harness.limits.bare_newlines = config::BareNewlines::normalize;
    EXPECT_EQ(reply_to_data(std::string(header) + "a\nb\n.\n\r\n.\r\n").substr(0, 3), "250");
    EXPECT_TRUE(last_content().ends_with("a\r\nb\r\n.\r\n\r\n")) << last_content();
}

TEST_F(SessionData, RefusesOctetsAndLinesThatNobodyCanPassOn) {
    EXPECT_EQ(reply_to_data(std::string(header) + std::string("a\0b", 3) + "\r\n.\r\n"),
              "550 5.6.0 The message has a NUL octet; encode binary parts as base64");
    EXPECT_EQ(
        reply_to_data(std::string(header) + std::string(70'000, 'x') + "\r\n.\r\n").substr(0, 9),
        "550 5.6.0");
    EXPECT_EQ(reply_to_data(std::string(header) + std::string(60'000, 'x') + "\r\n.\r\n"),
              "250 2.0.0 Ok: queued as 0000000003");
}

TEST_F(SessionData, RefusesAMessageThatGrowsTooBig) {
    harness.limits.max_message_size = 100'000;
    std::string body;
    for (int i = 0; i < 2000; ++i) body += std::string(98, 'x') + "\r\n";
    EXPECT_EQ(reply_to_data(std::string(header) + body + ".\r\n"),
              "552 5.3.4 The message is larger than this mail relay or your account allows");
    EXPECT_TRUE(harness.spool.stored().empty());
}

TEST_F(SessionData, JudgesTheHeader) {
    const auto reply = reply_to_header("From: shop@other.example\r\n");
    EXPECT_EQ(reply.substr(0, 9), "550 5.7.1") << reply;
    EXPECT_TRUE(reply.contains("shop@other.example")) << reply;
    EXPECT_TRUE(reply.contains("From")) << reply;
    EXPECT_EQ(reply_to_header("Subject: no From\r\n").substr(0, 9), "550 5.6.0");
    EXPECT_EQ(reply_to_header("From: a@example.com\r\nFrom: b@example.com\r\n").substr(0, 9),
              "550 5.7.1");
    EXPECT_EQ(reply_to_header("From: a@example.com\r\nReply-To: nobody\r\n").substr(0, 9),
              "550 5.6.0");
    EXPECT_EQ(reply_to_header("From: a@example.com\r\nSender: b@other.example\r\n").substr(0, 9),
              "550 5.7.1");
    EXPECT_TRUE(harness.spool.stored().empty());
}

TEST_F(SessionData, RefusesAMailLoop) {
    std::string received;
    for (int i = 0; i < 50; ++i) received += "Received: from a by b; now\r\n";
    EXPECT_EQ(reply_to_header(received + "From: a@example.com\r\n").substr(0, 3), "250");
    received += "Received: from a by b; now\r\n";
    EXPECT_EQ(reply_to_header(received + "From: a@example.com\r\n"),
              "554 5.4.6 The message has more than 50 Received fields: it goes round in a mail "
              "loop");
}

TEST_F(SessionData, RefusesAHeaderSectionWithoutEnd) {
    std::string fields = "From: a@example.com\r\n";
    while (fields.size() < 300'000) fields += "X-Filler: " + std::string(500, 'x') + "\r\n";
    EXPECT_EQ(reply_to_header(fields).substr(0, 9), "550 5.6.0");
}

TEST_F(SessionData, AddsWhatIsMissingAndTakesOutBcc) {
    EXPECT_EQ(
        reply_to_header("From: a@example.com\r\nBcc: secret@example.net\r\nTo: b@example.net\r\n")
            .substr(0, 3),
        "250");
    const auto content = last_content();
    EXPECT_FALSE(content.contains("secret@")) << content;
    EXPECT_TRUE(content.contains("\r\nDate: ")) << content;
    EXPECT_TRUE(content.contains("\r\nMessage-ID: <")) << content;
    EXPECT_TRUE(content.ends_with("\r\n\r\nHello\r\n")) << content;
}

TEST_F(SessionData, TakesPriorityFromTheHeader) {
    reply_to_header("From: a@example.com\r\nX-Priority: 1\r\n");
    EXPECT_EQ(harness.spool.stored().at(0).envelope.priority, 2);
}

TEST_F(SessionData, RefusesMailWhileNothingCanBeStored) {
    harness.spool.set_health({.accepting = false, .reason = "disk full"});
    TestClient& client = connect();
    EXPECT_EQ(client.ask("MAIL FROM:<shop@example.com>"),
              "452 4.3.1 The relay cannot store mail at the moment; try again later");
}

TEST_F(SessionData, RefusesAMessageThatCouldNotBeStored) {
    harness.spool.fail_with(
        spool::StoreFailure{spool::StoreFailure::Kind::no_space, "write: no space"});
    EXPECT_EQ(reply_to_header("From: a@example.com\r\n"),
              "452 4.3.1 The relay cannot store mail at the moment; try again later");
    harness.spool.fail_with(std::nullopt);
    EXPECT_EQ(reply_to_header("From: a@example.com\r\n").substr(0, 3), "250");
    EXPECT_EQ(harness.spool.stored().size(), 1U);
}

TEST_F(SessionData, RefusesALargeMessageThatCouldNotBeStored) {
    std::string body;
    while (body.size() < 400'000) body += std::string(98, 'x') + "\r\n";
    EXPECT_EQ(reply_to_data(std::string(header) + body + ".\r\n"),
              "452 4.3.1 The relay cannot store mail at the moment; try again later");
}

class SessionBdat : public SessionData {
  protected:
    static std::string bdat(std::string_view octets, bool last) {
        return "BDAT " + std::to_string(octets.size()) + (last ? " LAST\r\n" : "\r\n") +
               std::string(octets);
    }
};

TEST_F(SessionBdat, PutsChunksTogether) {
    TestClient& client = begin();
    client.send(bdat(header.substr(0, 7), false) + bdat(header.substr(7), false) +
                bdat("Hel", false) + bdat("lo\r\n.\r\n", true));
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok: 7 octets received");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok: 19 octets received");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok: 3 octets received");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok: queued as 0000000001");
    EXPECT_TRUE(last_content().ends_with("\r\n\r\nHello\r\n.\r\n")) << last_content();
}

TEST_F(SessionBdat, TakesAnEmptyLastChunk) {
    TestClient& client = begin();
    client.send(bdat(header, false) + bdat("", true) + "NOOP\r\n");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok: 26 octets received");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok: queued as 0000000001");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok");
}

TEST_F(SessionBdat, ThrowsAwayTheOctetsOfARefusedChunk) {
    TestClient& client = connect();
    client.send("MAIL FROM:<shop@other.example>\r\nRCPT TO:<you@example.net>\r\n" +
                bdat("QUIT\r\nRSET\r\n", true) + "NOOP\r\n");
    EXPECT_EQ(client.read_line().substr(0, 9), "550 5.7.1");
    EXPECT_EQ(client.read_line(), "503 5.5.1 Send MAIL FROM first");
    EXPECT_EQ(client.read_line(), "503 5.5.1 Send MAIL FROM first");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok");
}

TEST_F(SessionBdat, ThrowsAwayChunksBehindABadOne) {
    TestClient& client = begin();
    client.send(bdat(std::string(header) + "bare\nLF", false) + bdat("QUIT\r\n", false) +
                bdat("QUIT\r\n", true) + "NOOP\r\n");
    EXPECT_EQ(client.read_line().substr(0, 10), "550 5.6.11");
    EXPECT_EQ(client.read_line(),
              "503 5.5.1 The message has failed with an earlier chunk; send RSET");
    EXPECT_EQ(client.read_line(),
              "503 5.5.1 The message has failed with an earlier chunk; send RSET");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok");
    EXPECT_TRUE(harness.spool.stored().empty());
}

TEST_F(SessionBdat, RefusesAChunkThatIsTooBigBeforeItHasCome) {
    harness.limits.max_message_size = 1000;
    TestClient& client = begin();
    client.send(bdat(std::string(2000, 'x'), true) + "NOOP\r\n");
    EXPECT_EQ(client.read_line().substr(0, 9), "552 5.3.4");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok");
}

TEST_F(SessionBdat, ForgetsChunksAfterReset) {
    TestClient& client = begin();
    client.send(bdat("From: evil@other.example\r\n", false) + "RSET\r\n" + std::string(envelope) +
                bdat(header, true));
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok: 26 octets received");
    EXPECT_EQ(client.read_line(), "250 2.0.0 Ok");
    EXPECT_EQ(client.read_line(), "250 2.1.0 Ok");
    EXPECT_EQ(client.read_line(), "250 2.1.5 Ok");
    EXPECT_EQ(client.read_line().substr(0, 22), "250 2.0.0 Ok: queued a");
    EXPECT_FALSE(last_content().contains("evil"));
}

TEST_F(SessionBdat, MixesNotWithData) {
    TestClient& client = begin();
    client.send(bdat(header, false));
    client.read_line();
    EXPECT_EQ(client.ask("DATA").substr(0, 9), "503 5.5.1");
    client.send(bdat("x\r\n", true));
    EXPECT_EQ(client.read_line().substr(0, 3), "250");
}

TEST_F(SessionBdat, EndsASessionWhoseChunkHasNoSize) {
    TestClient& client = begin();
    EXPECT_EQ(client.ask("BDAT many LAST").substr(0, 9), "501 5.5.4");
    client.send_line("NOOP");
    client.close();
}

TEST_F(SessionBdat, RefusesAHeaderAfterTheLastChunk) {
    TestClient& client = begin();
    client.send(bdat("From: x@other.example\r\n\r\n", true) + std::string(envelope) +
                bdat(header, true));
    EXPECT_EQ(client.read_line().substr(0, 9), "550 5.7.1");
    EXPECT_EQ(client.read_line(), "250 2.1.0 Ok");
    EXPECT_EQ(client.read_line(), "250 2.1.5 Ok");
    EXPECT_EQ(client.read_line().substr(0, 3), "250");
}

}  // namespace
}  // namespace outpost::test

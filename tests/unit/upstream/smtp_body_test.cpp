#include <gtest/gtest.h>

#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

using test::FakeBody;
using test::Script;
using test::SmtpTest;

const std::vector<std::string> pipelining{"PIPELINING", "8BITMIME"};
const Script envelope{"C: MAIL FROM:<a@test>",
                      "C: RCPT TO:<r0@test>",
                      "C: DATA",
                      "S: 250 ok",
                      "S: 250 ok",
                      "S: 354 go"};

Script data(std::string mail = "C: MAIL FROM:<a@test>") {
    auto script = envelope;
    script[0] = std::move(mail);
    script.insert(script.end(), {"BODY", "S: 250 ok"});
    return script;
}

/// A message of many lines, some of which begin with a dot.
std::string long_message(std::size_t lines) {
    std::string text = "Subject: long\r\n\r\n";
    for (std::size_t i = 0; i < lines; ++i)
        text += (i % 7 == 0 ? "." : "") + std::string("line ") + std::to_string(i) + "\r\n";
    return text;
}

std::string unstuffed(std::string text) {
    for (std::size_t at = 0; (at = text.find("\r\n..", at)) != std::string::npos; at += 3)
        text.erase(at + 2, 1);
    return text.substr(0, text.size() - 3);
}

TEST_F(SmtpTest, SendsALongMessageOctetForOctet) {
    const auto text = long_message(60'000);
    for (const std::size_t piece : {997UL, 65'536UL, 1'000'000UL}) {
        server_->expect(session(pipelining, data("C: MAIL FROM:<a@test> BODY=8BITMIME")));
        FakeBody body(text, piece);
        EXPECT_EQ(send(body).outcomes[0].verdict, Verdict::delivered);
        EXPECT_EQ(unstuffed(server_->bodies().back()), text);
        transport_.reset();
    }
}

TEST_F(SmtpTest, SendsALongMessageInOneChunkOnceARecipientIsAccepted) {
    const auto text = long_message(60'000);
    const auto size = std::to_string(text.size());
    server_->expect(
        session({"PIPELINING", "8BITMIME", "CHUNKING"},
                {"C: MAIL FROM:<a@test> BODY=8BITMIME", "C: RCPT TO:<r0@test>", "S: 250 ok",
                 "S: 250 ok", "C: BDAT " + size + " LAST", "CHUNK " + size, "S: 250 ok"}));
    FakeBody body(text, 100'000);
    EXPECT_EQ(send(body).outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(server_->bodies().at(0), text);
}

TEST_F(SmtpTest, SendsASmallMessageThatComesInPieces) {
    server_->expect(session(pipelining, data()));
    FakeBody body("Subject: x\r\n\r\n.dot\r\n", 3);
    EXPECT_EQ(send(body).outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(server_->bodies().at(0), "Subject: x\r\n\r\n..dot\r\n.\r\n");
}

TEST_F(SmtpTest, SendsAnEmptyMessage) {
    server_->expect(session({"PIPELINING", "8BITMIME", "CHUNKING"},
                            {"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: BDAT 0 LAST",
                             "S: 250 ok", "S: 250 ok", "S: 250 ok"}));
    EXPECT_EQ(send("").outcomes[0].verdict, Verdict::delivered);
}

TEST_F(SmtpTest, NeverCompletesAMessageThatCannotBeRead) {
    server_->expect(
        session(pipelining, {"C: MAIL FROM:<a@test> BODY=8BITMIME", "C: RCPT TO:<r0@test>",
                             "C: DATA", "S: 250 ok", "S: 250 ok", "S: 354 go"}));
    FakeBody body(long_message(20'000), 50'000);
    body.fail_at(100'000);
    const auto outcome = send(body).outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::message);
    EXPECT_EQ(outcome.reply.lines.at(0), "segment 3: checksum mismatch");
}

TEST_F(SmtpTest, NeverCompletesAMessageOfAnotherSizeThanItClaims) {
    server_->expect(
        session(pipelining, {"C: MAIL FROM:<a@test> BODY=8BITMIME", "C: RCPT TO:<r0@test>",
                             "C: DATA", "S: 250 ok", "S: 250 ok", "S: 354 go"}));
    FakeBody body(long_message(20'000), 50'000);
    body.claim(body.size() + 1);
    EXPECT_EQ(send(body).outcomes[0].verdict, Verdict::deferred);
}

TEST_F(SmtpTest, RefusesAMessageOverTheServersSize) {
    server_->expect(session({"PIPELINING", "8BITMIME", "SIZE 10"}, {"C: QUIT", "S: 221 bye"}));
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::failed);
    EXPECT_EQ(outcome.reply.status, (smtp::EnhancedStatus{5, 3, 4}));
    EXPECT_EQ(outcome.reply.lines.at(0),
              "the message of 21 octets is over the upstream's limit of 10 octets (SIZE)");
    loop_.run(transport().close());
}

TEST_F(SmtpTest, RefusesAnInternationalAddressWithoutSmtputf8) {
    server_->expect(session(pipelining, {"C: QUIT", "S: 221 bye"}));
    envelope_.reverse_path = "j\xc3\xbcrgen@test";
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::failed);
    EXPECT_EQ(outcome.reply.status, (smtp::EnhancedStatus{5, 6, 7}));
    loop_.run(transport().close());
}

TEST_F(SmtpTest, AsksForSmtputf8OnlyWhereTheMessageNeedsIt) {
    envelope_.smtputf8 = true;
    server_->expect(session(pipelining, data()));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    transport_.reset();
    server_->expect(session({"PIPELINING", "8BITMIME", "SMTPUTF8"},
                            data("C: MAIL FROM:<a@test> BODY=8BITMIME SMTPUTF8")));
    EXPECT_EQ(send("Subject: gr\xc3\xbc\xc3\x9f\r\n\r\nx\r\n").outcomes[0].verdict,
              Verdict::delivered);
}

TEST_F(SmtpTest, SaysThatABodyIsEightBitWhereItIs) {
    server_->expect(session(pipelining, data("C: MAIL FROM:<a@test> BODY=8BITMIME")));
    EXPECT_EQ(send("Subject: x\r\n\r\n\xc3\xa9\r\n").outcomes[0].verdict, Verdict::delivered);
}

TEST_F(SmtpTest, ReEncodesAnEightBitBodyForAServerWithout8bitmime) {
    server_->expect(session({"PIPELINING"}, data()));
    const auto report = send(
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n"
        "A long line of plain words with a single accent at its end: caf\xc3\xa9\r\n");
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
    const auto& body = server_->bodies().at(0);
    EXPECT_EQ(body.find('\xc3'), std::string::npos);
    EXPECT_NE(body.find("caf=C3=A9"), std::string::npos);
}

TEST_F(SmtpTest, SendsASevenBitBodyAsItIsToAServerWithout8bitmime) {
    server_->expect(session({"PIPELINING"}, data()));
    envelope_.body = smtp::BodyType::eight_bit_mime;
    const auto text = long_message(20'000);
    FakeBody body(text, 50'000);
    EXPECT_EQ(send(body).outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(unstuffed(server_->bodies().at(0)), text);
}

TEST_F(SmtpTest, BelievesARefusalInTheMiddleOfTheBody) {
    auto script = session(pipelining, envelope);
    script[6] = "C: MAIL FROM:<a@test> BODY=8BITMIME";
    script.insert(script.end(), {"S: 552 5.3.4 too big", "RESET"});
    server_->expect(script);
    FakeBody body(long_message(2'000'000), 65'536);
    const auto outcome = send(body).outcomes[0];
    // The kernel may drop the reply with the connection; then it is a broken connection.
    if (outcome.reply.code == 552) {
        EXPECT_EQ(outcome.verdict, Verdict::failed);
    } else {
        EXPECT_EQ(outcome.verdict, Verdict::deferred);
    }
}

}  // namespace
}  // namespace outpost::upstream

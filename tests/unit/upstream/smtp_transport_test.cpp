#include "upstream/smtp_transport.hpp"

#include <gtest/gtest.h>

#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

using test::FakeBody;
using test::Script;
using test::SmtpTest;

const std::vector<std::string> pipelining{"PIPELINING", "8BITMIME"};
const std::vector<std::string> chunking{"PIPELINING", "8BITMIME", "CHUNKING"};

const Script one_mail{"C: MAIL FROM:<a@test>",
                      "C: RCPT TO:<r0@test>",
                      "C: DATA",
                      "S: 250 2.1.0 ok",
                      "S: 250 2.1.5 ok",
                      "S: 354 go",
                      "BODY",
                      "S: 250 2.0.0 queued as Q1"};
const Script goodbye{"C: QUIT", "S: 221 bye", "GONE"};

TEST_F(SmtpTest, DeliversAMessageAndReportsHow) {
    server_->expect(session(pipelining, joined(one_mail, goodbye)));
    const auto report = send();
    ASSERT_EQ(report.outcomes.size(), 1U);
    const auto& outcome = report.outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::delivered);
    EXPECT_EQ(outcome.remote_id, "Q1");
    EXPECT_EQ(outcome.reply.code, 250);
    EXPECT_EQ(outcome.remote, "127.0.0.1 [127.0.0.1]:" + std::to_string(server_->port()));
    EXPECT_FALSE(report.reused);
    EXPECT_FALSE(report.dsn_relayed);
    EXPECT_GT(report.stages.connect.count(), 0);
    EXPECT_GT(report.stages.greeting.count(), 0);
    EXPECT_GT(report.stages.transfer.count(), 0);
    EXPECT_EQ(server_->bodies().at(0), "Subject: x\r\n\r\nhello\r\n.\r\n");
}

TEST_F(SmtpTest, ReusesAConnection) {
    server_->expect(session(pipelining, joined(joined(one_mail, one_mail), goodbye)));
    EXPECT_FALSE(send().reused);
    const auto report = send();
    EXPECT_TRUE(report.reused);
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(report.stages.connect.count(), 0);
    EXPECT_EQ(report.stages.greeting.count(), 0);
    EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(SmtpTest, EndsAConnectionAfterItsMessages) {
    smtp_.messages_per_connection = 2;
    for (int i = 0; i < 2; ++i)
        server_->expect(session(pipelining, joined(joined(one_mail, one_mail), goodbye)));
    for (int i = 0; i < 4; ++i) EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(server_->connections(), 2U);
}

struct Stale {
    std::string_view name;
    Script end;
};

TEST_F(SmtpTest, GoesOnAFreshConnectionWhenAKeptOneIsDead) {
    const std::vector<Stale> cases{
        {"closed while idle", {}},
        {"closed after the command", {"C: MAIL FROM:<a@test>"}},
        {"421 to MAIL", {"C: MAIL FROM:<a@test>", "S: 421 4.4.2 idle too long"}},
        {"421 while idle", {"S: 421 4.4.2 idle too long"}},
        {"reset", {"RESET"}},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.name);
        const auto before = server_->connections();
        server_->expect(session(pipelining, joined(one_mail, each.end)));
        server_->expect(session(pipelining, one_mail));
        EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
        const auto report = send();
        EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
        EXPECT_FALSE(report.reused);
        EXPECT_EQ(server_->connections(), before + 2);
        transport_.reset();
    }
}

TEST_F(SmtpTest, SendsAChunkedBodyAgainWhenAKeptConnectionIsDead) {
    const Script chunk{"C: MAIL FROM:<a@test>",
                       "C: RCPT TO:<r0@test>",
                       "C: BDAT 21 LAST",
                       "CHUNK 21",
                       "S: 250 ok",
                       "S: 250 ok",
                       "S: 250 queued as Q2"};
    server_->expect(session(chunking, joined(chunk, {"C: MAIL FROM:<a@test>"})));
    server_->expect(session(chunking, joined(chunk, goodbye)));
    send();
    const auto report = send();
    EXPECT_EQ(report.outcomes[0].remote_id, "Q2");
    EXPECT_EQ(server_->bodies().at(1), "Subject: x\r\n\r\nhello\r\n");
}

TEST_F(SmtpTest, KeepsTheBodyBackWhereAnUncertainMessageIsReported) {
    smtp_.uncertain = config::Uncertain::report;
    server_->expect(session(chunking, {"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "S: 250 ok",
                                       "S: 250 ok", "C: BDAT 21 LAST", "CHUNK 21", "S: 250 ok"}));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
}

TEST_F(SmtpTest, DefersWhenAFreshConnectionDies) {
    server_->expect(session(pipelining, {"C: MAIL FROM:<a@test>"}));
    const auto report = send();
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::deferred);
    EXPECT_EQ(report.outcomes[0].scope, Scope::upstream);
    EXPECT_EQ(report.outcomes[0].reply.code, 0);
    EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(SmtpTest, GivesEveryBrokenStepASafeOutcome) {
    const auto whole = session(pipelining, one_mail);
    for (std::size_t length = 0; length < whole.size(); ++length) {
        for (const auto* garbage : {"", "RAW \x16\x03\x01 junk\r\n", "RAW 250 bare\n"}) {
            SCOPED_TRACE(std::to_string(length) + garbage);
            Script script(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
            if (*garbage != 0) script.emplace_back(garbage);
            server_->expect(script);
            const auto outcome = send().outcomes[0];
            // After 354 the body may be on its way before the end of the connection is seen.
            if (length == whole.size() - 2 && outcome.verdict == Verdict::uncertain) continue;
            const bool body_out = length == whole.size() - 1;
            EXPECT_EQ(outcome.verdict, body_out ? Verdict::uncertain : Verdict::deferred);
            EXPECT_EQ(outcome.reply.code, 0);
            EXPECT_FALSE(outcome.reply.lines.at(0).empty());
            transport_.reset();
        }
    }
}

TEST_F(SmtpTest, CallsSilenceAfterTheWholeMessageUncertain) {
    limits_.verdict = std::chrono::seconds(0);
    server_->expect(
        session(pipelining, joined(Script(one_mail.begin(), one_mail.end() - 1), {"GONE"})));
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::uncertain);
    EXPECT_EQ(outcome.reply.lines[0], "waiting for a reply timed out after 0 s");
}

TEST_F(SmtpTest, DefersWhenNothingListens) {
    smtp_.port = server_->port();
    server_->stop();
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::upstream);
    EXPECT_EQ(outcome.reply, smtp::own_words("connection refused"));
    EXPECT_EQ(outcome.remote, "127.0.0.1 [127.0.0.1]:" + std::to_string(smtp_.port));
}

TEST_F(SmtpTest, KeepsAQueueThatTheServerTurnsAway) {
    server_->expect({"S: 554 5.7.1 out of service", "C: QUIT", "S: 221 bye", "GONE"});
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::upstream);
    EXPECT_EQ(outcome.reply.code, 554);
}

TEST_F(SmtpTest, ReportsEachRecipientForItself) {
    server_->expect(
        session(pipelining,
                {"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: RCPT TO:<r1@test>",
                 "C: RCPT TO:<r2@test>", "C: DATA", "S: 250 ok", "S: 250 ok", "S: 550 5.1.1 nobody",
                 "S: 450 4.2.0 greylisted", "S: 354 go", "BODY", "S: 250 2.0.0 queued as Q"}));
    const auto report = send("x\r\n", 3);
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(report.outcomes[1].verdict, Verdict::failed);
    EXPECT_EQ(report.outcomes[2].verdict, Verdict::deferred);
    EXPECT_EQ(report.outcomes[2].scope, Scope::recipient);
}

TEST_F(SmtpTest, BeginsWithRsetAfterARefusalOfAllRecipients) {
    server_->expect(session(
        pipelining, {"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA", "S: 250 ok",
                     "S: 550 5.1.1 nobody", "S: 554 5.5.1 no valid recipients", "C: RSET",
                     "C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA", "S: 250 ok",
                     "S: 250 ok", "S: 250 ok", "S: 354 go", "BODY", "S: 250 ok"}));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::failed);
    const auto report = send();
    EXPECT_TRUE(report.reused);
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
}

TEST_F(SmtpTest, SplitsRecipientsByTheServersLimits) {
    const auto half = [](int first, int second) {
        return Script{"C: MAIL FROM:<a@test>",
                      "C: RCPT TO:<r" + std::to_string(first) + "@test>",
                      "C: RCPT TO:<r" + std::to_string(second) + "@test>",
                      "C: DATA",
                      "S: 250 ok",
                      "S: 250 ok",
                      "S: 250 ok",
                      "S: 354 go",
                      "BODY",
                      "S: 250 queued as Q" + std::to_string(first)};
    };
    server_->expect(
        session({"PIPELINING", "8BITMIME", "LIMITS RCPTMAX=2"}, joined(half(0, 1), half(2, 3))));
    const auto report = send("x\r\n", 4);
    EXPECT_EQ(report.outcomes[1].remote_id, "Q0");
    EXPECT_EQ(report.outcomes[3].remote_id, "Q2");
    EXPECT_EQ(server_->connections(), 1U);
}

TEST_F(SmtpTest, TakesAFreshConnectionAfterMailmax) {
    const std::vector<std::string> limits{"PIPELINING", "8BITMIME", "LIMITS MAILMAX=1 RCPTMAX=1"};
    auto second = one_mail;
    second[1] = "C: RCPT TO:<r1@test>";
    server_->expect(session(limits, joined(one_mail, goodbye)));
    server_->expect(session(limits, joined(second, goodbye)));
    const auto report = send("x\r\n", 2);
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(report.outcomes[1].verdict, Verdict::delivered);
    EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(SmtpTest, TakesAFreshConnectionForAnotherDomainWhereTheServerAsksForIt) {
    const std::vector<std::string> limits{"PIPELINING", "8BITMIME", "LIMITS RCPTDOMAINMAX=1"};
    auto second = one_mail;
    second[1] = "C: RCPT TO:<x@other>";
    server_->expect(session(limits, joined(one_mail, goodbye)));
    server_->expect(session(limits, joined(second, goodbye)));
    envelope_.recipients = {{.address = "r0@test", .notify = {}, .orcpt = {}},
                            {.address = "x@other", .notify = {}, .orcpt = {}}};
    const auto report = send("x\r\n", 2);
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(report.outcomes[1].verdict, Verdict::delivered);
}

TEST_F(SmtpTest, SendsTheRestWhereATransactionWasFull) {
    auto second = one_mail;
    second[1] = "C: RCPT TO:<r1@test>";
    server_->expect(session(
        pipelining, joined({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: RCPT TO:<r1@test>",
                            "C: DATA", "S: 250 ok", "S: 250 ok", "S: 452 4.5.3 too many recipients",
                            "S: 354 go", "BODY", "S: 250 ok"},
                           second)));
    const auto report = send("x\r\n", 2);
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(report.outcomes[1].verdict, Verdict::delivered);
}

TEST_F(SmtpTest, DefersTheRestWhenTheConnectionBreaksBetweenTransactions) {
    server_->expect(session({"PIPELINING", "8BITMIME", "LIMITS RCPTMAX=1"},
                            Script(one_mail.begin(), one_mail.end() - 1)));
    const auto report = send("x\r\n", 2);
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::uncertain);
    EXPECT_EQ(report.outcomes[1].verdict, Verdict::deferred);
}

TEST_F(SmtpTest, DropsAConnectionThatSaysMoreThanItWasAsked) {
    auto chatty = one_mail;
    chatty.emplace_back("S: 250 and another");
    server_->expect(session(pipelining, joined(chatty, {"GONE"})));
    server_->expect(session(pipelining, one_mail));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(server_->connections(), 2U);
}

TEST_F(SmtpTest, SaysQuitToIdleConnectionsAtTheEnd) {
    server_->expect(session(pipelining, joined(one_mail, goodbye)));
    send();
    loop_.run(transport().close());
}

TEST_F(SmtpTest, ClosesWithinAShortTimeWhenTheServerIsSilent) {
    server_->expect(session(pipelining, joined(one_mail, {"C: QUIT", "GONE"})));
    send();
    loop_.run(transport().close());
}

TEST_F(SmtpTest, ProbesWithoutSendingMail) {
    server_->expect(session(pipelining, goodbye));
    EXPECT_TRUE(loop_.run(transport().probe()).has_value());
    server_->expect({"S: 554 closed", "C: QUIT", "S: 221 bye"});
    const auto probe = loop_.run(transport().probe());
    ASSERT_FALSE(probe.has_value());
    EXPECT_NE(probe.error().find("554 closed"), std::string::npos);
}

TEST_F(SmtpTest, TellsWhenTheServerReportsDeliveriesItself) {
    server_->expect(session({"PIPELINING", "8BITMIME", "DSN"}, one_mail));
    EXPECT_TRUE(send().dsn_relayed);
}

}  // namespace
}  // namespace outpost::upstream

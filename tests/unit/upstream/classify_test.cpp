#include "upstream/classify.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "smtp/client_script.hpp"

namespace outpost::upstream {
namespace {

using smtp::ClientFailure;
using smtp::ClientFault;
using smtp::ClientStage;
using std::chrono::seconds;
using Stage = ClientStage;

struct Case {
    Stage stage;
    std::string_view reply;
    Verdict verdict;
    Scope scope;
};

void check(const std::vector<Case>& cases) {
    for (const auto& each : cases) {
        SCOPED_TRACE(each.reply);
        const auto outcome =
            classify({each.stage, ClientFault::refused, smtp::test::reply(each.reply)});
        EXPECT_EQ(outcome.verdict, each.verdict);
        EXPECT_EQ(outcome.scope, each.scope);
        EXPECT_EQ(outcome.reply, smtp::test::reply(each.reply));
    }
}

constexpr auto deferred = Verdict::deferred;
constexpr auto failed = Verdict::failed;
constexpr auto misconfigured = Verdict::misconfigured;

TEST(Classify, NeverBouncesForWhatIsWrongWithTheSession) {
    check({
        {Stage::banner, "554 5.7.1 no service for you", deferred, Scope::upstream},
        {Stage::banner, "421 4.3.2 busy", deferred, Scope::upstream},
        {Stage::banner, "450 later", deferred, Scope::upstream},
        {Stage::ehlo, "550 5.7.1 go away", deferred, Scope::upstream},
        {Stage::ehlo, "451 4.3.0 later", deferred, Scope::upstream},
        {Stage::starttls, "454 4.7.0 TLS not available", deferred, Scope::upstream},
        {Stage::starttls, "502 5.5.1 no", misconfigured, Scope::upstream},
        {Stage::auth, "535 5.7.8 bad credentials", misconfigured, Scope::upstream},
        {Stage::auth, "534 5.7.9 mechanism too weak", misconfigured, Scope::upstream},
        {Stage::auth, "538 5.7.11 encryption required", misconfigured, Scope::upstream},
        {Stage::auth, "525 5.7.13 account disabled", misconfigured, Scope::upstream},
        {Stage::auth, "504 5.5.4 mechanism unknown", misconfigured, Scope::upstream},
        {Stage::auth, "454 4.7.0 temporary failure", deferred, Scope::upstream},
        {Stage::auth, "421 4.7.0 too many failures", deferred, Scope::upstream},
    });
}

TEST(Classify, SuspendsWhereTheServerAsksForALogin) {
    check({
        {Stage::mail, "530 5.7.0 Authentication required", misconfigured, Scope::upstream},
        {Stage::mail, "530 5.7.57 Client not authenticated to send mail", misconfigured,
         Scope::upstream},
        {Stage::mail, "550 5.7.1 authentication required", misconfigured, Scope::upstream},
        {Stage::rcpt, "530 5.7.1 log in first", misconfigured, Scope::recipient},
        {Stage::rcpt, "554 5.7.1 you must authenticate first", misconfigured, Scope::recipient},
        {Stage::mail, "550 5.7.0 your account suspended", misconfigured, Scope::upstream},
        {Stage::verdict, "550 5.7.26 mail must authenticate with SPF or DKIM", failed,
         Scope::message},
        {Stage::rcpt, "550 5.2.1 account disabled", failed, Scope::recipient},
    });
}

TEST(Classify, LetsNoAddressThatTheServerRepeatsDecide) {
    check({
        {Stage::rcpt, "550 5.1.1 <\"authentication required\"@test>: unknown", failed,
         Scope::recipient},
        {Stage::rcpt, "550 5.1.1 \"relay denied\"@test unknown", failed, Scope::recipient},
        {Stage::rcpt, "450 4.1.1 <too.many-rate@test>: unknown", deferred, Scope::recipient},
    });
}

TEST(Classify, KeepsMailThatTheServerWillNotRelay) {
    check({
        {Stage::rcpt, "554 5.7.1 <a@test>: Relay access denied", deferred, Scope::recipient},
        {Stage::rcpt, "550 5.7.1 relaying denied", deferred, Scope::recipient},
        {Stage::rcpt, "550 5.7.64 TenantAttribution; Relay Access Denied", deferred,
         Scope::recipient},
        {Stage::rcpt, "550 Unable to relay", deferred, Scope::recipient},
    });
}

TEST(Classify, SlowsTheUpstreamForThrottleReplies) {
    check({
        {Stage::mail, "421 4.7.0 try later", deferred, Scope::upstream},
        {Stage::rcpt, "421 closing", deferred, Scope::upstream},
        {Stage::verdict, "421 4.4.2 timeout", deferred, Scope::upstream},
        {Stage::mail, "454 4.7.0 Throttling failure: Maximum sending rate exceeded.", deferred,
         Scope::upstream},
        {Stage::rcpt, "450 4.7.1 slow down", deferred, Scope::upstream},
        {Stage::mail, "450 4.2.1 receiving mail at a rate", deferred, Scope::upstream},
        {Stage::auth, "450 4.2.1 not now", deferred, Scope::upstream},
        {Stage::verdict, "450 4.2.1 your sending rate is exceeded", deferred, Scope::upstream},
        {Stage::rcpt, "421 4.2.1 closing", deferred, Scope::upstream},
        {Stage::rcpt, "451 4.4.5 congestion", deferred, Scope::upstream},
        {Stage::rcpt, "452 4.3.2 not now", deferred, Scope::upstream},
        {Stage::mail, "451 Too many messages", deferred, Scope::upstream},
        {Stage::verdict, "452 Daily quota exceeded", deferred, Scope::upstream},
    });
}

TEST(Classify, DefersOneRecipientForWhatConcernsItAlone) {
    check({
        {Stage::rcpt, "450 4.2.0 Greylisted, try again", deferred, Scope::recipient},
        {Stage::rcpt, "451 4.7.1 Greylisting in action", deferred, Scope::recipient},
        {Stage::rcpt, "452 4.2.2 mailbox over quota", deferred, Scope::recipient},
        {Stage::rcpt, "450 4.2.1 mailbox temporarily disabled", deferred, Scope::recipient},
        {Stage::rcpt,
         "450 4.2.1 The user you are trying to contact is receiving mail at a rate that prevents "
         "additional messages",
         deferred, Scope::recipient},
        {Stage::verdict, "450 4.2.1 mailbox temporarily disabled", deferred, Scope::message},
        {Stage::rcpt, "450 4.1.1 unknown for now", deferred, Scope::recipient},
        {Stage::rcpt, "451 4.3.0 temporary lookup failure, regenerate", deferred, Scope::recipient},
        {Stage::rcpt, "452 4.5.3 too many recipients", deferred, Scope::recipient},
        {Stage::rcpt, "452 too many recipients", deferred, Scope::recipient},
        {Stage::rcpt, "552 5.5.3 too many recipients", deferred, Scope::recipient},
    });
}

TEST(Classify, GivesRefusalsToThoseTheyConcern) {
    check({
        {Stage::mail, "552 5.3.4 too big", failed, Scope::message},
        {Stage::mail, "553 5.1.8 sender domain unknown", failed, Scope::message},
        {Stage::mail, "451 4.1.8 sender domain does not resolve", deferred, Scope::message},
        {Stage::rcpt, "550 5.1.1 unknown", failed, Scope::recipient},
        {Stage::rcpt, "550", failed, Scope::recipient},
        {Stage::data, "554 5.5.1 no", failed, Scope::message},
        {Stage::data, "451 4.3.0 no", deferred, Scope::message},
        {Stage::verdict, "554 5.6.0 spam", failed, Scope::message},
        {Stage::verdict, "552 5.2.3 too big", failed, Scope::message},
        {Stage::verdict, "451 4.3.0 queue file write error", deferred, Scope::message},
    });
}

TEST(Classify, NeverBouncesForAFailureOfTheNetwork) {
    for (const auto stage : {Stage::connect, Stage::banner, Stage::ehlo, Stage::starttls,
                             Stage::handshake, Stage::auth, Stage::mail, Stage::rcpt, Stage::data})
        for (const auto fault :
             {ClientFault::disconnected, ClientFault::timed_out, ClientFault::protocol}) {
            const auto outcome = classify({stage, fault, smtp::own_words("connection refused")});
            EXPECT_EQ(outcome.verdict, deferred);
            EXPECT_EQ(outcome.scope, Scope::upstream);
            EXPECT_EQ(outcome.reply.code, 0);
        }
}

TEST(Classify, MapsEveryOtherFault) {
    const auto verdict = [](ClientFault fault) {
        return classify({Stage::handshake, fault, smtp::own_words("x")}).verdict;
    };
    EXPECT_EQ(verdict(ClientFault::none), Verdict::delivered);
    EXPECT_EQ(verdict(ClientFault::not_offered), misconfigured);
    EXPECT_EQ(verdict(ClientFault::certificate), misconfigured);
    EXPECT_EQ(verdict(ClientFault::sasl), misconfigured);
    EXPECT_EQ(verdict(ClientFault::uncertain), Verdict::uncertain);
    EXPECT_EQ(verdict(ClientFault::local), deferred);
}

TEST(Classify, TakesTheUpstreamsIdFromItsLastReply) {
    const auto outcome = classify(
        {Stage::verdict, ClientFault::none, smtp::test::reply("250 2.0.0 Ok: queued as 4Bx")});
    EXPECT_EQ(outcome.verdict, Verdict::delivered);
    EXPECT_EQ(outcome.remote_id, "4Bx");
}

TEST(QueuedId, IsFoundInTheWordsOfKnownServers) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases{
        {"Ok: queued as 4BC12D", "4BC12D"},
        {"from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as ABC", "ABC"},
        {"Ok: queued as ABC.", "ABC"},
        {"OK id=1pXyz-0001", "1pXyz-0001"},
        {"u7L3x Message accepted for delivery", "u7L3x"},
        {"Ok 0102018c-abcd-ef01-000000", "0102018c-abcd-ef01-000000"},
        {"queued as <abc@test>", "abc@test"},
        {"Ok", ""},
        {"OK  1700000000 d2e1a72fcca58 - gsmtp", ""},
        {"queued as ", ""},
        {"", ""},
    };
    for (const auto& [text, id] : cases) EXPECT_EQ(queued_id(text), id) << text;
}

TEST(StatedWait, ReadsTheWaitThatAReplyAsksFor) {
    const std::vector<std::pair<std::string_view, std::optional<seconds>>> cases{
        {"try again in 5 minutes", seconds(300)},
        {"Please try again after 30 seconds.", seconds(30)},
        {"retry after 90s", seconds(90)},
        {"Retry-After: 120", seconds(120)},
        {"wait 2 hours", seconds(7200)},
        {"please wait about 10min", seconds(600)},
        {"greylisted, retry in 00300 seconds", seconds(300)},
        {"wait 99999999999999999999 hours", seconds(86400)},
        {"try again later", std::nullopt},
        {"limit is 500 messages in 1 hour", std::nullopt},
        {"try again in 5 parsecs", std::nullopt},
        {"wait", std::nullopt},
        {"", std::nullopt},
    };
    for (const auto& [text, wait] : cases) EXPECT_EQ(stated_wait(text), wait) << text;
}

TEST(StatedWait, StandsInTheOutcome) {
    const auto outcome = classify(
        {Stage::mail, ClientFault::refused, smtp::test::reply("421 4.7.0 try again in 2 minutes")});
    EXPECT_EQ(outcome.retry_after, seconds(120));
}

}  // namespace
}  // namespace outpost::upstream

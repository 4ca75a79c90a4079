#include "upstream/provider/api_outcome.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpost::upstream::api {
namespace {

using std::chrono::seconds;
using namespace std::chrono_literals;

/// Mon, 20 Dec 2021 20:33:21 GMT.
const base::WallTime now{1640032401s};

net::HttpResponse answer(int status, net::HttpHeaders headers = {}) {
    return {.status = status, .headers = std::move(headers), .body = {}};
}

std::string text(const Outcome& outcome) {
    EXPECT_EQ(outcome.reply.lines.size(), 1U);
    return outcome.reply.lines.front();
}

TEST(ApiOutcome, SaysStatusAndWordsOnOneLine) {
    const auto outcome = message_refused(answer(422), " bad\r\n  thing\x01 ");
    EXPECT_EQ(text(outcome), "HTTP 422: bad    thing?");
    EXPECT_EQ(outcome.reply.code, 0);
    EXPECT_EQ(outcome.http_status, 422);
    EXPECT_EQ(text(unclear(answer(500), "")), "HTTP 500");
}

TEST(ApiOutcome, CutsLongWordsAtACharacter) {
    std::string words(299, 'a');
    words += "\xC3\xA9 and more";
    EXPECT_EQ(text(temporary(answer(500), words)), "HTTP 500: " + std::string(299, 'a') + "...");
    EXPECT_EQ(text(temporary(answer(500), std::string(300, 'b'))),
              "HTTP 500: " + std::string(300, 'b'));
}

struct Class {
    Outcome outcome;
    Verdict verdict;
    Scope scope;
    std::string status;
    bool elsewhere;
    bool alert;
};

TEST(ApiOutcome, GivesEachClassItsVerdictAndScope) {
    const auto any = answer(400);
    const std::vector<Class> classes{
        {delivered(any, "id", ""), Verdict::delivered, Scope::recipient, "2.0.0", false, false},
        {recipient_refused(any, ""), Verdict::failed, Scope::recipient, "5.1.1", false, false},
        {message_refused(any, ""), Verdict::failed, Scope::message, "5.6.0", true, false},
        {sender_unverified(any, ""), Verdict::deferred, Scope::sender, "4.7.1", true, true},
        {account_trouble(any, ""), Verdict::misconfigured, Scope::upstream, "4.7.0", false, false},
        {throttled(any, "", 5s), Verdict::deferred, Scope::upstream, "4.4.5", false, false},
        {temporary(any, ""), Verdict::deferred, Scope::message, "4.3.0", false, false},
        {temporary(answer(502), ""), Verdict::deferred, Scope::upstream, "4.3.0", false, false},
        {our_mistake(any, ""), Verdict::deferred, Scope::message, "4.3.5", true, true},
        {unclear(any, ""), Verdict::uncertain, Scope::message, "4.3.0", false, false},
    };
    for (const auto& each : classes) {
        SCOPED_TRACE(each.status);
        EXPECT_EQ(each.outcome.verdict, each.verdict);
        EXPECT_EQ(each.outcome.scope, each.scope);
        EXPECT_EQ(each.outcome.reply.status.text(), each.status);
        EXPECT_EQ(each.outcome.elsewhere, each.elsewhere);
        EXPECT_EQ(each.outcome.alert, each.alert);
    }
    EXPECT_EQ(classes[0].outcome.remote_id, "id");
    EXPECT_EQ(classes[3].outcome.retry_after, 3600s);
}

TEST(ApiOutcome, BoundsTheWaitToADay) {
    const auto wait = [](std::optional<seconds> stated) {
        return throttled(answer(429), "", stated).retry_after;
    };
    EXPECT_EQ(wait(5s), 5s);
    EXPECT_EQ(wait(48h), 24h);
    EXPECT_EQ(wait(0s), std::nullopt);
    EXPECT_EQ(wait(-5s), std::nullopt);
    EXPECT_EQ(wait(std::nullopt), std::nullopt);
}

TEST(RetryAfter, ReadsSecondsAndDates) {
    struct Case {
        std::string value;
        std::optional<seconds> wait;
    };
    const std::vector<Case> cases{
        {"120", 120s},
        {" 7 ", 7s},
        {"0", std::nullopt},
        {"86401", 24h},
        {"99999999999999999999", 24h},
        {"-3", std::nullopt},
        {"1.5", std::nullopt},
        {"soon", std::nullopt},
        {"", std::nullopt},
        {"Mon, 20 Dec 2021 20:35:21 GMT", 120s},
        {"Mon, 20 Dec 2021 20:35:21 UTC", 120s},
        {"Wed, 22 Dec 2021 20:35:21 GMT", 24h},
        {"Mon, 20 Dec 2021 20:33:21 GMT", std::nullopt},
        {"Mon, 20 Dec 2021 20:35:21 PST", std::nullopt},
        {"Mon, 31 Feb 2022 20:35:21 GMT", std::nullopt},
        {"Mon, 20 Foo 2021 20:35:21 GMT", std::nullopt},
        {"Mon, 20 Dec 2021 25:35:21 GMT", std::nullopt},
        {"Mon, 20 Dec 2021", std::nullopt},
    };
    for (const auto& each : cases)
        EXPECT_EQ(retry_after(answer(429, {{"retry-after", each.value}}), now), each.wait)
            << each.value;
    EXPECT_EQ(retry_after(answer(429), now), std::nullopt);
}

TEST(RetryAfter, RoundsUp) {
    EXPECT_EQ(until(now + 1500ms, now), 2s);
}

TEST(ByStatus, NeverBouncesButForSize) {
    for (int status = 100; status < 600; ++status) {
        const auto outcome = by_status(answer(status), "words", now);
        EXPECT_EQ(outcome.verdict == Verdict::failed, status == 413) << status;
        EXPECT_NE(outcome.verdict, Verdict::delivered) << status;
    }
}

TEST(ByStatus, KnowsTheStatusCodesThatSpeakForThemselves) {
    struct Case {
        int status;
        Verdict verdict;
        Scope scope;
        bool alert;
    };
    const std::vector<Case> cases{
        {200, Verdict::uncertain, Scope::message, false},
        {301, Verdict::deferred, Scope::message, true},
        {400, Verdict::deferred, Scope::message, true},
        {401, Verdict::misconfigured, Scope::upstream, false},
        {403, Verdict::misconfigured, Scope::upstream, false},
        {404, Verdict::deferred, Scope::message, true},
        {405, Verdict::deferred, Scope::message, true},
        {408, Verdict::deferred, Scope::message, false},
        {413, Verdict::failed, Scope::message, false},
        {415, Verdict::deferred, Scope::message, true},
        {421, Verdict::deferred, Scope::message, false},
        {429, Verdict::deferred, Scope::upstream, false},
        {500, Verdict::uncertain, Scope::message, false},
        {502, Verdict::uncertain, Scope::message, false},
        {503, Verdict::deferred, Scope::upstream, false},
        {504, Verdict::uncertain, Scope::message, false},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.status);
        const auto outcome = by_status(answer(each.status, {{"retry-after", "9"}}), "words", now);
        EXPECT_EQ(outcome.verdict, each.verdict);
        EXPECT_EQ(outcome.scope, each.scope);
        EXPECT_EQ(outcome.alert, each.alert);
        const bool waits =
            each.status == 429 || each.status == 503 || each.status == 408 || each.status == 421;
        EXPECT_EQ(outcome.retry_after, waits ? std::optional(9s) : std::nullopt);
    }
    EXPECT_EQ(by_status(answer(413), "", now).reply.status.text(), "5.3.4");
}

TEST(ForAll, RepeatsTheOutcome) {
    const auto outcomes = for_all(3, unclear(answer(500), "what"));
    ASSERT_EQ(outcomes.size(), 3U);
    for (const auto& each : outcomes) EXPECT_EQ(each.verdict, Verdict::uncertain);
}

TEST(ForOneOf, BouncesNobodyForAnothersSake) {
    const auto alone = for_one_of(1, recipient_refused(answer(400), "bad address"));
    ASSERT_EQ(alone.size(), 1U);
    EXPECT_EQ(alone[0].verdict, Verdict::failed);
    EXPECT_FALSE(wants_single_calls(alone[0]));

    const auto together = for_one_of(2, message_refused(answer(400), "bad address"));
    ASSERT_EQ(together.size(), 2U);
    for (const auto& each : together) {
        EXPECT_EQ(each.verdict, Verdict::deferred);
        EXPECT_EQ(each.scope, Scope::recipient);
        EXPECT_EQ(text(each), "HTTP 400: bad address");
        EXPECT_TRUE(wants_single_calls(each));
    }
    EXPECT_FALSE(wants_single_calls(temporary(answer(500), "")));
}

}  // namespace
}  // namespace outpost::upstream::api

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "upstream/provider/provider_cases.hpp"
#include "upstream/provider/providers.hpp"

namespace outpost::upstream {
namespace {

using test::Class;
using namespace std::chrono_literals;

ProviderSettings settings() {
    ProviderSettings settings;
    settings.endpoint = "https://mandrillapp.com/api/1.0";
    settings.api_key = base::Secret("md-FAKE");
    return settings;
}

const std::string raw =
    "From: s@example.com\r\nSubject: \"caf\xC3\xA9\" \\\r\n\r\nHi\t\x01 \xE2\x80\xA8 Bob\r\n";

TEST(MandrillRequest, CarriesTheOctetsTheEnvelopeAndTheKey) {
    const auto request = mandrill_provider.request(test::raw_message(raw), settings());
    ASSERT_TRUE(request);
    EXPECT_EQ(request->url, "https://mandrillapp.com/api/1.0/messages/send-raw");
    auto body = test::parsed_body(*request).as_object();
    EXPECT_EQ(body["raw_message"].as_string(), raw);
    body.erase("raw_message");
    EXPECT_EQ(body, boost::json::parse(R"({
        "key": "md-FAKE", "async": false,
        "to": ["bob@example.net", "carol@example.net", "hidden@example.org"]})"));
}

TEST(MandrillRequest, TakesTheDomainOfTheReturnPath) {
    auto with = settings();
    with.return_path = "bounces@bounce.example.com";
    const auto request = mandrill_provider.request(test::raw_message(raw), with);
    ASSERT_TRUE(request);
    EXPECT_EQ(test::parsed_body(*request).at("return_path_domain"), "bounce.example.com");
}

/// An answer of one entry for the one recipient.
std::string entry(const std::string& status, const std::string& reject, const std::string& queued) {
    const auto quoted = [](const std::string& text) {
        return text.empty() ? std::string("null") : '"' + text + '"';
    };
    return R"([{"email":"bob@example.net","status":")" + status +
           R"(","_id":"0123456789abcdef","reject_reason":)" + quoted(reject) +
           R"(,"queued_reason":)" + quoted(queued) + "}]";
}

Outcome one(const std::string& body, int status = 200) {
    const std::vector<std::string> bob{"bob@example.net"};
    const auto outcomes =
        mandrill_provider.outcomes({.status = status, .headers = {}, .body = body},
                                   test::raw_message(raw, bob), test::answered_at);
    EXPECT_EQ(outcomes.size(), 1U);
    return outcomes.at(0);
}

TEST(MandrillOutcome, IsOfEachRecipientByAddress) {
    const net::HttpResponse answer{.status = 200, .headers = {}, .body = R"([
            {"email":"hidden@example.org","status":"rejected","_id":"b","reject_reason":"hard-bounce"},
            {"email":"Bob@Example.net","status":"sent","_id":"a","reject_reason":null}])"};
    const auto outcomes =
        mandrill_provider.outcomes(answer, test::raw_message(raw), test::answered_at);
    ASSERT_EQ(outcomes.size(), 3U);
    EXPECT_EQ(outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(outcomes[0].remote_id, "a");
    EXPECT_EQ(outcomes[1].verdict, Verdict::uncertain);
    EXPECT_EQ(outcomes[2].verdict, Verdict::failed);
    EXPECT_EQ(outcomes[2].scope, Scope::recipient);
}

TEST(MandrillOutcome, KnowsEveryDocumentedStatus) {
    struct Case {
        std::string status;
        std::string reject;
        std::string queued;
        Class wanted;
    };
    std::vector<Case> cases{
        {"sent", "", "", Class::ok},
        {"scheduled", "", "", Class::ok},
        {"queued", "", "", Class::ok},
        {"queued", "", "attachments", Class::ok},
        {"queued", "", "multiple-recipients", Class::ok},
        {"queued", "", "sending-backlogged", Class::ok},
        {"rejected", "invalid-sender", "", Class::sender},
        {"rejected", "unsigned", "", Class::sender},
        {"rejected", "test-mode-limit", "", Class::throttle},
        {"rejected", "something-new", "", Class::mistake},
        {"rejected", "", "", Class::mistake},
        {"invalid", "", "", Class::recipient},
        {"something-new", "", "", Class::unclear},
        {"", "", "", Class::unclear},
    };
    for (const auto* reason : {"hard-bounce", "soft-bounce", "spam", "unsub", "custom", "rule"})
        cases.push_back({"rejected", reason, "", Class::recipient});
    for (const auto& each : cases) {
        const auto outcome = one(entry(each.status, each.reject, each.queued));
        EXPECT_EQ(static_cast<int>(test::class_of(outcome)), static_cast<int>(each.wanted))
            << each.status << ' ' << each.reject << ' ' << outcome.reply.text();
        if (each.wanted == Class::ok) {
            EXPECT_FALSE(outcome.alert);
            EXPECT_FALSE(outcome.retry_after);
        }
    }
}

TEST(MandrillOutcome, NeverSendsAgainWhatTheProviderHoldsButHaltsTheUpstream) {
    for (const auto* reason :
         {"free-trial-sends-exhausted", "hourly-quota-exhausted", "monthly-limit-reached",
          "sending-paused", "sending-suspended", "account-suspended"}) {
        const auto outcome = one(entry("queued", "", reason));
        EXPECT_EQ(outcome.verdict, Verdict::delivered) << reason;
        EXPECT_EQ(outcome.scope, Scope::upstream) << reason;
        EXPECT_TRUE(outcome.alert) << reason;
        EXPECT_EQ(outcome.retry_after,
                  reason == std::string_view("hourly-quota-exhausted") ? 1h : 24h)
            << reason;
        EXPECT_EQ(outcome.remote_id, "0123456789abcdef");
    }
}

TEST(MandrillOutcome, GoesByTheNameOfAnErrorWhateverTheStatus) {
    struct Case {
        std::string name;
        Class wanted;
    };
    const std::vector<Case> cases{
        {"Invalid_Key", Class::account},           {"PaymentRequired", Class::account},
        {"Unknown_Subaccount", Class::account},    {"ValidationError", Class::message},
        {"RequestLimitExceeded", Class::throttle}, {"ServiceUnavailable", Class::temporary},
        {"GeneralError", Class::temporary},
    };
    for (const auto& each : cases)
        for (const int status : {200, 400, 401, 402, 404, 429, 500, 503}) {
            const auto outcome =
                one(R"({"status":"error","code":-1,"name":")" + each.name + R"(","message":"why"})",
                    status);
            EXPECT_EQ(static_cast<int>(test::class_of(outcome)), static_cast<int>(each.wanted))
                << each.name << ' ' << status;
            EXPECT_NE(outcome.reply.text().find(each.name + ": why"), std::string::npos);
        }
    const std::string unknown = R"({"status":"error","code":-9,"name":"New_Name","message":"?"})";
    EXPECT_EQ(test::class_of(one(unknown, 500)), Class::temporary);
    EXPECT_EQ(test::class_of(one(unknown, 400)), Class::mistake);
    EXPECT_EQ(test::class_of(one(unknown, 200)), Class::unclear);
}

TEST(MandrillOutcome, IsSafeForWhatNobodyDocuments) {
    test::check_foreign_answers(mandrill_provider);
    test::check_cut_answer(
        mandrill_provider, 200,
        R"([{"email":"bob@example.net","status":"sent","_id":"0123456789abcdef"}])");
}

TEST(MandrillProbe, PingsWithTheKey) {
    const auto request = mandrill_provider.probe(settings());
    EXPECT_EQ(request.url, "https://mandrillapp.com/api/1.0/users/ping2");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({"key":"md-FAKE"})"));
    EXPECT_NE(one(R"({"PING":"PONG!"})").verdict, Verdict::misconfigured);
}

}  // namespace
}  // namespace outpost::upstream

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/base64.hpp"
#include "upstream/provider/provider_cases.hpp"
#include "upstream/provider/providers.hpp"

namespace outpost::upstream {
namespace {

using test::Class;
using namespace std::chrono_literals;
using namespace std::string_literals;

using Recipients = std::vector<std::string>;
using Calls = std::vector<std::vector<std::uint32_t>>;

ProviderSettings settings() {
    ProviderSettings settings;
    settings.endpoint = "https://api.smtp2go.com";
    settings.api_key = base::Secret("api-FAKE");
    return settings;
}

const Recipients bob_and_carol{"bob@example.net", "carol@example.net"};
const std::string header =
    "From: s@example.com\r\nTo: Bob <bob@EXAMPLE.net>\r\nCc: carol@example.net\r\nSubject: x\r\n";
const std::string body = "\r\n\x00\xFF{{\r\n"s;

/// The message that a call would hand over; or why it cannot be carried.
std::string sent(const std::string& raw, const Recipients& recipients) {
    const auto request = smtp2go_provider.request(test::raw_message(raw, recipients), settings());
    if (!request) return "cannot: " + request.error().text;
    return base::base64_decode(test::parsed_body(*request).at("mime_email").as_string())
        .value_or("no base64");
}

TEST(Smtp2goRequest, CarriesTheOctets) {
    const std::string raw = header + body;
    const auto request =
        smtp2go_provider.request(test::raw_message(raw, bob_and_carol), settings());
    ASSERT_TRUE(request);
    EXPECT_EQ(request->url, "https://api.smtp2go.com/v3/email/mime");
    EXPECT_EQ(test::header_of(*request, "x-smtp2go-api-key"), "api-FAKE");
    const auto parsed = test::parsed_body(*request).as_object();
    EXPECT_EQ(parsed.size(), 2U);
    EXPECT_EQ(parsed.at("fastaccept"), false);
    EXPECT_EQ(sent(raw, bob_and_carol), raw);
}

TEST(Smtp2goRequest, ComparesDomainsInAnyForm) {
    const std::string raw = "To: x@M\xC3\xBCller.example, \"a b\"@example.net\r\n" + body;
    EXPECT_EQ(sent(raw, {"x@xn--mller-kva.example", "\"a b\"@EXAMPLE.NET"}), raw);
    // Local parts differ in case: another mailbox, perhaps.
    EXPECT_EQ(sent("To: Bob@example.net\r\n" + body, {"bob@example.net"}),
              "To: bob@example.net\r\n" + body);
}

TEST(Smtp2goRequest, WritesToOneRecipientAloneWhereTheHeaderNamesOthers) {
    EXPECT_EQ(sent(header + body, {"hidden@example.org"}),
              "From: s@example.com\r\nTo: hidden@example.org\r\nSubject: x\r\n" + body);
    EXPECT_EQ(sent(header + body, {"carol@example.net"}),
              "From: s@example.com\r\nTo: carol@example.net\r\nSubject: x\r\n" + body);
    EXPECT_EQ(sent("To: undisclosed-recipients:;\r\n" + body, {"hidden@example.org"}),
              "To: hidden@example.org\r\n" + body);
    EXPECT_EQ(sent("Subject: x\r\n" + body, {"hidden@example.org"}),
              "Subject: x\r\nTo: hidden@example.org\r\n" + body);
    EXPECT_EQ(sent("To: a@test\r\nTo: b@test\r\nBcc: c@test\r\n" + body, {"d@test"}),
              "To: d@test\r\n" + body);
    EXPECT_EQ(sent("To: no list <at all\r\n" + body, {"bob@example.net"}),
              "To: bob@example.net\r\n" + body);
    EXPECT_EQ(sent("To: bob@example.net\r\nResent-To: eve@test\r\n" + body, {"bob@example.net"}),
              "To: bob@example.net\r\n" + body);
}

TEST(Smtp2goRequest, RevealsNobodyAndSendsNobodyASecondCopy) {
    for (const auto& recipients :
         {Recipients{"bob@example.net", "carol@example.net", "hidden@example.org"},
          Recipients{"bob@example.net", "hidden@example.org"}})
        EXPECT_EQ(sent(header + body, recipients),
                  "cannot: SMTP2GO sends to whom To and Cc name, and these are not the recipients "
                  "of the message");
}

TEST(Smtp2goRequest, DoesNotBreakASignature) {
    const std::string signature = "DKIM-Signature: v=1; h=to\r\n";
    EXPECT_TRUE(sent(signature + header + body, {"hidden@example.org"}).starts_with("cannot: "));
    EXPECT_EQ(sent(signature + header + body, bob_and_carol), signature + header + body);
}

TEST(Smtp2goSplit, PutsThoseWhoAreSeenInOneCallAndEveryoneElseAlone) {
    const auto split = [](const std::string& raw, const Recipients& recipients) {
        auto calls = smtp2go_provider.split(raw, recipients);
        // Each call of these must be one that request() takes as it is, or rewrites for one.
        for (const auto& call : calls) {
            Recipients some;
            for (const auto index : call) some.push_back(recipients.at(index));
            EXPECT_FALSE(sent(raw, some).starts_with("cannot: "));
        }
        return calls;
    };
    EXPECT_EQ(split(header + body, bob_and_carol), (Calls{{0, 1}}));
    EXPECT_EQ(split(header + body,
                    {"hidden@example.org", "bob@example.net", "x@test", "carol@example.net"}),
              (Calls{{1, 3}, {0}, {2}}));
    // Carol is not to get it, so the header cannot stay.
    EXPECT_EQ(split(header + body, {"bob@example.net", "hidden@example.org"}), (Calls{{0}, {1}}));
    EXPECT_EQ(split("Subject: x\r\n" + body, {"a@test", "b@test"}), (Calls{{0}, {1}}));
    EXPECT_EQ(split("To: a@test, b@test\r\nResent-To: c@test\r\n" + body, {"a@test", "b@test"}),
              (Calls{{0}, {1}}));
}

TEST(Smtp2goSplit, KeepsToAHundredInAField) {
    Recipients recipients;
    std::string to = "To: a0@test";
    for (int i = 0; i < 101; ++i) {
        recipients.push_back("a" + std::to_string(i) + "@test");
        if (i > 0) to += ",\r\n a" + std::to_string(i) + "@test";
    }
    EXPECT_EQ(smtp2go_provider.split(to + "\r\n" + body, recipients).size(), 101U);
    recipients.pop_back();
    to.erase(to.rfind(','));
    EXPECT_EQ(smtp2go_provider.split(to + "\r\n" + body, recipients).size(), 1U);
}

const std::vector<test::AnswerCase> answers{
    {200,
     R"({"request_id":"aa","data":{"succeeded":1,"failed":0,"failures":[],"email_id":"1u0SwL-F"}})",
     Class::ok},
    {200, R"({"request_id":"aa","data":{"failed":0,"failures":[],"succeeded":1}})", Class::ok},
    {200, R"({"request_id":"aa","data":{"email_id":"1u0SwL-F"}})", Class::unclear},
    {200, R"({"request_id":"aa","data":{"succeeded":0,"failed":1,"failures":[]}})", Class::unclear},
    {200, R"({"data":{"succeeded":1,"failed":1,"failures":["550 no"]}})", Class::unclear},
    {200, R"({"data":{"succeeded":0,"failed":1,"failures":["550 unroutable address 14.5"]}})",
     Class::message},
    {200, R"({"data":{"succeeded":0,"failed":1,"failures":["Rejected by content filter"]}})",
     Class::message},
    {200, R"({"data":{"succeeded":0,"failed":1,"failures":["451 try again later"]}})",
     Class::temporary},
    {200, R"({"data":{"succeeded":0,"failed":1,"failures":["deferred, 4.7.1"]}})",
     Class::temporary},
    {400,
     R"({"request_id":"22","data":{"error_code":"E_ApiResponseCodes.ENDPOINT_PERMISSION_DENIED",)"
     R"("error":"You do not have permission to access this API endpoint"}})",
     Class::account},
    {400,
     R"({"data":{"error_code":"E_ApiResponseCodes.NON_VALIDATING_IN_PAYLOAD","error":"invalid",)"
     R"("field_validation_errors":{"fieldname":"mime_email"}}})",
     Class::message},
    {400, R"({"error_code":"E_ApiResponseCodes.NON_VALIDATING_IN_PAYLOAD","error":"invalid"})",
     Class::message},
    {400, R"({"data":{"error_code":"E_ApiResponseCodes.API_EXCEPTION","error":"Bad MIME"}})",
     Class::message},
    {400,
     R"({"data":{"error_code":"E_ApiResponseCodes.API_EXCEPTION","error":"The API Key is invalid"}})",
     Class::account},
    {400,
     R"({"data":{"error_code":"E_ApiResponseCodes.API_EXCEPTION","error":"Account suspended"}})",
     Class::account},
    {400,
     R"({"data":{"error_code":"E_ApiResponseCodes.API_EXCEPTION","error":"Sender not verified"}})",
     Class::sender},
    {400, R"({"data":{"error_code":"E_ApiResponseCodes.NEW","error":"new"}})", Class::mistake},
    {401, "{}", Class::account},
    {402, "{}", Class::account},
    {403, "{}", Class::account},
    {404, "{}", Class::mistake},
    {429, R"({"data":{"error":"API key ratelimit exceeded"}})", Class::throttle, 60s},
    {.status = 429,
     .body = "",
     .wanted = Class::throttle,
     .wait = 90s,
     .headers = {{"retry-after", "90"}}},
    {500, R"({"data":{"error_code":"E_ApiResponseCodes.INTERNAL","error":"oops"}})",
     Class::temporary},
    {500, "{}", Class::unclear},
    {503, "<html>", Class::temporary},
};

TEST(Smtp2goOutcome, KnowsEveryDocumentedAnswer) {
    test::check_answers(smtp2go_provider, answers);
}

TEST(Smtp2goOutcome, TakesNoAddressForAWord) {
    const auto error = [](std::string_view words) {
        return R"({"data":{"error_code":"E_ApiResponseCodes.API_EXCEPTION","error":")" +
               std::string(words) + R"("}})";
    };
    const auto invalid = error("sender@example.net is not valid");
    const auto unverified = error("Sender <sender@example.net> is not valid");
    const auto unknown = error("account@example.net: something new");
    test::check_answers(smtp2go_provider,
                        {{400, invalid, Class::recipient}, {400, unverified, Class::sender}},
                        {"sender@example.net"});
    test::check_answers(smtp2go_provider, {{400, unknown, Class::mistake}},
                        {"account@example.net"});
}

TEST(Smtp2goOutcome, HasTheId) {
    const std::string raw = header + body;
    const auto outcomes = smtp2go_provider.outcomes(
        {.status = 200, .headers = {}, .body = std::string(answers[0].body)},
        test::raw_message(raw, bob_and_carol), test::answered_at);
    ASSERT_EQ(outcomes.size(), 2U);
    EXPECT_EQ(outcomes[1].remote_id, "1u0SwL-F");
}

TEST(Smtp2goOutcome, IsSafeForWhatNobodyDocuments) {
    test::check_foreign_answers(
        smtp2go_provider,
        {R"({"data":{"error_code":"E_ApiResponseCodes.API_EXCEPTION","error":"something new"}})"});
    test::check_cut_answer(
        smtp2go_provider, 200,
        R"({"request_id":"aa","data":{"succeeded":1,"failed":0,"failures":[],"email_id":"1u0SwL-F"}})");
}

TEST(Smtp2goProbe, SendsNothing) {
    const auto request = smtp2go_provider.probe(settings());
    EXPECT_EQ(request.body, "{}");
    EXPECT_EQ(test::header_of(request, "x-smtp2go-api-key"), "api-FAKE");
}

}  // namespace
}  // namespace outpost::upstream

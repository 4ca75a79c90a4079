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
    settings.endpoint = "https://api.eu.sparkpost.com";
    settings.api_key = base::Secret("0000fake");
    return settings;
}

const std::string raw =
    "From: s@example.com\r\nSubject: \"caf\xC3\xA9\" \\\r\n\r\nHi {{name}}\t\x01\r\n.\r\n";

TEST(SparkpostRequest, CarriesTheOctetsAndTheEnvelope) {
    const auto request = sparkpost_provider.request(test::raw_message(raw), settings());
    ASSERT_TRUE(request);
    EXPECT_EQ(request->url, "https://api.eu.sparkpost.com/api/v1/transmissions");
    EXPECT_EQ(test::header_of(*request, "authorization"), "0000fake");
    auto body = test::parsed_body(*request).as_object();
    EXPECT_EQ(body["content"].at("email_rfc822").as_string(), raw);
    body.erase("content");
    EXPECT_EQ(body, boost::json::parse(R"({
        "options": {"transactional": true, "open_tracking": false, "click_tracking": false,
                    "perform_substitutions": false},
        "metadata": {"queue_id": "01HZX0ABCD"},
        "recipients": [{"address": {"email": "bob@example.net"}},
                       {"address": {"email": "carol@example.net"}},
                       {"address": {"email": "hidden@example.org"}}]})"));
}

TEST(SparkpostRequest, TakesAReturnPath) {
    auto with = settings();
    with.return_path = "bounces@bounce.example.com";
    const auto request = sparkpost_provider.request(test::raw_message(raw), with);
    ASSERT_TRUE(request);
    EXPECT_EQ(test::parsed_body(*request).at("return_path"), "bounces@bounce.example.com");
}

TEST(SparkpostRequest, HidesWhatItsHeaderWouldBeTakenFor) {
    const std::string subject = "Subject: {{x}}\r\n\r\n{{y}}\r\n";
    const auto request = sparkpost_provider.request(test::raw_message(subject), settings());
    ASSERT_TRUE(request);
    EXPECT_EQ(test::parsed_body(*request).at_pointer("/content/email_rfc822").as_string(),
              "Subject: =?utf-8?Q?=7B=7Bx=7D=7D?=\r\n\r\n{{y}}\r\n");
    const std::string from = "From: \"{{x}}\" <a@test>\r\n\r\n";
    EXPECT_FALSE(sparkpost_provider.request(test::raw_message(from), settings()));
}

const std::vector<test::AnswerCase> answers{
    {200,
     R"({"results":{"total_rejected_recipients":0,"total_accepted_recipients":3,"id":"11668"}})",
     Class::ok},
    {200, R"({"results":{"total_rejected_recipients":0,"total_accepted_recipients":3}})",
     Class::unclear},
    {200, R"({"results":{"id":"11668"}})", Class::unclear},
    {200,
     R"({"results":{"total_rejected_recipients":3,"total_accepted_recipients":0,"id":"11668"}})",
     Class::single},
    {200,
     R"({"errors":[{"message":"transmission created, but with validation errors","code":"2000"}],)"
     R"("results":{"rcpt_to_errors":[{"message":"required field is missing","description":)"
     R"("address.email is required for each recipient","code":"1400"}],)"
     R"("total_rejected_recipients":1,"total_accepted_recipients":2,"id":"11668787484950530"}})",
     Class::unclear},
    {400, R"({"errors":[{"message":"Unconfigured Sending Domain <example.com>","code":"7001"}]})",
     Class::sender},
    {400, R"({"errors":[{"message":"Blocked domain","code":"7000"}]})", Class::sender},
    {400, R"({"errors":[{"message":"Message generation rejected","code":"1902"}]})",
     Class::message},
    {400, R"({"errors":[{"message":"Message generation failed","code":1901}]})", Class::message},
    {400, R"({"errors":[{"message":"No valid recipients","code":"5002"}]})", Class::recipient},
    {400, R"({"errors":[{"message":"Unknown DKIM key","code":"1100"}]})", Class::account},
    {400, R"({"errors":[{"message":"Retry later","code":"1502"}]})", Class::temporary},
    {400, R"({"errors":[{"message":"something new","code":"9999"}]})", Class::mistake},
    {401, R"({"errors":[{"message":"Unauthorized."}]})", Class::account},
    {403, R"({"errors":[{"message":"Forbidden.","code":"1100"}]})", Class::account},
    {404, R"({"errors":[{"message":"resource not found","code":"1600"}]})", Class::mistake},
    {405, R"({"errors":[{"message":"method not allowed"}]})", Class::mistake},
    {415, R"({"errors":[{"message":"unsupported media type"}]})", Class::mistake},
    {413, "", Class::message},
    {420, R"_({"errors":[{"message":"Exceed Sending Limit (hourly)","code":"2101"}]})_",
     Class::throttle},
    {420, R"_({"errors":[{"message":"Exceed Sending Limit (daily)","code":"2102"}]})_",
     Class::throttle},
    {420, R"({"errors":[{"message":"Exceed Sandbox Limit","code":"2103"}]})", Class::throttle},
    {422, R"({"errors":[{"message":"invalid data format/type","code":"1300"}]})", Class::message},
    {422,
     R"({"errors":[{"message":"required field is missing","description":"content","code":"1400"}]})",
     Class::message},
    {422, R"({"errors":[{"message":"invalid encoding","code":"1305"}]})", Class::message},
    {422, R"({"errors":[{"message":"MIME error","code":"3020"}]})", Class::message},
    {422, "<html>", Class::mistake},
    {429, R"({"errors":[{"message":"Too many requests"}]})", Class::throttle},
    {.status = 429,
     .body = "",
     .wanted = Class::throttle,
     .wait = 5s,
     .headers = {{"retry-after", "5"}}},
    {500, R"({"errors":[{"message":"Internal Server Error","code":"1900"}]})", Class::temporary},
    {503, R"({"errors":[{"message":"Unavailable"}]})", Class::temporary},
    {503, "", Class::temporary},
    {500, "", Class::unclear},
};

TEST(SparkpostOutcome, KnowsEveryDocumentedAnswer) {
    test::check_answers(sparkpost_provider, answers);
}

TEST(SparkpostOutcome, HasTheId) {
    const auto outcomes = sparkpost_provider.outcomes(
        {.status = 200, .headers = {}, .body = std::string(answers[0].body)},
        test::raw_message(raw), test::answered_at);
    ASSERT_EQ(outcomes.size(), 3U);
    EXPECT_EQ(outcomes[1].remote_id, "11668");
}

TEST(SparkpostOutcome, TellsTheRefusedRecipientWhereTheAnswerDoes) {
    const net::HttpResponse answer{
        .status = 200,
        .headers = {},
        .body = R"({"errors":[{"message":"created, but with validation errors","code":"2000"}],
            "results":{"rcpt_to_errors":[{"message":"invalid address",
            "description":"Carol@example.net is not valid","code":"1300"}],
            "total_rejected_recipients":1,"total_accepted_recipients":2,"id":"7"}})"};
    const auto outcomes =
        sparkpost_provider.outcomes(answer, test::raw_message(raw), test::answered_at);
    ASSERT_EQ(outcomes.size(), 3U);
    EXPECT_EQ(outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(outcomes[1].verdict, Verdict::failed);
    EXPECT_EQ(outcomes[1].scope, Scope::recipient);
    EXPECT_EQ(outcomes[2].remote_id, "7");
}

TEST(SparkpostOutcome, BlamesTheOneRecipientOfACall) {
    test::check_answers(
        sparkpost_provider,
        {{200,
          R"({"results":{"total_rejected_recipients":1,"total_accepted_recipients":0,"id":"1"}})",
          Class::recipient}},
        {"bob@example.net"});
}

TEST(SparkpostOutcome, IsSafeForWhatNobodyDocuments) {
    test::check_foreign_answers(sparkpost_provider);
    test::check_cut_answer(
        sparkpost_provider, 200,
        R"({"results":{"total_rejected_recipients":0,"total_accepted_recipients":3,"id":"11668"}})");
}

TEST(SparkpostProbe, SendsNothingToNobody) {
    const auto request = sparkpost_provider.probe(settings());
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({"recipients":[],"content":{}})"));
    EXPECT_EQ(test::header_of(request, "authorization"), "0000fake");
}

}  // namespace
}  // namespace outpost::upstream

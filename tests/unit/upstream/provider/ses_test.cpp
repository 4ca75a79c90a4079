#include "upstream/provider/ses.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "base/base64.hpp"
#include "upstream/provider/provider_cases.hpp"
#include "upstream/provider/providers.hpp"

namespace outpost::upstream {
namespace {

using test::Class;
using namespace std::string_literals;

ProviderSettings settings() {
    ProviderSettings settings;
    settings.endpoint = "https://email.eu-west-1.amazonaws.com";
    settings.aws = net::AwsSignature{.region = "eu-west-1",
                                     .service = {},
                                     .access_key_id = "AKIDEXAMPLE",
                                     .secret_access_key = base::Secret("secret"),
                                     .session_token = base::Secret("token")};
    return settings;
}

const std::string raw = "From: s@example.com\r\nSubject: caf\xE9\r\n\r\n\x00\xFF{{\"\r\n"s;

/// `Code:http://...` with a body of this message.
test::AnswerCase error(int status, std::string code, std::string_view body, Class wanted) {
    return {.status = status,
            .body = body,
            .wanted = wanted,
            .headers = {{"x-amzn-errortype", std::move(code)}}};
}

TEST(SesRequest, CarriesTheOctetsAndTheEnvelope) {
    const auto request = ses_provider.request(test::raw_message(raw), settings());
    ASSERT_TRUE(request);
    EXPECT_EQ(request->method, "POST");
    EXPECT_EQ(request->url, "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails");
    EXPECT_EQ(test::header_of(*request, "content-type"), "application/json");
    auto body = test::parsed_body(*request).as_object();
    EXPECT_EQ(base::base64_decode(body["Content"].at_pointer("/Raw/Data").as_string()), raw);
    body.erase("Content");
    EXPECT_EQ(body, boost::json::parse(R"({
        "Destination": {"ToAddresses": ["bob@example.net", "carol@example.net",
                                        "hidden@example.org"]},
        "EmailTags": [{"Name": "queue_id", "Value": "01HZX0ABCD"}]})"));
}

TEST(SesRequest, IsSignedForTheServiceAndNotTheHost) {
    const auto request = ses_provider.request(test::raw_message(raw), settings());
    ASSERT_TRUE(request && request->sign);
    EXPECT_EQ(request->sign->service, "ses");
    EXPECT_EQ(request->sign->region, "eu-west-1");
    EXPECT_EQ(request->sign->access_key_id, "AKIDEXAMPLE");
    EXPECT_EQ(request->sign->session_token.reveal(), "token");
}

TEST(SesRequest, AsksForBouncesWhereTheReturnPathSays) {
    auto with = settings();
    with.return_path = "bounces@example.com";
    const auto request = ses_provider.request(test::raw_message(raw), with);
    ASSERT_TRUE(request);
    EXPECT_EQ(test::parsed_body(*request).at("FeedbackForwardingEmailAddress"),
              "bounces@example.com");
}

TEST(SesOutcome, HasTheIdOfADelivery) {
    const std::string id = "0102018cc251f400-00000000-1111-2222-3333-444444444444-000000";
    const net::HttpResponse answer{
        .status = 200, .headers = {}, .body = R"({"MessageId":")" + id + "\"}"};
    const auto outcomes = ses_provider.outcomes(answer, test::raw_message(raw), test::answered_at);
    ASSERT_EQ(outcomes.size(), 3U);
    for (const auto& each : outcomes) {
        EXPECT_EQ(each.verdict, Verdict::delivered);
        EXPECT_EQ(each.remote_id, id);
    }
}

TEST(SesOutcome, KnowsEveryDocumentedAnswer) {
    using namespace std::chrono_literals;
    constexpr auto no_words = R"({"message":null})";
    std::vector<test::AnswerCase> cases{
        {200, R"({"MessageId":"0102"})", Class::ok},
        {200, R"({"MessageId":""})", Class::unclear},
        {202, R"({"MessageId":"0102"})", Class::unclear},
        error(429, "TooManyRequestsException:http://internal.amazon.com/coral/",
              R"({"message":"Maximum sending rate exceeded."})", Class::throttle),
        error(429, "TooManyRequestsException", R"({"message":"Daily message quota exceeded."})",
              Class::throttle),
        error(400, "MessageRejected",
              R"({"message":"Email address is not verified. The following identities failed)"
              R"( the check in region EU-WEST-1: sender@example.com"})",
              Class::sender),
        error(400, "com.amazonaws.sesv2#MessageRejected",
              R"({"message":"Transaction failed: Duplicate header 'Subject'."})", Class::message),
        error(400, "MessageRejected",
              R"({"message":"Sending paused for this account. For more information, please check )"
              R"(the inbox of the email address associated with your AWS account."})",
              Class::account),
        error(400, "MessageRejected", R"({"message":"Sending suspended for this account."})",
              Class::account),
        error(400, "MessageRejected", R"({"message":"SENDING PAUSED"})", Class::account),
        error(400, "MailFromDomainNotVerifiedException", no_words, Class::sender),
        error(400, "BadRequestException", R"({"message":"Too many attachments"})", Class::message),
        error(400, "BadRequestException", R"({"message":"Illegal address"})", Class::single),
        error(400, "LimitExceededException", no_words, Class::throttle),
        error(500, "ThrottlingException", no_words, Class::throttle),
        {400, R"({"__type":"com.amazon.coral#MessageRejected","message":"no"})", Class::message},
        {400, R"({"code":"SendingPausedException","Message":"no"})", Class::account},
        {403, no_words, Class::account},
        {400, R"({"message":"something new"})", Class::mistake},
        error(418, "SomethingNewException", R"({"message":"new"})", Class::mistake),
        {500, R"({"message":null})", Class::unclear},
        {413, "", Class::message},
    };
    for (const auto* code :
         {"AccountSuspendedException", "SendingPausedException", "AccessDeniedException",
          "UnrecognizedClientException", "InvalidClientTokenId", "SignatureDoesNotMatch",
          "InvalidSignatureException", "IncompleteSignature", "MissingAuthenticationToken",
          "OptInRequired"}) {
        cases.push_back(error(400, code, no_words, Class::account));
        cases.push_back(error(403, code, no_words, Class::account));
    }
    cases.push_back(error(404, "NotFoundException", no_words, Class::account));
    for (const auto* code : {"Throttling", "ThrottlingException", "RequestLimitExceeded",
                             "SlowDown", "BandwidthLimitExceeded"})
        for (const int status : {400, 429, 503})
            cases.push_back(error(status, code, no_words, Class::throttle));
    for (const auto* code : {"InternalFailure", "InternalServerError", "ServiceUnavailable"})
        for (const int status : {500, 502, 503, 504})
            cases.push_back(error(status, code, no_words, Class::temporary));
    for (const auto* code : {"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
        cases.push_back(error(403, code, no_words, Class::temporary));
    test::check_answers(ses_provider, cases);
    test::check_answers(
        ses_provider,
        {error(400, "BadRequestException", R"({"message":"Illegal address"})", Class::message),
         {.status = 429,
          .body = "",
          .wanted = Class::throttle,
          .wait = 30s,
          .headers = {{"retry-after", "30"}}}},
        {"bob@example.net"});
}

TEST(SesOutcome, TellsExpiredCredentialsFromWrongOnes) {
    const auto answer = [](int status, std::string code) {
        return net::HttpResponse{
            .status = status, .headers = {{"x-amzn-errortype", std::move(code)}}, .body = "{}"};
    };
    EXPECT_TRUE(is_expired_token(answer(403, "ExpiredTokenException:http://x/")));
    EXPECT_TRUE(is_expired_token(answer(400, "aws#ExpiredToken")));
    EXPECT_TRUE(
        is_expired_token({.status = 403, .headers = {}, .body = R"({"__type":"RequestExpired"})"}));
    EXPECT_FALSE(is_expired_token(answer(403, "SignatureDoesNotMatch")));
    EXPECT_FALSE(is_expired_token(answer(200, "ExpiredToken")));
}

TEST(SesOutcome, IsSafeForWhatNobodyDocuments) {
    test::check_foreign_answers(ses_provider);
    test::check_cut_answer(ses_provider, 200, R"({"MessageId":"0102018cc251f400-000000"})");
}

TEST(SesProbe, SendsNothingAndIsSigned) {
    const auto request = ses_provider.probe(settings());
    EXPECT_TRUE(request.sign);
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({"Content": {}})"));
}

}  // namespace
}  // namespace outpost::upstream

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "upstream/provider/json_message.hpp"
#include "upstream/provider/providers.hpp"

namespace outpost::upstream {
namespace {

using namespace std::chrono_literals;
using test::Class;
using test::Shape;

TEST(ResendRequest, SaysAllOfAMessage) {
    const auto request =
        test::request_for(resend_provider, Shape::full, test::fake_settings(resend_provider));
    EXPECT_EQ(request.url, "https://api.resend.com/emails");
    EXPECT_EQ(test::header_of(request, "authorization"), "Bearer FAKE_KEY");
    EXPECT_EQ(test::header_of(request, "idempotency-key"), "6f2c6c0e-6a5b-5c0b-9f0e-0a8b1c2d3e4f");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({
        "from": "Jürgen Müller <sender@example.com>",
        "to": ["\"Doe, Bob\" <bob@example.net>"],
        "cc": ["Žaneta <carol@example.net>"],
        "bcc": ["hidden@example.org"],
        "reply_to": ["Antwort <reply@example.com>"],
        "subject": "Grüße",
        "text": "Schön",
        "html": "<p>Schön <img src=\"cid:logo1\"></p>",
        "headers": {"In-Reply-To": "<orig-1@example.net>",
                    "References": "<orig-0@example.net> <orig-1@example.net>",
                    "List-Unsubscribe": "<https://example.com/u/1>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "Precedence": "bulk", "X-Mailer": "Test 1.0",
                    "X-Team": "=?UTF-8?b?Z3LDvG4=?=",
                    "Sender": "Office <office@example.com>"},
        "attachments": [{"filename": "logo.png", "content": "iVBORw0KGgo=",
                         "content_type": "image/png", "content_id": "logo1"},
                        {"filename": "Grüße.pdf", "content": "SGVsbG8=",
                         "content_type": "application/pdf"}],
        "tags": [{"name": "queue_id", "value": "01HZX0ABCD"}]})"));
}

TEST(ResendOutcomes, AreOfTheirClass) {
    const std::vector<test::AnswerCase> cases{
        {200, R"({"id":"00000000-1111-2222-3333-444444444444"})", Class::ok},
        {200, R"({"object":"email"})", Class::unclear},
        {400, R"({"statusCode":400,"name":"validation_error","message":"x"})", Class::message},
        {400, R"({"statusCode":400,"name":"invalid_idempotency_key","message":"x"})",
         Class::mistake},
        {401, R"({"statusCode":401,"name":"missing_api_key","message":"x"})", Class::account},
        {401, R"({"statusCode":401,"name":"restricted_api_key","message":"x"})", Class::account},
        {403, R"({"statusCode":403,"name":"invalid_api_key","message":"x"})", Class::account},
        {403,
         R"({"statusCode":403,"name":"validation_error","message":"The example.com domain is not verified."})",
         Class::sender},
        {404, R"({"statusCode":404,"name":"not_found","message":"x"})", Class::mistake},
        {405, R"({"statusCode":405,"name":"method_not_allowed","message":"x"})", Class::mistake},
        {409, R"({"statusCode":409,"name":"invalid_idempotent_request","message":"x"})",
         Class::mistake},
        {409, R"({"statusCode":409,"name":"concurrent_idempotent_requests","message":"x"})",
         Class::temporary},
        {422, R"({"statusCode":422,"name":"invalid_attachment","message":"x"})", Class::message},
        {422, R"({"statusCode":422,"name":"invalid_from_address","message":"x"})", Class::sender},
        {422, R"({"statusCode":422,"name":"invalid_parameter","message":"x"})", Class::message},
        {422, R"({"statusCode":422,"name":"missing_required_field","message":"x"})",
         Class::message},
        {422, R"({"statusCode":422,"name":"invalid_access","message":"x"})", Class::message},
        {422, R"({"statusCode":422,"name":"invalid_region","message":"x"})", Class::message},
        {422, R"({"statusCode":422,"name":"validation_error","message":"Invalid `to` field."})",
         Class::single},
        {422, R"({"statusCode":422,"name":"new_name","message":"x"})", Class::mistake},
        {429,
         R"({"statusCode":429,"name":"rate_limit_exceeded","message":"Too many requests. You can only make 2 requests per second."})",
         Class::throttle,
         1s,
         {{"retry-after", "1"}}},
        {429, R"({"statusCode":429,"name":"daily_quota_exceeded","message":"x"})", Class::throttle},
        {429, R"({"statusCode":429,"name":"monthly_quota_exceeded","message":"x"})",
         Class::throttle},
        {451, R"({"statusCode":451,"name":"security_error","message":"x"})", Class::message},
        {500, R"({"statusCode":500,"name":"application_error","message":"x"})", Class::temporary},
        {500, R"({"statusCode":500,"name":"internal_server_error","message":"x"})",
         Class::temporary},
        {500, "", Class::unclear},
        {503, "", Class::temporary},
    };
    test::check_answers(resend_provider, cases);
    test::check_foreign_answers(resend_provider);
    test::check_cut_answer(resend_provider, 200,
                           R"({"id":"00000000-1111-2222-3333-444444444444"})");
}

TEST(ResendOutcomes, AlertOfASecurityError) {
    const test::JsonMessage message(Shape::bare);
    const auto outcomes = resend_provider.outcomes(
        {.status = 451,
         .headers = {},
         .body = R"({"statusCode":451,"name":"security_error","message":"x"})"},
        message.call(), test::answered_at);
    EXPECT_TRUE(outcomes.front().alert);
}

TEST(ResendProbe, SendsNothing) {
    const auto probe = resend_provider.probe(test::fake_settings(resend_provider));
    EXPECT_EQ(probe.body, "{}");
    EXPECT_EQ(test::header_of(probe, "authorization"), "Bearer FAKE_KEY");
}

}  // namespace
}  // namespace outpost::upstream

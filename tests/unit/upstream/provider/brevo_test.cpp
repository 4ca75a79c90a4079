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
using testing::ElementsAre;
using testing::HasSubstr;

TEST(BrevoRequest, SaysAllOfAMessage) {
    const auto request =
        test::request_for(brevo_provider, Shape::no_image, test::fake_settings(brevo_provider));
    EXPECT_EQ(request.url, "https://api.brevo.com/v3/smtp/email");
    EXPECT_EQ(test::header_of(request, "api-key"), "FAKE_KEY");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({
        "sender": {"email": "sender@example.com", "name": "Jürgen Müller"},
        "to": [{"email": "bob@example.net", "name": "Doe, Bob"}],
        "cc": [{"email": "carol@example.net", "name": "Žaneta"}],
        "bcc": [{"email": "hidden@example.org"}],
        "replyTo": {"email": "reply@example.com", "name": "Antwort"},
        "subject": "Grüße",
        "textContent": "Schön",
        "htmlContent": "<!DOCTYPE html><html><head><title>t</title></head><body class=\"x\"><p>Schön</p></body></html>",
        "attachment": [{"content": "SGVsbG8=", "name": "Grüße.pdf"}],
        "headers": {"In-Reply-To": "<orig-1@example.net>",
                    "References": "<orig-0@example.net> <orig-1@example.net>",
                    "List-Unsubscribe": "<https://example.com/u/1>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "Precedence": "bulk", "X-Mailer": "Test 1.0",
                    "X-Team": "=?UTF-8?b?Z3LDvG4=?=",
                    "Sender": "Office <office@example.com>",
                    "X-Mailin-custom": "01HZX0ABCD",
                    "idempotencyKey": "6f2c6c0e-6a5b-5c0b-9f0e-0a8b1c2d3e4f"}})"));
}

TEST(BrevoRequest, RefusesWhatBrevoHasNoWayFor) {
    EXPECT_THAT(test::obstacle_to(brevo_provider, test::JsonMessage(Shape::full).content),
                HasSubstr("Content-ID"));
    test::JsonMessage message(Shape::no_image);
    message.content.attachments[0].filename = "run.exe";
    EXPECT_THAT(test::obstacle_to(brevo_provider, message.content), HasSubstr("`run.exe`"));
    message.content.attachments[0].filename = "LOUD.PDF";
    EXPECT_EQ(test::obstacle_to(brevo_provider, message.content), "none");
    message.content.html = "<p>{{ contact.NAME }}</p>";
    EXPECT_THAT(test::obstacle_to(brevo_provider, message.content), HasSubstr("run"));
}

TEST(BrevoOutcomes, AreOfTheirClass) {
    const std::vector<test::AnswerCase> cases{
        {201, R"({"messageId":"<202401010000.1@relay.example.com>"})", Class::ok},
        {202, R"({"messageId":"<202401010000.1@relay.example.com>","batchId":"b"})", Class::ok},
        {201, R"({"messageIds":[]})", Class::unclear},
        {200, R"({"messageId":"<1@relay.example.com>"})", Class::unclear},
        {400, R"({"code":"invalid_parameter","message":"valid sender email required"})",
         Class::sender},
        {400, R"({"code":"invalid_parameter","message":"attachment is not valid"})",
         Class::message},
        {400, R"({"code":"missing_parameter","message":"subject is missing"})", Class::message},
        {400, R"({"code":"out_of_range","message":"too large"})", Class::message},
        {400, R"({"code":"invalid_parameter","message":"email is not valid in to"})",
         Class::single},
        {400,
         R"({"code":"duplicate_request","message":"Request with this idempotency key exists"})",
         Class::ok},
        {400, R"({"code":"duplicate_parameter","message":"x"})", Class::mistake},
        {400, R"({"code":"bad_request","message":"Input must be a valid JSON object"})",
         Class::mistake},
        {400, R"({"code":"method_not_allowed","message":"x"})", Class::mistake},
        {400, R"({"code":"not_acceptable","message":"x"})", Class::mistake},
        {401, R"({"code":"unauthorized","message":"Key not found"})", Class::account},
        {402, R"({"code":"not_enough_credits","message":"x"})", Class::throttle},
        {403, R"({"code":"permission_denied","message":"x"})", Class::account},
        {403, R"({"code":"account_under_validation","message":"x"})", Class::account},
        {422, R"({"code":"unprocessable_entity","message":"x"})", Class::message},
        {400, R"({"code":"unknown_code","message":"x"})", Class::mistake},
        {429, "", Class::throttle, 7s, {{"x-sib-ratelimit-reset", "7"}}},
        {429,
         R"({"code":"too_many_requests","message":"x"})",
         Class::throttle,
         3s,
         {{"retry-after", "3"}, {"x-sib-ratelimit-reset", "7"}}},
        {500, R"({"code":"internal_error","message":"x"})", Class::temporary},
        {500, "", Class::unclear},
        {503, "", Class::temporary},
    };
    test::check_answers(brevo_provider, cases);
    test::check_foreign_answers(brevo_provider);
    test::check_cut_answer(brevo_provider, 201, R"({"messageId":"<1@relay.example.com>"})");
}

TEST(BrevoOutcomes, RefuseOnlyWhoIsNamed) {
    EXPECT_THAT(
        test::classes(brevo_provider, 400,
                      R"({"code":"invalid_parameter","message":"Carol@example.net is not valid"})"),
        ElementsAre(Class::single, Class::recipient, Class::single));
}

TEST(BrevoOutcomes, TakeNoAddressForAWord) {
    test::check_answers(
        brevo_provider,
        {{400,
          R"({"code":"invalid_parameter","message":"email sender@example.net is not valid in to"})",
          Class::recipient},
         {400, R"({"code":"invalid_parameter","message":"sender sender@example.net is not valid"})",
          Class::sender}},
        {"sender@example.net"});
}

TEST(BrevoProbe, SendsNothing) {
    const auto probe = brevo_provider.probe(test::fake_settings(brevo_provider));
    EXPECT_EQ(probe.method, "GET");
    EXPECT_EQ(probe.url, "https://api.brevo.com/v3/account");
    EXPECT_EQ(test::header_of(probe, "api-key"), "FAKE_KEY");
}

}  // namespace
}  // namespace outpost::upstream

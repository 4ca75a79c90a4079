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

const auto settings = [] { return test::fake_settings(sendgrid_provider); };

TEST(SendgridRequest, SaysAllOfAMessage) {
    const auto request = test::request_for(sendgrid_provider, Shape::full, settings());
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "https://api.sendgrid.com/v3/mail/send");
    EXPECT_EQ(test::header_of(request, "authorization"), "Bearer FAKE_KEY");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({
        "personalizations": [{"to": [{"email": "bob@example.net", "name": "Doe, Bob"}],
                              "cc": [{"email": "carol@example.net", "name": "Žaneta"}],
                              "bcc": [{"email": "hidden@example.org"}],
                              "custom_args": {"queue_id": "01HZX0ABCD"}}],
        "from": {"email": "sender@example.com", "name": "Jürgen Müller"},
        "reply_to_list": [{"email": "reply@example.com", "name": "Antwort"}],
        "subject": "Grüße",
        "content": [{"type": "text/plain", "value": "Schön"},
                    {"type": "text/html", "value": "<p>Schön <img src=\"cid:logo1\"></p>"}],
        "tracking_settings": {"click_tracking": {"enable": false, "enable_text": false},
                              "open_tracking": {"enable": false},
                              "subscription_tracking": {"enable": false}},
        "headers": {"In-Reply-To": "<orig-1@example.net>",
                    "References": "<orig-0@example.net> <orig-1@example.net>",
                    "List-Unsubscribe": "<https://example.com/u/1>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "Precedence": "bulk", "X-Mailer": "Test 1.0",
                    "X-Team": "=?UTF-8?b?Z3LDvG4=?=",
                    "Sender": "Office <office@example.com>", "Message-ID": "<m1@example.com>"},
        "attachments": [{"content": "iVBORw0KGgo=", "type": "image/png", "filename": "logo.png",
                         "disposition": "inline", "content_id": "logo1"},
                        {"content": "SGVsbG8=", "type": "application/pdf",
                         "filename": "Grüße.pdf", "disposition": "attachment"}]})"));
}

TEST(SendgridRequest, NeverLeavesSubjectOrTextEmpty) {
    const auto body =
        test::parsed_body(test::request_for(sendgrid_provider, Shape::empty, settings()));
    EXPECT_EQ(body.at("subject"), "(no subject)");
    EXPECT_EQ(body.at("content"), boost::json::parse(R"([{"type":"text/plain","value":"\r\n"}])"));
}

TEST(SendgridRequest, CarriesAnInvitation) {
    const auto body =
        test::parsed_body(test::request_for(sendgrid_provider, Shape::invitation, settings()));
    EXPECT_EQ(body.at_pointer("/content/2/type"), "text/calendar; method=REQUEST");
    EXPECT_EQ(body.at_pointer("/content/2/value"), "BEGIN:VCALENDAR");
}

TEST(SendgridRequest, RefusesAnEmptyAttachment) {
    test::JsonMessage message(Shape::full);
    message.content.attachments[1].content.clear();
    EXPECT_THAT(test::obstacle_to(sendgrid_provider, message.content),
                HasSubstr("SendGrid cannot carry an empty attachment"));
}

TEST(SendgridProbe, SendsNothing) {
    const auto probe = sendgrid_provider.probe(settings());
    EXPECT_EQ(probe.method, "GET");
    EXPECT_EQ(probe.url, "https://api.sendgrid.com/v3/scopes");
    EXPECT_EQ(test::header_of(probe, "authorization"), "Bearer FAKE_KEY");
}

TEST(SendgridOutcomes, AreOfTheirClass) {
    const std::vector<test::AnswerCase> cases{
        {202, "", Class::ok, {}, {{"x-message-id", "FAKEmsgid0"}}},
        {202, "", Class::unclear},
        {200, "", Class::unclear, {}, {{"x-message-id", "FAKEmsgid0"}}},
        {202, "<html>", Class::unclear, {}, {{"x-message-id", "FAKEmsgid0"}}},
        {400,
         R"({"errors":[{"message":"The subject is required.","field":"subject","help":null}]})",
         Class::message},
        {400, R"({"errors":[{"message":"Invalid type. Expected: array","field":null}]})",
         Class::message},
        {400,
         R"({"errors":[{"message":"Does not contain a valid address.","field":"from.email"}]})",
         Class::message},
        {400,
         R"({"errors":[{"message":"Each email address in the personalization block should be unique between to, cc, and bcc. We found the first duplicate instance of [bob@example.net] in the personalizations.0.to field.","field":"personalizations.0","help":null}]})",
         Class::single},
        {400, "not JSON", Class::mistake},
        {401,
         R"({"errors":[{"message":"The provided authorization grant is invalid, expired, or revoked","field":null,"help":null}]})",
         Class::account},
        {401, R"({"errors":[{"message":"Maximum credits exceeded","field":null,"help":null}]})",
         Class::throttle},
        {401,
         R"({"errors":[{"message":"Authenticated user is not authorized to send mail","field":null}]})",
         Class::account},
        {403,
         R"({"errors":[{"message":"The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.","field":"from"}]})",
         Class::sender},
        {403, R"({"errors":[{"message":"access forbidden","field":null}]})", Class::account},
        {404, R"({"errors":[{"message":"not found"}]})", Class::mistake},
        {405, "", Class::mistake},
        {406, "", Class::mistake},
        {415, "", Class::mistake},
        {413, R"({"errors":[{"message":"Payload too large"}]})", Class::message},
        {429,
         R"({"errors":[{"field":null,"message":"too many requests"}]})",
         Class::throttle,
         60s,
         {{"x-ratelimit-reset", "1640032461"}}},
        {429, "", Class::throttle, 5s, {{"retry-after", "5"}}},
        {500, R"({"errors":[{"message":"Internal error"}]})", Class::temporary},
        {500, "<html><title>Error</title></html>", Class::unclear},
        {503, "", Class::temporary},
        {302, "", Class::mistake},
    };
    test::check_answers(sendgrid_provider, cases);
    test::check_foreign_answers(sendgrid_provider);
}

TEST(SendgridOutcomes, KeepTheId) {
    const test::JsonMessage message(Shape::bare);
    const auto outcomes = sendgrid_provider.outcomes(
        {.status = 202, .headers = {{"x-message-id", "FAKEmsgid0"}}, .body = {}}, message.call(),
        test::answered_at);
    EXPECT_EQ(outcomes.front().remote_id, "FAKEmsgid0");
}

TEST(SendgridOutcomes, RefuseOnlyWhoIsNamed) {
    const auto error = [](std::string_view field) {
        return R"({"errors":[{"message":"Does not contain a valid address.","field":")" +
               std::string(field) + R"("}]})";
    };
    EXPECT_THAT(test::classes(sendgrid_provider, 400, error("personalizations.0.bcc.0.email")),
                ElementsAre(Class::single, Class::single, Class::recipient));
    EXPECT_THAT(test::classes(sendgrid_provider, 400, error("personalizations.0.to.0.email")),
                ElementsAre(Class::recipient, Class::single, Class::single));
    EXPECT_THAT(test::classes(sendgrid_provider, 400, error("personalizations.0.to.7.email")),
                testing::Each(Class::single));
}

}  // namespace
}  // namespace outpost::upstream

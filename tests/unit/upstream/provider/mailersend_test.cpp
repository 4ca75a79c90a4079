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

const auto settings = [] { return test::fake_settings(mailersend_provider); };

TEST(MailersendRequest, SaysAllOfAMessage) {
    const auto request = test::request_for(mailersend_provider, Shape::full, settings());
    EXPECT_EQ(request.url, "https://api.mailersend.com/v1/email");
    EXPECT_EQ(test::header_of(request, "authorization"), "Bearer FAKE_KEY");
    EXPECT_EQ(test::header_of(request, "accept"), "application/json");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({
        "from": {"email": "sender@example.com", "name": "Jürgen Müller"},
        "to": [{"email": "bob@example.net", "name": "Doe, Bob"}],
        "cc": [{"email": "carol@example.net", "name": "Žaneta"}],
        "bcc": [{"email": "hidden@example.org"}],
        "reply_to": {"email": "reply@example.com", "name": "Antwort"},
        "subject": "Grüße",
        "text": "Schön",
        "html": "<p>Schön <img src=\"cid:logo1\"></p>",
        "attachments": [{"content": "iVBORw0KGgo=", "filename": "logo.png",
                         "disposition": "inline", "id": "logo1"},
                        {"content": "SGVsbG8=", "filename": "Grüße.pdf",
                         "disposition": "attachment"}],
        "in_reply_to": "orig-1@example.net",
        "references": ["orig-0@example.net", "orig-1@example.net"],
        "list_unsubscribe": "<https://example.com/u/1>",
        "precedence_bulk": true,
        "tags": ["01HZX0ABCD"],
        "settings": {"track_clicks": false, "track_opens": false, "track_content": false}})"));
}

TEST(MailersendRequest, RefusesWhatItWouldRunOrCannotSay) {
    for (const char* mark : {"{{ name }}", "{% if %}", "{$name}"}) {
        test::JsonMessage message(Shape::bare);
        message.content.text = mark;
        EXPECT_THAT(test::obstacle_to(mailersend_provider, message.content), HasSubstr("run"));
        message.content.text = "x";
        message.content.subject = mark;
        EXPECT_THAT(test::obstacle_to(mailersend_provider, message.content), HasSubstr("run"));
    }
    test::JsonMessage message(Shape::bare);
    message.content.reply_to.resize(2);
    EXPECT_THAT(test::obstacle_to(mailersend_provider, message.content), HasSubstr("Reply-To"));
    EXPECT_THAT(
        test::obstacle_to(mailersend_provider, test::JsonMessage(Shape::invitation).content),
        HasSubstr("calendar"));
}

TEST(MailersendOutcomes, AreOfTheirClass) {
    const auto coded = [](int status, std::string_view code, Class wanted) {
        static std::vector<std::string> bodies(1);
        bodies.reserve(100);
        bodies.push_back(R"({"message":"Some text. #MS)" + std::string(code) +
                         R"(","errors":{"x":["Some text. #MS)" + std::string(code) + R"("]}})");
        return test::AnswerCase{status, bodies.back(), wanted};
    };
    std::vector<test::AnswerCase> cases{
        {202, "", Class::ok, {}, {{"x-message-id", "65f0fake"}}},
        {202, "", Class::unclear},
        {202, "<html>", Class::unclear, {}, {{"x-message-id", "65f0fake"}}},
        {202,
         R"({"message":"There are some warnings for your request.","warnings":[{"type":"ALL_SUPPRESSED","warning":"All recipients have been suppressed. The email has not been sent.","recipients":[{"email":"bob@example.net","name":"Bob","reasons":["hard_bounced"]}]}]})",
         Class::recipient},
        {202,
         R"({"message":"Warnings.","warnings":[{"type":"OTHER","warning":"Something"}]})",
         Class::ok,
         {},
         {{"x-message-id", "65f0fake"}}},
        {202,
         R"({"message":"Warnings.","warnings":[{"type":"SOME_SUPPRESSED"}]})",
         Class::unclear,
         {},
         {{"x-message-id", "65f0fake"}}},
        {401, R"({"message":"Unauthenticated."})", Class::account},
        {404, R"({"message":"Not found"})", Class::mistake},
        {405, "", Class::mistake},
        {408, "", Class::temporary},
        {421, R"({"message":"Maintenance"})", Class::temporary},
        {422, R"({"message":"Unknown. #MS42299"})", Class::mistake},
        {422, R"({"message":"No code at all."})", Class::mistake},
        {422,
         R"({"message":"The given data was invalid.","errors":{"from.email":["not verified #MS42207"]}})",
         Class::sender},
        {429, R"({"message":"Too many. #MS42903"})", Class::throttle, 9s, {{"retry-after", "9"}}},
        {429,
         R"({"message":"Daily quota. #MS42901"})",
         Class::throttle,
         12399s,
         {{"x-apiquota-reset", "2021-12-21T00:00:00Z"}}},
        {500, R"({"message":"Server Error"})", Class::temporary},
        {502, "<html></html>", Class::unclear},
    };
    for (const char* code : {"40301", "40302", "40303", "40304", "40305"})
        cases.push_back(coded(403, code, Class::account));
    cases.push_back(coded(400, "40001", Class::mistake));
    for (const char* code : {"42201", "42205", "42209", "42211", "42215", "42218", "42219", "42220",
                             "42221", "42227", "42228"})
        cases.push_back(coded(422, code, Class::mistake));
    for (const char* code : {"42202", "42206", "42210", "42213", "42214"})
        cases.push_back(coded(422, code, Class::message));
    cases.push_back(coded(422, "42207", Class::sender));
    for (const char* code : {"42204", "42222", "42225"})
        cases.push_back(coded(422, code, Class::throttle));
    cases.push_back(coded(422, "42216", Class::account));
    cases.push_back(coded(422, "42208", Class::single));
    test::check_answers(mailersend_provider, cases);
    test::check_foreign_answers(mailersend_provider);
}

TEST(MailersendOutcomes, TellTheRecipientsApart) {
    EXPECT_THAT(
        test::classes(
            mailersend_provider, 422,
            R"({"message":"The cc.0.email must be a valid email address. #MS42208","errors":{"cc.0.email":["The cc.0.email must be a valid email address. #MS42208"]}})"),
        ElementsAre(Class::single, Class::recipient, Class::single));
    EXPECT_THAT(
        test::classes(
            mailersend_provider, 422,
            R"({"message":"invalid #MS42208","errors":{"from.email":["invalid #MS42208"]}})"),
        testing::Each(Class::message));
    EXPECT_THAT(
        test::classes(
            mailersend_provider, 202,
            R"({"message":"There are some warnings for your request.","warnings":[{"type":"SOME_SUPPRESSED","warning":"Some of the recipients have been suppressed.","recipients":[{"email":"Hidden@example.org","name":"","reasons":["blocklisted"]}]}]})",
            {{"x-message-id", "65f0fake"}}),
        ElementsAre(Class::ok, Class::ok, Class::recipient));
}

TEST(MailersendProbe, SendsNothing) {
    const auto probe = mailersend_provider.probe(settings());
    EXPECT_EQ(probe.method, "GET");
    EXPECT_EQ(probe.url, "https://api.mailersend.com/v1/api-quota");
}

}  // namespace
}  // namespace outpost::upstream

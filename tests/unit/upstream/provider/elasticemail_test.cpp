#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "upstream/provider/json_message.hpp"
#include "upstream/provider/providers.hpp"

namespace outpost::upstream {
namespace {

using test::Class;
using test::Shape;
using testing::HasSubstr;

TEST(ElasticemailRequest, SaysAllOfAMessage) {
    auto settings = test::fake_settings(elasticemail_provider);
    settings.return_path = "bounces@example.com";
    const auto request = test::request_for(elasticemail_provider, Shape::no_image, settings);
    EXPECT_EQ(request.url, "https://api.elasticemail.com/v4/emails/transactional");
    EXPECT_EQ(test::header_of(request, "x-elasticemail-apikey"), "FAKE_KEY");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({
        "Recipients": {"To": ["\"Doe, Bob\" <bob@example.net>"],
                       "CC": ["Žaneta <carol@example.net>"], "BCC": ["hidden@example.org"]},
        "Content": {"From": "Jürgen Müller <sender@example.com>",
                    "EnvelopeFrom": "bounces@example.com",
                    "ReplyTo": "Antwort <reply@example.com>", "Subject": "Grüße",
                    "Body": [{"ContentType": "PlainText", "Content": "Schön", "Charset": "utf-8"},
                             {"ContentType": "HTML", "Charset": "utf-8",
                              "Content": "<!DOCTYPE html><html><head><title>t</title></head><body class=\"x\"><p>Schön</p></body></html>"}],
                    "Attachments": [{"BinaryContent": "SGVsbG8=", "Name": "Grüße.pdf",
                                     "ContentType": "application/pdf"}],
                    "Headers": {"In-Reply-To": "<orig-1@example.net>",
                                "References": "<orig-0@example.net> <orig-1@example.net>",
                                "List-Unsubscribe": "<https://example.com/u/1>",
                                "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                                "Precedence": "bulk", "X-Mailer": "Test 1.0",
                                "X-Team": "=?UTF-8?b?Z3LDvG4=?=",
                                "Sender": "Office <office@example.com>"},
                    "Postback": "01HZX0ABCD"},
        "Options": {"TrackOpens": false, "TrackClicks": false}})"));
}

TEST(ElasticemailRequest, RefusesImagesWithinTheHtml) {
    EXPECT_THAT(test::obstacle_to(elasticemail_provider, test::JsonMessage(Shape::full).content),
                HasSubstr("Content-ID"));
}

TEST(ElasticemailRequest, RefusesMergeTagsButNotStyles) {
    const auto with = [](std::string text, std::optional<std::string> html) {
        test::JsonMessage message(Shape::bare);
        message.content.text = std::move(text);
        message.content.html = std::move(html);
        return test::obstacle_to(elasticemail_provider, message.content);
    };
    EXPECT_THAT(with("Hi {firstname}!", {}), HasSubstr("braces"));
    EXPECT_THAT(with("Hi {first name:friend}", {}), HasSubstr("braces"));
    EXPECT_THAT(with("x", "<p>{unsubscribe}</p>"), HasSubstr("braces"));
    EXPECT_THAT(with("x", "<p>{{ x | y }}</p>"), HasSubstr("braces"));
    EXPECT_EQ(with("if (x) { return; } {}", "<style>p{color:red} b { margin: 0; }</style>"),
              "none");
}

TEST(ElasticemailOutcomes, AreOfTheirClass) {
    const std::vector<test::AnswerCase> cases{
        {200, R"({"TransactionID":"0000-1111","MessageID":"-FAKEid"})", Class::ok},
        {200, R"({"MessageID":"-FAKEid"})", Class::unclear},
        {200, R"({"Error":"x","TransactionID":"0000-1111"})", Class::unclear},
        {400, R"({"Error":"APIKey Expired"})", Class::account},
        {400, R"({"Error":"Incorrect apikey"})", Class::account},
        {400, R"({"Error":"Access Denied. Required access level: SendHttp"})", Class::account},
        {400, R"({"Error":"You do not have permission"})", Class::account},
        {400, R"({"Error":"Your account has been suspended"})", Class::account},
        {400, R"({"Error":"The account is under review"})", Class::account},
        {400, R"({"Error":"This account is blocked"})", Class::account},
        {400, R"({"Error":"Account disabled"})", Class::account},
        {400, R"({"Error":"Not enough credits"})", Class::throttle},
        {400, R"({"Error":"Daily limit reached"})", Class::throttle},
        {400, R"({"Error":"Invalid From email address"})", Class::sender},
        {400, R"({"Error":"The domain example.com is not verified"})", Class::sender},
        {400, R"({"Error":"Attachment type is not allowed"})", Class::message},
        {400, R"({"Error":"The message is too large"})", Class::message},
        {400, R"({"Error":"something new"})", Class::mistake},
        {400, "Bad Request", Class::mistake},
        {401, "", Class::account},
        {429, "", Class::throttle},
        {500, R"({"Error":"Internal"})", Class::temporary},
        {500, "", Class::unclear},
        {503, "", Class::temporary},
    };
    test::check_answers(elasticemail_provider, cases);
    test::check_foreign_answers(elasticemail_provider, {R"({"Error":"something new"})"});
    test::check_cut_answer(elasticemail_provider, 200,
                           R"({"TransactionID":"0000-1111","MessageID":"-FAKEid"})");
}

TEST(ElasticemailProbe, SendsToNobody) {
    const auto probe = elasticemail_provider.probe(test::fake_settings(elasticemail_provider));
    EXPECT_EQ(test::parsed_body(probe),
              boost::json::parse(R"({"Recipients":{"To":[]},"Content":{}})"));
}

}  // namespace
}  // namespace outpost::upstream

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
using testing::ElementsAre;

TEST(PostmarkRequest, SaysAllOfAMessage) {
    const auto request =
        test::request_for(postmark_provider, Shape::full, test::fake_settings(postmark_provider));
    EXPECT_EQ(request.url, "https://api.postmarkapp.com/email");
    EXPECT_EQ(test::header_of(request, "x-postmark-server-token"), "FAKE_KEY");
    EXPECT_EQ(test::header_of(request, "accept"), "application/json");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({
        "From": "Jürgen Müller <sender@example.com>",
        "To": "\"Doe, Bob\" <bob@example.net>",
        "Cc": "Žaneta <carol@example.net>",
        "Bcc": "hidden@example.org",
        "ReplyTo": "Antwort <reply@example.com>",
        "Subject": "Grüße",
        "TextBody": "Schön",
        "HtmlBody": "<p>Schön <img src=\"cid:logo1\"></p>",
        "Headers": [{"Name": "In-Reply-To", "Value": "<orig-1@example.net>"},
                    {"Name": "References", "Value": "<orig-0@example.net> <orig-1@example.net>"},
                    {"Name": "List-Unsubscribe", "Value": "<https://example.com/u/1>"},
                    {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
                    {"Name": "Precedence", "Value": "bulk"},
                    {"Name": "X-Mailer", "Value": "Test 1.0"},
                    {"Name": "X-Team", "Value": "=?UTF-8?b?Z3LDvG4=?="},
                    {"Name": "Sender", "Value": "Office <office@example.com>"},
                    {"Name": "Message-ID", "Value": "<m1@example.com>"}],
        "Attachments": [{"Name": "logo.png", "Content": "iVBORw0KGgo=",
                         "ContentType": "image/png", "ContentID": "cid:logo1"},
                        {"Name": "Grüße.pdf", "Content": "SGVsbG8=",
                         "ContentType": "application/pdf"}],
        "Metadata": {"queue_id": "01HZX0ABCD"},
        "TrackOpens": false,
        "TrackLinks": "None"})"));
}

TEST(PostmarkRequest, KeepsRepeatedFieldsAndItsOwn) {
    test::JsonMessage message(Shape::bare);
    message.content.headers = {{"X-Tag", "one"}, {"X-Tag", "two"}, {"X-PM-Tag", "theirs"}};
    const auto request =
        postmark_provider.request(message.call(), test::fake_settings(postmark_provider));
    ASSERT_TRUE(request);
    EXPECT_EQ(test::parsed_body(*request).at("Headers"),
              boost::json::parse(R"([{"Name":"X-Tag","Value":"one"},
                                     {"Name":"X-Tag","Value":"two"},
                                     {"Name":"X-PM-Tag","Value":"theirs"}])"));
}

TEST(PostmarkOutcomes, AreOfTheirClass) {
    const std::vector<test::AnswerCase> cases{
        {200,
         R"({"To":"bob@example.net","SubmittedAt":"2024-01-01T00:00:00.0000000+00:00","MessageID":"0000-1111","ErrorCode":0,"Message":"OK"})",
         Class::ok},
        {200,
         R"({"MessageID":"0000-1111","Message":"Message accepted, but delivery may be delayed."})",
         Class::ok},
        {200, R"({"ErrorCode":0,"Message":"OK"})", Class::unclear},
        {200, R"({"ErrorCode":406,"Message":"inactive"})", Class::recipient},
        {200,
         R"({"MessageID":"0000","ErrorCode":0,"Message":"Message OK, but will not deliver to these inactive addresses: stranger@example.net"})",
         Class::unclear},
        {401, R"({"ErrorCode":10,"Message":"No Account or Server API tokens were supplied"})",
         Class::account},
        {422, R"({"ErrorCode":300,"Message":"Zero recipients specified"})", Class::message},
        {422, R"({"ErrorCode":300,"Message":"Invalid 'From' address: 'x'."})", Class::sender},
        {422, R"({"ErrorCode":300,"Message":"Error parsing 'To': Illegal email address"})",
         Class::single},
        {422,
         R"({"ErrorCode":400,"Message":"The 'From' address you supplied is not a Sender Signature"})",
         Class::sender},
        {422, R"({"ErrorCode":401,"Message":"Sender signature not confirmed"})", Class::sender},
        {422, R"({"ErrorCode":402,"Message":"Invalid JSON"})", Class::mistake},
        {422, R"({"ErrorCode":403,"Message":"Incompatible JSON"})", Class::mistake},
        {422, R"({"ErrorCode":405,"Message":"Not allowed to send, out of credits"})",
         Class::throttle},
        {422,
         R"({"ErrorCode":406,"Message":"You tried to send to recipient(s) that have been marked as inactive. Found inactive addresses: bob@example.net."})",
         Class::recipient},
        {422, R"({"ErrorCode":409,"Message":"JSON required"})", Class::mistake},
        {422, R"({"ErrorCode":410,"Message":"Too many batch messages"})", Class::mistake},
        {422, R"({"ErrorCode":411,"Message":"Forbidden attachment type"})", Class::message},
        {422, R"({"ErrorCode":412,"Message":"Account is pending"})", Class::account},
        {422, R"({"ErrorCode":413,"Message":"Account may not send"})", Class::account},
        {422, R"({"ErrorCode":999,"Message":"new"})", Class::mistake},
        {413, "", Class::message},
        {429, R"({"ErrorCode":429,"Message":"Rate limit exceeded"})", Class::throttle},
        {429, "", Class::throttle},
        {500, R"({"ErrorCode":100,"Message":"Server error"})", Class::temporary},
        {503, R"({"ErrorCode":100,"Message":"Maintenance"})", Class::temporary},
        {500, "", Class::unclear},
        {503, "", Class::temporary},
    };
    test::check_answers(postmark_provider, cases);
    test::check_foreign_answers(postmark_provider);
    test::check_cut_answer(postmark_provider, 200,
                           R"({"MessageID":"0000-1111","ErrorCode":0,"Message":"OK"})");
}

TEST(PostmarkOutcomes, TellInactiveRecipientsApart) {
    EXPECT_THAT(
        test::classes(
            postmark_provider, 200,
            R"({"MessageID":"0000-1111","ErrorCode":0,"Message":"Message OK, but will not deliver to these inactive addresses: carol@example.net, Hidden@example.org"})"),
        ElementsAre(Class::ok, Class::recipient, Class::recipient));
}

TEST(PostmarkProbe, SendsNothing) {
    const auto probe = postmark_provider.probe(test::fake_settings(postmark_provider));
    EXPECT_EQ(probe.method, "GET");
    EXPECT_EQ(probe.url, "https://api.postmarkapp.com/server");
}

}  // namespace
}  // namespace outpost::upstream

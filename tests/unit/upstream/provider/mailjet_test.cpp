#include <fmt/format.h>
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

TEST(MailjetRequest, SaysAllOfAMessage) {
    const auto request =
        test::request_for(mailjet_provider, Shape::full, test::fake_settings(mailjet_provider));
    EXPECT_EQ(request.url, "https://api.mailjet.com/v3.1/send");
    EXPECT_EQ(test::header_of(request, "authorization"), "Basic RkFLRV9LRVk6RkFLRV9TRUNSRVQ=");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({"Messages": [{
        "From": {"Email": "sender@example.com", "Name": "Jürgen Müller"},
        "To": [{"Email": "bob@example.net", "Name": "Doe, Bob"}],
        "Cc": [{"Email": "carol@example.net", "Name": "Žaneta"}],
        "Bcc": [{"Email": "hidden@example.org"}],
        "ReplyTo": {"Email": "reply@example.com", "Name": "Antwort"},
        "Subject": "Grüße",
        "TextPart": "Schön",
        "HTMLPart": "<p>Schön <img src=\"cid:logo1\"></p>",
        "Attachments": [{"ContentType": "application/pdf", "Filename": "Grüße.pdf",
                         "Base64Content": "SGVsbG8="}],
        "InlinedAttachments": [{"ContentType": "image/png", "Filename": "logo.png",
                                "ContentID": "logo1", "Base64Content": "iVBORw0KGgo="}],
        "Headers": {"In-Reply-To": "<orig-1@example.net>",
                    "References": "<orig-0@example.net> <orig-1@example.net>",
                    "List-Unsubscribe": "<https://example.com/u/1>",
                    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
                    "Precedence": "bulk", "X-Team": "=?UTF-8?b?Z3LDvG4=?="},
        "CustomID": "01HZX0ABCD",
        "TrackOpens": "disabled",
        "TrackClicks": "disabled"}]})"));
}

TEST(MailjetRequest, LeavesOutWhatMailjetForbids) {
    test::JsonMessage message(Shape::bare);
    message.content.headers = {{"List-Id", "<l.example.com>"},
                               {"X-MJ-CustomID", "theirs"},
                               {"User-Agent", "x"},
                               {"X-Mailjet-Prio", "3"},
                               {"Auto-Submitted", "auto-replied"}};
    const auto request =
        mailjet_provider.request(message.call(), test::fake_settings(mailjet_provider));
    ASSERT_TRUE(request);
    EXPECT_EQ(test::parsed_body(*request).at_pointer("/Messages/0/Headers"),
              boost::json::parse(R"({"Auto-Submitted":"auto-replied"})"));
}

TEST(MailjetOutcomes, AreOfTheirClass) {
    static std::vector<std::string> bodies;
    std::vector<test::AnswerCase> cases{
        {200, R"({"Messages":[{"Status":"success","To":[{"Email":"bob@example.net"}]}]})",
         Class::unclear},
        {200, R"({"Messages":[{"Status":"error","Errors":[]}]})", Class::unclear},
        {401, "", Class::account},
        {429, "", Class::throttle},
        {500, "", Class::unclear},
        {500,
         R"({"ErrorIdentifier":"0","ErrorCode":"mj-9999","ErrorMessage":"x","StatusCode":500})",
         Class::temporary},
        {400,
         R"({"ErrorIdentifier":"0","ErrorCode":"mj-0002","ErrorMessage":"Malformed JSON, please review the syntax and properties types.","StatusCode":400})",
         Class::mistake},
        {401,
         R"({"ErrorIdentifier":"0","ErrorCode":"mj-0015","StatusCode":401,"ErrorMessage":"bad"})",
         Class::account},
    };
    const auto add = [&](int status, std::string_view code, Class wanted) {
        bodies.push_back(fmt::format(
            R"({{"Messages":[{{"Status":"error","Errors":[{{"ErrorIdentifier":"0","ErrorCode":"{}","StatusCode":{},"ErrorMessage":"x"}}]}}]}})",
            code, status));
        // A call of several messages answers 200 for the errors of some.
        for (const int http : {status, 200}) cases.push_back({http, bodies.back(), wanted});
    };
    bodies.reserve(100);
    add(401, "mj-0001", Class::account);
    add(401, "mj-0015", Class::account);
    add(403, "mj-0021", Class::account);
    for (const char* code : {"send-0006", "send-0007", "send-0008"}) add(403, code, Class::sender);
    add(400, "mj-0013", Class::single);
    for (const char* code : {"send-0015", "mj-0008", "send-0011", "mj-0002", "mj-0003", "mj-0004",
                             "mj-0005", "mj-0007", "mj-0012"})
        add(400, code, Class::mistake);
    for (const char* code : {"mj-0006", "mj-0011", "send-0003"}) add(400, code, Class::message);
    add(429, "mj-9999", Class::throttle);
    add(500, "mj-9999", Class::temporary);
    add(400, "mj-9999", Class::mistake);
    test::check_answers(mailjet_provider, cases);
    test::check_foreign_answers(mailjet_provider);
    test::check_cut_answer(
        mailjet_provider, 200,
        R"({"Messages":[{"Status":"success","To":[{"Email":"bob@example.net","MessageID":1152921500000000001}]}]})");
}

TEST(MailjetOutcomes, RefuseOnlyWhoIsNamed) {
    const auto body = [](std::string_view place) {
        return fmt::format(
            R"({{"Messages":[{{"Status":"error","Errors":[{{"ErrorIdentifier":"0","ErrorCode":"mj-0013","StatusCode":400,"ErrorMessage":"\"bob@@example\" is an invalid email address.","ErrorRelatedTo":["{}"]}}]}}]}})",
            place);
    };
    EXPECT_THAT(test::classes(mailjet_provider, 400, body("To[0].Email")),
                ElementsAre(Class::recipient, Class::single, Class::single));
    EXPECT_THAT(test::classes(mailjet_provider, 400, body("Bcc[0].Email")),
                ElementsAre(Class::single, Class::single, Class::recipient));
    EXPECT_THAT(test::classes(mailjet_provider, 400, body("From.Email")),
                testing::Each(Class::message));
}

TEST(MailjetOutcomes, KeepTheIdOfEachRecipient) {
    const test::JsonMessage message(Shape::full);
    const auto outcomes = mailjet_provider.outcomes(
        {.status = 200,
         .headers = {},
         .body =
             R"({"Messages":[{"Status":"success","CustomID":"q","To":[{"Email":"bob@example.net","MessageUUID":"u","MessageID":1152921500000000001,"MessageHref":"h"}],"Cc":[{"Email":"carol@example.net","MessageUUID":"u","MessageID":1152921500000000002,"MessageHref":"h"}],"Bcc":[]}]})"},
        message.call(), test::answered_at);
    ASSERT_EQ(outcomes.size(), 3U);
    for (const auto& outcome : outcomes) EXPECT_EQ(outcome.verdict, Verdict::delivered);
    EXPECT_EQ(outcomes[0].remote_id, "1152921500000000001");
    EXPECT_EQ(outcomes[1].remote_id, "1152921500000000002");
    EXPECT_EQ(outcomes[2].remote_id, "1152921500000000001");
}

TEST(MailjetProbe, SendsNothing) {
    const auto probe = mailjet_provider.probe(test::fake_settings(mailjet_provider));
    EXPECT_EQ(probe.method, "GET");
    EXPECT_EQ(test::header_of(probe, "authorization"), "Basic RkFLRV9LRVk6RkFLRV9TRUNSRVQ=");
}

}  // namespace
}  // namespace outpost::upstream

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

TEST(MailupRequest, SaysAllOfAMessage) {
    const auto request =
        test::request_for(mailup_provider, Shape::full, test::fake_settings(mailup_provider));
    EXPECT_EQ(request.url, "https://send.mailup.com/API/v2.0/messages/sendmessage");
    EXPECT_EQ(test::parsed_body(request), boost::json::parse(R"({
        "User": {"Username": "FAKE_KEY", "Secret": "FAKE_SECRET"},
        "Subject": "Grüße",
        "From": {"Name": "Jürgen Müller", "Email": "sender@example.com"},
        "To": [{"Name": "Doe, Bob", "Email": "bob@example.net"}],
        "Cc": [{"Name": "Žaneta", "Email": "carol@example.net"}],
        "Bcc": [{"Name": "", "Email": "hidden@example.org"}],
        "ReplyTo": "reply@example.com",
        "CharSet": "utf-8",
        "Text": "Schön",
        "Html": {"DocType": null, "Head": null, "BodyTag": "<body>",
                 "Body": "<p>Schön <img src=\"cid:logo1\"></p>"},
        "ExtendedHeaders": [
            {"N": "In-Reply-To", "V": "<orig-1@example.net>"},
            {"N": "References", "V": "<orig-0@example.net> <orig-1@example.net>"},
            {"N": "List-Unsubscribe", "V": "<https://example.com/u/1>"},
            {"N": "List-Unsubscribe-Post", "V": "List-Unsubscribe=One-Click"},
            {"N": "Precedence", "V": "bulk"}, {"N": "X-Mailer", "V": "Test 1.0"},
            {"N": "X-Team", "V": "=?UTF-8?b?Z3LDvG4=?="},
            {"N": "X-Outpost-Id", "V": "01HZX0ABCD"}],
        "Attachments": [{"Filename": "Grüße.pdf", "ContentId": "", "Body": "SGVsbG8="}],
        "EmbeddedImages": [{"Filename": "logo.png", "ContentId": "logo1",
                            "Body": "iVBORw0KGgo="}],
        "XSmtpAPI": {"CampaignName": "outpost", "CampaignCode": "outpost", "Header": false,
                     "Footer": false, "ClickTracking": false, "ViewTracking": false}})"));
}

boost::json::value html_part(std::string html) {
    test::JsonMessage message(Shape::bare);
    message.content.html = std::move(html);
    const auto request =
        mailup_provider.request(message.call(), test::fake_settings(mailup_provider));
    return request ? test::parsed_body(*request).at("Html") : nullptr;
}

TEST(MailupRequest, SplitsADocument) {
    EXPECT_EQ(html_part("<!DOCTYPE html>\r\n<HTML><Head lang=en><title>t</title></HEAD>\r\n"
                        "<BODY class=\"x\">\r\n<p>a</p></BODY></HTML>\r\n"),
              boost::json::parse(R"({"DocType":"<!DOCTYPE html>","Head":"<title>t</title>",
                  "BodyTag":"<BODY class=\"x\">","Body":"\r\n<p>a</p>"})"));
    EXPECT_EQ(
        html_part("<body>open"),
        boost::json::parse(R"({"DocType":null,"Head":null,"BodyTag":"<body>","Body":"open"})"));
    EXPECT_EQ(
        html_part("<header>x</header>"),
        boost::json::parse(
            R"({"DocType":null,"Head":null,"BodyTag":"<body>","Body":"<header>x</header>"})"));
}

TEST(MailupRequest, SplitsNoDocumentAtACommentOrScript) {
    EXPECT_EQ(html_part("<head><!-- <body> --><script>'<body>'</script></head>"
                        "<body id=1>a<!-- </body> -->b</body>\n</html>\n"),
              (boost::json::object{{"DocType", nullptr},
                                   {"Head", "<!-- <body> --><script>'<body>'</script>"},
                                   {"BodyTag", "<body id=1>"},
                                   {"Body", "a<!-- </body> -->b"}}));
    EXPECT_EQ(html_part("<!-->x<body>a</body>").at("BodyTag"), "<body>");
}

TEST(MailupRequest, KeepsADocumentWholeThatCouldNotBePutTogetherAgain) {
    for (const std::string html :
         {"</body><body>", "<body>a</body>unsubscribe", "<body>a</body></html><img src=x>",
          "<body>a</body><body>b</body>", "<body>a<body>b</body>", "<body>a</body></body>",
          "<body>a</body><!--[if mso]>x<![endif]-->", "<!-- <body>open"})
        EXPECT_EQ(
            html_part(html),
            (boost::json::object{
                {"DocType", nullptr}, {"Head", nullptr}, {"BodyTag", "<body>"}, {"Body", html}}))
            << html;
}

TEST(MailupOutcomes, AreOfTheirClass) {
    const std::vector<test::AnswerCase> cases{
        {200, R"({"Status":"done","Code":"0","Message":""})", Class::ok},
        {200, R"({"Status":"done","Code":"7","Message":"odd"})", Class::temporary},
        {200, R"({"Status":"error","Code":"0","Message":"odd"})", Class::temporary},
        {200, R"({"Status":"done"})", Class::unclear},
        {200, R"({"Status":"error","Code":"100","Message":"Invalid credentials"})", Class::account},
        {200, R"({"Status":"error","Code":"101","Message":"User blocked"})", Class::account},
        {200, R"({"Status":"error","Code":"102","Message":"Hourly limit reached"})",
         Class::throttle},
        {403, R"({"Status":"error","Code":"300","Message":"Recipients are missing"})",
         Class::mistake},
        {403, R"({"Status":"error","Code":"301","Message":"Attachment not allowed"})",
         Class::message},
        {403, R"({"Status":"error","Code":"302","Message":"Sender is not allowed"})",
         Class::sender},
        {403, "", Class::account},
        {401, R"({"Status":"error","Code":"1","Message":""})", Class::account},
        {429, R"({"Status":"error","Code":"1","Message":"x"})", Class::throttle},
        {500, R"({"Status":"error","Code":"1","Message":"x"})", Class::temporary},
        {500, "", Class::unclear},
        {503, "", Class::temporary},
    };
    test::check_answers(mailup_provider, cases);
    test::check_foreign_answers(mailup_provider,
                                {R"({"Status":"error","Code":"999","Message":"something new"})"});
    test::check_cut_answer(mailup_provider, 200, R"({"Status":"done","Code":"0","Message":""})");
}

TEST(MailupProbe, SendsToNobody) {
    const auto probe = mailup_provider.probe(test::fake_settings(mailup_provider));
    EXPECT_EQ(
        test::parsed_body(probe),
        boost::json::parse(R"({"User":{"Username":"FAKE_KEY","Secret":"FAKE_SECRET"},"To":[]})"));
}

}  // namespace
}  // namespace outpost::upstream

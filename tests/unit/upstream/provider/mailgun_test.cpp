#include <gtest/gtest.h>

#include "upstream/provider/provider_cases.hpp"
#include "upstream/provider/providers.hpp"

namespace outpost::upstream {
namespace {

using test::Class;
using namespace std::chrono_literals;
using namespace std::string_literals;

ProviderSettings settings() {
    ProviderSettings settings;
    settings.endpoint = "https://api.mailgun.net";
    settings.api_key = base::Secret("key-FAKEKEY");
    settings.domain = "mg.example.com";
    return settings;
}

const std::string raw = "From: s@mg.example.com\r\nSubject: x\r\n\r\n\x00\xFF--\r\n--x--\r\n"s;

TEST(MailgunRequest, IsAFormWithTheOctetsAsAFile) {
    const auto request = mailgun_provider.request(test::raw_message(raw), settings());
    ASSERT_TRUE(request);
    EXPECT_EQ(request->url, "https://api.mailgun.net/v3/mg.example.com/messages.mime");
    EXPECT_EQ(test::header_of(*request, "authorization"), "Basic YXBpOmtleS1GQUtFS0VZ");
    EXPECT_EQ(test::header_of(*request, "content-type"),
              "multipart/form-data; boundary=outpost-01HZX0ABCD-0");
    const auto field = [](const std::string& name, const std::string& value) {
        return "--outpost-01HZX0ABCD-0\r\nContent-Disposition: form-data; name=\"" + name +
               "\"\r\n\r\n" + value + "\r\n";
    };
    EXPECT_EQ(request->body,
              field("to", "bob@example.net") + field("to", "carol@example.net") +
                  field("to", "hidden@example.org") + field("o:tracking", "no") +
                  field("v:queue_id", "01HZX0ABCD") +
                  "--outpost-01HZX0ABCD-0\r\nContent-Disposition: form-data; name=\"message\"; "
                  "filename=\"message.mime\"\r\nContent-Type: message/rfc822\r\n\r\n" +
                  raw + "\r\n--outpost-01HZX0ABCD-0--\r\n");
}

TEST(MailgunRequest, KeepsItsKeyOutOfOpenHeaders) {
    const auto request = mailgun_provider.request(test::raw_message(raw), settings());
    ASSERT_TRUE(request);
    for (const auto& [name, value] : request->headers) EXPECT_NE(name, "Authorization") << value;
}

TEST(MailgunRequest, ChoosesABoundaryThatStandsNowhereInTheMessage) {
    const std::string tricky = "Subject: outpost-01HZX0ABCD-0\r\n\r\n--outpost-01HZX0ABCD-1--\r\n";
    const auto message = test::raw_message(tricky);
    const auto request = mailgun_provider.request(message, settings());
    ASSERT_TRUE(request);
    EXPECT_EQ(test::header_of(*request, "content-type"),
              "multipart/form-data; boundary=outpost-01HZX0ABCD-2");
    EXPECT_EQ(request->body, mailgun_provider.request(message, settings())->body);

    const std::vector<std::string> odd{"outpost-01HZX0ABCD-0@example.net"};
    const auto other = mailgun_provider.request(test::raw_message(raw, odd), settings());
    ASSERT_TRUE(other);
    EXPECT_EQ(test::header_of(*other, "content-type"),
              "multipart/form-data; boundary=outpost-01HZX0ABCD-1");
}

TEST(MailgunOutcome, HasTheIdAsEventsNameIt) {
    const net::HttpResponse answer{
        .status = 200,
        .headers = {},
        .body = R"({"id":"<20240101.1.FAKE@mg.example.com>","message":"Queued. Thank you."})"};
    const auto outcomes =
        mailgun_provider.outcomes(answer, test::raw_message(raw), test::answered_at);
    ASSERT_EQ(outcomes.size(), 3U);
    EXPECT_EQ(outcomes[0].remote_id, "20240101.1.FAKE@mg.example.com");
    EXPECT_EQ(outcomes[2].reply.text(), "2.0.0 HTTP 200: Queued. Thank you.");
}

const std::vector<test::AnswerCase> answers{
    {200, R"({"id":"<1@mg.example.com>","message":"Queued. Thank you."})", Class::ok},
    {200, R"({"message":"Queued. Thank you."})", Class::unclear},
    {200, "Mailgun Magnificent API", Class::mistake},
    {400, R"({"message":"to parameter is not a valid address. please check documentation"})",
     Class::single},
    {400, R"({"message":"to parameter is missing"})", Class::message},
    {400, R"({"message":"Too many recipients, max is 1000"})", Class::mistake},
    {400, R"({"message":"'message' parameter is not a file"})", Class::mistake},
    {400,
     R"({"message":"Send options (parameters starting with o:, h:, or v:) are limited to 16KB"})",
     Class::mistake},
    {400,
     R"({"message":"Domain sandbox1.mailgun.org is not allowed to send: Sandbox subdomains are for)"
     R"( test purposes only. Please add your own domain or add the address to authorized recipients"})",
     Class::account},
    {400,
     R"({"message":"Domain mg.example.com is not allowed to send: Free accounts are for test)"
     R"( purposes only."})",
     Class::account},
    {400,
     R"({"message":"Domain mg.example.com is not allowed to send: The domain is unverified and)"
     R"( requires DNS configuration. Log in to your control panel to view required DNS records."})",
     Class::sender},
    {400,
     R"({"message":"Domain mg.example.com is not allowed to send: Please activate your Mailgun)"
     R"( account. Check your inbox or log in to your control panel."})",
     Class::account},
    {401, "Forbidden", Class::account},
    {401, "\"Forbidden\"", Class::account},
    {402, R"({"message":"Payment required"})", Class::account},
    {402, "", Class::account},
    {403, R"({"message":"Your account is not allowed to send large batches yet"})", Class::account},
    {403, R"({"message":"Rejected: IP 192.0.2.1 can't be used to send the message"})",
     Class::account},
    {404, R"({"message":"Domain not found: mg.example.com"})", Class::account},
    {404, "404 page not found", Class::mistake},
    {413, R"({"message":"request size exceeds 52.4MiB limit"})", Class::message},
    {429,
     R"({"message":"Domain mg.example.com is not allowed to send: request limit exceeded, try)"
     R"( again after Mon, 20 Dec 2021 20:35:21 UTC"})",
     Class::throttle, 120s},
    {429,
     R"({"message":"Domain mg.example.com is not allowed to send: recipient limit exceeded, try)"
     R"( again after Tue, 28 Dec 2021 20:35:21 UTC"})",
     Class::throttle, 24h},
    {429,
     R"({"message":"Domain mg.example.com is not allowed to send: account-requests-per-sec limit)"
     R"( exceeded, try again after 120 seconds"})",
     Class::throttle, 120s},
    {429,
     R"({"message":"Domain mg.example.com is not allowed to send: bytes limit exceeded, try again)"
     R"( after Mon, 20 Dec 2021 20:33:51 UTC"})",
     Class::throttle, 30s},
    {429, R"({"message":"Too many requests"})", Class::throttle},
    {.status = 429,
     .body = "slow down",
     .wanted = Class::throttle,
     .wait = 7s,
     .headers = {{"retry-after", "7"}}},
    {500, R"({"message":"Internal Server Error"})", Class::temporary},
    {502, R"({"message":"Bad Gateway"})", Class::temporary},
    {500, "<html>", Class::unclear},
    {503, "<html>", Class::temporary},
};

TEST(MailgunOutcome, KnowsEveryDocumentedAnswer) {
    test::check_answers(mailgun_provider, answers);
}

TEST(MailgunOutcome, BlamesTheOneRecipientOfACall) {
    test::check_answers(
        mailgun_provider,
        {{400, R"({"message":"to parameter is not a valid address. please check documentation"})",
          Class::message}},
        {"bob@example.net"});
}

TEST(MailgunOutcome, IsSafeForWhatNobodyDocuments) {
    const auto message = test::raw_message(raw);
    // 402 is documented, whatever its body.
    for (const auto& each : mailgun_provider.outcomes({.status = 402, .headers = {}, .body = "?"},
                                                      message, test::answered_at))
        EXPECT_EQ(each.verdict, Verdict::misconfigured);
    test::check_foreign_answers(mailgun_provider);
    test::check_cut_answer(mailgun_provider, 200,
                           R"({"id":"<1@mg.example.com>","message":"Queued. Thank you."})");
}

TEST(MailgunProbe, SendsToNobody) {
    const auto request = mailgun_provider.probe(settings());
    EXPECT_EQ(request.url, "https://api.mailgun.net/v3/mg.example.com/messages.mime");
    EXPECT_EQ(request.body.find("name=\"to\""), std::string::npos);
    EXPECT_EQ(test::header_of(request, "authorization"), "Basic YXBpOmtleS1GQUtFS0VZ");
}

}  // namespace
}  // namespace outpost::upstream

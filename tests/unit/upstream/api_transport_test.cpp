#include "upstream/api_transport.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <deque>
#include <numeric>

#include "net/http_server.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

using ::outpost::test::http_answer;
using ::outpost::test::HttpServer;
using ::outpost::test::SeenRequest;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

class ManualClock final : public base::Clock {
  public:
    base::WallTime now = *base::parse_rfc3339("2026-11-22T12:00:00Z");
    [[nodiscard]] base::WallTime wall() const override { return now; }
    [[nodiscard]] base::MonoTime mono() const override { return {}; }
};

// A provider of our own: the request's body is the recipients, a line each, an empty line and the
// message. The answer's body says what became of them: one word for all or one a recipient.

ApiRequest fake_request(const ApiMessage& message, const ProviderSettings& settings) {
    if (message.raw.find("X-Cannot: yes") != std::string_view::npos)
        return std::unexpected(CannotCarry{.status = {5, 6, 1}, .text = "not that"});
    net::HttpRequest request;
    request.url = settings.endpoint + "/send";
    request.headers = {{"X-Id", std::string(message.id)},
                       {"X-From", std::string(message.reverse_path)},
                       {"Idempotency-Key", std::string(message.idempotency_key)}};
    request.secret_headers.emplace_back(
        "Authorization", base::Secret("Bearer " + std::string(settings.api_key.reveal())));
    for (const auto& recipient : message.recipients) request.body += recipient + "\n";
    request.body += "\n";
    request.body +=
        message.content != nullptr ? message.content->subject : std::string(message.raw);
    request.sign = settings.aws;
    return request;
}

Outcome outcome_for(std::string_view word, const net::HttpResponse& answer, base::WallTime now) {
    if (word == "ok") return api::delivered(answer, "id-1", "queued");
    if (word == "refused") return api::recipient_refused(answer, "no such user");
    if (word == "content") return api::message_refused(answer, "spam");
    if (word == "sender") return api::sender_unverified(answer, "sender is not verified");
    if (word == "throttled") return api::throttled(answer, "slow down", std::chrono::seconds(7));
    if (word == "bug") return api::our_mistake(answer, "what is this");
    return api::by_status(answer, answer.body, now);
}

std::vector<Outcome> fake_outcomes(const net::HttpResponse& answer, const ApiMessage& message,
                                   base::WallTime now) {
    if (answer.body == "one of you")
        return api::for_one_of(message.recipients.size(),
                               api::recipient_refused(answer, "one of you"));
    const auto words = base::split_list(answer.body, ' ');
    std::vector<Outcome> outcomes;
    for (std::size_t i = 0; i < message.recipients.size(); ++i)
        outcomes.push_back(outcome_for(words.size() == 1  ? words.front()
                                       : i < words.size() ? words[i]
                                                          : "",
                                       answer, now));
    return outcomes;
}

net::HttpRequest fake_probe(const ProviderSettings& settings) {
    net::HttpRequest request;
    request.method = "GET";
    request.url = settings.endpoint + "/account";
    request.secret_headers.emplace_back("Authorization", settings.api_key);
    return request;
}

Provider fake_provider() {
    return {.type = "fake",
            .title = "Fake",
            .form = MessageForm::raw,
            .endpoint = "",
            .recipients = {.to = 2, .cc = 2, .bcc = 2, .total = 2},
            .request = &fake_request,
            .outcomes = &fake_outcomes,
            .probe = &fake_probe};
}

class ApiTransportTest : public ::testing::Test {
  protected:
    ApiTransportTest()
        : server_(loop_.context, [this](const SeenRequest&) {
              if (answers_.empty()) return std::string("HTTP/1.1 500 script at its end\r\n\r\n");
              auto answer = std::move(answers_.front());
              answers_.pop_front();
              return answer;
          }) {
        envelope_.reverse_path = "a@test";
        recipients({"x@test"});
    }

    void recipients(const Words& addresses) {
        envelope_.recipients.clear();
        for (const auto& address : addresses)
            envelope_.recipients.push_back({.address = address, .notify = {}, .orcpt = {}});
    }
    void answer(int status, const std::string& body, const Words& fields = {}) {
        answers_.push_back(http_answer(status, body, fields));
    }
    ApiTransport& transport() {
        if (!transport_) {
            account_.endpoint = endpoint_.empty() ? server_.url() : endpoint_;
            account_.api_key = base::Secret("geheim-123");
            transport_ =
                std::make_unique<ApiTransport>(ApiTransport::Settings{.context = loop_.context,
                                                                      .pool = pool_,
                                                                      .clock = clock_,
                                                                      .name = "fake",
                                                                      .provider = provider_,
                                                                      .account = account_,
                                                                      .http = http_,
                                                                      .aws = aws_});
        }
        return *transport_;
    }
    SendReport send(spool::BodySource& body) {
        std::vector<std::uint32_t> indices(envelope_.recipients.size());
        std::iota(indices.begin(), indices.end(), 0U);
        return loop_.run(transport().send({{1}, envelope_, indices, body, one_transaction_}));
    }
    SendReport send(std::string text = "From: A <a@Test>\r\nSubject: x\r\n\r\nhello\r\n") {
        test::FakeBody body(std::move(text), 7);
        return send(body);
    }
    Outcome send_one(std::string text = "From: A <a@Test>\r\nSubject: x\r\n\r\nhello\r\n") {
        return send(std::move(text)).outcomes.at(0);
    }
    /// The recipients of each call.
    [[nodiscard]] Words calls() const {
        Words result;
        for (const auto& seen : server_.seen())
            result.push_back(seen.body.substr(0, seen.body.find("\n\n")));
        return result;
    }
    [[nodiscard]] std::string sent(std::size_t call = 0) const {
        const auto& body = server_.seen().at(call).body;
        return body.substr(body.find("\n\n") + 2);
    }

    test::Loop loop_;
    net::OffloadPool pool_{1, 10};
    ManualClock clock_;
    std::deque<std::string> answers_;
    HttpServer server_;
    Provider provider_ = fake_provider();
    ProviderSettings account_;
    std::string endpoint_;
    net::HttpClient::Settings http_;
    std::optional<AwsSources> aws_;
    bool one_transaction_ = false;
    smtp::Envelope envelope_;
    std::unique_ptr<ApiTransport> transport_;
};

TEST_F(ApiTransportTest, HandsAMessageOver) {
    answer(202, "ok");
    const auto report = send();
    const auto& outcome = report.outcomes.at(0);
    EXPECT_EQ(outcome.verdict, Verdict::delivered);
    EXPECT_EQ(outcome.remote_id, "id-1");
    EXPECT_EQ(outcome.http_status, 202);
    EXPECT_EQ(outcome.remote, "127.0.0.1 [127.0.0.1]:" + std::to_string(server_.port()));
    EXPECT_FALSE(report.dsn_relayed);
    EXPECT_FALSE(report.reused);
    EXPECT_GT(report.stages.transfer.count(), 0);
    EXPECT_THAT(calls(), ElementsAre("x@test"));
    EXPECT_EQ(sent(), "From: A <a@Test>\r\nSubject: x\r\n\r\nhello\r\n");
    const auto& headers = server_.seen().front().headers;
    EXPECT_EQ(headers.at("x-id"), base::MessageId{1}.text());
    EXPECT_EQ(headers.at("x-from"), "a@test");
    answer(202, "ok");
    EXPECT_TRUE(send().reused);
}

TEST_F(ApiTransportTest, TheIdempotencyKeyIsOfTheCall) {
    const auto key = [&] {
        answer(200, "ok");
        EXPECT_EQ(send_one().verdict, Verdict::delivered);
        return server_.seen().back().headers.at("idempotency-key");
    };
    const auto first = key();
    EXPECT_THAT(first, ::testing::MatchesRegex(
                           "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_EQ(key(), first);
    recipients({"y@test"});
    EXPECT_NE(key(), first);
    recipients({"x@test"});
    EXPECT_EQ(key(), first);
    answer(200, "ok");
    (void)send("From: a@test\r\n\r\nother\r\n");
    EXPECT_NE(server_.seen().back().headers.at("idempotency-key"), first);
}

TEST_F(ApiTransportTest, RecipientsAreSplitAndEachGetsItsOutcome) {
    recipients({"a@x", "b@x", "c@x", "d@x", "e@x"});
    answer(200, "ok refused");
    answer(200, "ok");
    answer(200, "refused");
    const auto report = send();
    EXPECT_THAT(calls(), ElementsAre("a@x\nb@x", "c@x\nd@x", "e@x"));
    using enum Verdict;
    const Verdict wanted[]{delivered, failed, delivered, delivered, failed};
    for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(report.outcomes.at(i).verdict, wanted[i]) << i;
}

TEST_F(ApiTransportTest, OneCallWhereTransactionsAreCounted) {
    recipients({"a@x", "b@x", "c@x"});
    one_transaction_ = true;
    answer(200, "ok");
    const auto report = send();
    EXPECT_THAT(calls(), ElementsAre("a@x\nb@x"));
    EXPECT_EQ(report.outcomes.at(1).verdict, Verdict::delivered);
    EXPECT_TRUE(report.outcomes.at(2).untried);
}

TEST_F(ApiTransportTest, NobodyFailsForAnothersSake) {
    recipients({"a@x", "bad@x", "c@x"});
    answer(400, "one of you");
    answer(200, "ok");
    answer(400, "one of you");
    answer(200, "ok");
    const auto report = send();
    EXPECT_THAT(calls(), ElementsAre("a@x\nbad@x", "a@x", "bad@x", "c@x"));
    using enum Verdict;
    const Verdict wanted[]{delivered, failed, delivered};
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(report.outcomes.at(i).verdict, wanted[i]) << i;
    EXPECT_EQ(report.outcomes.at(1).reply.status.text(), "5.1.1");
}

TEST_F(ApiTransportTest, WhoIsToComeAloneDoesSoInTheNextSendsOfOneCall) {
    recipients({"a@x", "bad@x"});
    one_transaction_ = true;
    answer(400, "one of you");
    for (const auto& outcome : send().outcomes) EXPECT_TRUE(outcome.untried);
    answer(200, "ok");
    const auto report = send();
    EXPECT_THAT(calls(), ElementsAre("a@x\nbad@x", "a@x"));
    EXPECT_EQ(report.outcomes.at(0).verdict, Verdict::delivered);
    EXPECT_TRUE(report.outcomes.at(1).untried);
}

TEST_F(ApiTransportTest, WhatHoldsForTheUpstreamEndsTheCalls) {
    struct Case {
        int status;
        const char* body;
        Verdict verdict;
        Scope scope;
    };
    recipients({"a@x", "b@x", "c@x"});
    for (const Case& c : {Case{401, "", Verdict::misconfigured, Scope::upstream},
                          Case{429, "throttled", Verdict::deferred, Scope::upstream},
                          Case{503, "", Verdict::deferred, Scope::upstream}}) {
        const auto before = server_.seen().size();
        answer(c.status, c.body);
        const auto report = send();
        EXPECT_EQ(server_.seen().size(), before + 1) << c.status;
        for (const auto& outcome : report.outcomes) {
            EXPECT_EQ(outcome.verdict, c.verdict) << c.status;
            EXPECT_EQ(outcome.scope, c.scope) << c.status;
        }
    }
    // What is uncertain of some is not of those who were not part of it.
    answer(500, "");
    const auto report = send();
    EXPECT_EQ(report.outcomes.at(1).verdict, Verdict::uncertain);
    EXPECT_EQ(report.outcomes.at(2).verdict, Verdict::deferred);
}

TEST_F(ApiTransportTest, ManyCallsAreSpreadOverSends) {
    std::vector<std::string> everybody;
    for (int i = 0; i < 50; ++i) everybody.push_back("r" + std::to_string(i) + "@x");
    recipients(everybody);
    for (int i = 0; i < 20; ++i) answer(200, "ok");
    const auto report = send();
    EXPECT_EQ(calls().size(), 20U);
    EXPECT_EQ(report.outcomes.at(39).verdict, Verdict::delivered);
    for (std::size_t i = 40; i < 50; ++i) EXPECT_TRUE(report.outcomes.at(i).untried) << i;
}

TEST_F(ApiTransportTest, AnAnswerThatNeverCameIsUncertain) {
    answers_.emplace_back("");
    const auto outcome = send_one();
    EXPECT_EQ(outcome.verdict, Verdict::uncertain);
    EXPECT_THAT(outcome.reply.text(), HasSubstr("closed without an answer"));
    EXPECT_EQ(outcome.reply.code, 0);
}

TEST_F(ApiTransportTest, WhatWasNeverSentIsDeferred) {
    server_.stop();
    const auto outcome = send_one();
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::upstream);
    EXPECT_THAT(outcome.reply.text(), HasSubstr("Connection refused"));
}

TEST_F(ApiTransportTest, BccIsTakenOut) {
    answer(200, "ok");
    (void)send("From: a@test\r\nBcc: secret@test\r\nX-Mine: 1\r\n\r\nBcc: body\r\n");
    EXPECT_EQ(sent(), "From: a@test\r\nX-Mine: 1\r\n\r\nBcc: body\r\n");
}

TEST_F(ApiTransportTest, WhatCannotBeCarriedMayGoElsewhere) {
    const auto expect = [&](const Outcome& outcome, const char* status, const char* words) {
        EXPECT_EQ(outcome.verdict, Verdict::failed);
        EXPECT_EQ(outcome.scope, Scope::message);
        EXPECT_TRUE(outcome.elsewhere);
        EXPECT_EQ(outcome.reply.status.text(), status);
        EXPECT_THAT(outcome.reply.text(), HasSubstr(words));
    };
    expect(send_one("From: a@test\r\nX-Cannot: yes\r\n\r\n"), "5.6.1", "not that");
    provider_.max_request = 100;
    transport_.reset();
    expect(send_one("From: a@test\r\n\r\n" + std::string(100, 'x')), "5.3.4",
           "of which it takes 100");
    provider_.form = MessageForm::taken_apart;
    transport_.reset();
    expect(
        send_one("From: a@test\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; "
                 "boundary=b; micalg=sha1; protocol=\"application/pkcs7-signature\"\r\n\r\n--b\r\n"
                 "\r\nx\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\ny\r\n--b--\r\n"),
        "5.6.3", "Fake cannot carry the message: ");
    EXPECT_TRUE(server_.seen().empty());
}

TEST_F(ApiTransportTest, AMessageIsTakenApartWhereTheProviderWantsIt) {
    provider_.form = MessageForm::taken_apart;
    answer(200, "ok");
    EXPECT_EQ(send_one("From: a@test\r\nTo: x@test\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n\r\nhi\r\n")
                  .verdict,
              Verdict::delivered);
    EXPECT_EQ(sent(), "caf\xC3\xA9");
}

TEST_F(ApiTransportTest, InternationalAddresses) {
    recipients(
        {"x@stra\xC3\x9F"
         "e.test",
         "stra\xC3\x9F"
         "e@test",
         "y@[127.0.0.1]"});
    answer(200, "ok");
    const auto report = send();
    EXPECT_THAT(calls(), ElementsAre("x@xn--strae-oqa.test\ny@[127.0.0.1]"));
    EXPECT_EQ(report.outcomes.at(0).verdict, Verdict::delivered);
    EXPECT_EQ(report.outcomes.at(1).verdict, Verdict::failed);
    EXPECT_EQ(report.outcomes.at(1).reply.status.text(), "5.6.7");
    EXPECT_TRUE(report.outcomes.at(1).elsewhere);
    EXPECT_EQ(report.outcomes.at(2).verdict, Verdict::delivered);
}

TEST_F(ApiTransportTest, EightBitTextIsReEncodedWhereItMustBeUtf8) {
    provider_.utf8 = true;
    const std::string header =
        "From: a@test\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n";
    answer(200, "ok");
    (void)send(header + "caf\xE9\r\n");
    EXPECT_THAT(sent(), AllOf(HasSubstr("Y2Fm6Q0K"), HasSubstr("base64")));
    answer(200, "ok");
    (void)send(header + "caf\xC3\xA9\r\n");
    EXPECT_THAT(sent(1), HasSubstr("caf\xC3\xA9"));
    const auto outcome = send_one("From: a@test\r\nSubject: caf\xE9\r\n\r\nx\r\n");
    EXPECT_EQ(outcome.reply.status.text(), "5.6.3");
    EXPECT_TRUE(outcome.elsewhere);
}

TEST_F(ApiTransportTest, ASenderThatIsNotVerifiedIsRemembered) {
    answer(403, "sender");
    auto outcome = send_one();
    EXPECT_EQ(outcome.scope, Scope::sender);
    EXPECT_EQ(outcome.retry_after, std::chrono::hours(1));
    clock_.now += std::chrono::minutes(20);
    outcome = send_one("From: Other <a@TEST>\r\n\r\n");
    EXPECT_EQ(server_.seen().size(), 1U);
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::sender);
    EXPECT_TRUE(outcome.elsewhere);
    EXPECT_FALSE(outcome.alert);
    EXPECT_EQ(outcome.retry_after, std::chrono::minutes(40));
    answer(200, "ok");
    EXPECT_EQ(send_one("From: b@test\r\n\r\n").verdict, Verdict::delivered);
    clock_.now += std::chrono::minutes(41);
    answer(200, "ok");
    EXPECT_EQ(send_one().verdict, Verdict::delivered);
}

TEST_F(ApiTransportTest, AlertsAreLoggedOnceInTenMinutes) {
    const auto alerts = [&] {
        ::testing::internal::CaptureStderr();
        answer(400, "bug");
        EXPECT_TRUE(send_one().alert);
        return ::testing::internal::GetCapturedStderr();
    };
    EXPECT_THAT(alerts(), AllOf(HasSubstr("needs attention"), HasSubstr("upstream=fake"),
                                HasSubstr("what is this")));
    EXPECT_EQ(alerts(), "");
    clock_.now += std::chrono::minutes(10);
    EXPECT_THAT(alerts(), HasSubstr("needs attention"));
}

TEST_F(ApiTransportTest, SecretsAreCutOutOfWhatTheProviderSays) {
    answer(401, "bad Authorization: Bearer geheim-123, or geheim-123");
    EXPECT_EQ(send_one().reply.text(), "4.7.0 HTTP 401: bad Authorization: ***, or ***");
}

TEST_F(ApiTransportTest, ALargeMessageArrivesWhole) {
    std::string text = "From: a@test\r\n\r\n";
    for (int line = 0; text.size() < 20UL << 20; ++line)
        text += std::to_string(line) + std::string(70, 'x') + "\r\n";
    answer(200, "ok");
    test::FakeBody body(text, 65537);
    EXPECT_EQ(send(body).outcomes.at(0).verdict, Verdict::delivered);
    EXPECT_TRUE(sent() == text);
}

TEST_F(ApiTransportTest, NothingIsCalledForAMessageThatCannotBeReadWhole) {
    test::FakeBody damaged(std::string(100'000, 'x'), 1000);
    damaged.fail_at(50'000);
    const auto outcome = send(damaged).outcomes.at(0);
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::message);
    EXPECT_EQ(outcome.reply.text(), "segment 3: checksum mismatch");
    EXPECT_TRUE(server_.seen().empty());
}

TEST_F(ApiTransportTest, WhatMustNotBeLateDoesNotGoToAnApi) {
    envelope_.deliver_by = smtp::DeliverBy{.by = clock_.wall() + std::chrono::hours(1),
                                           .mode = smtp::DeliverBy::Mode::return_mail};
    EXPECT_EQ(send_one().reply.status.text(), "5.4.7");
    EXPECT_TRUE(server_.seen().empty());
}

TEST_F(ApiTransportTest, ANullReversePathIsSentAllTheSame) {
    envelope_.reverse_path.clear();
    answer(200, "ok");
    EXPECT_EQ(send_one().verdict, Verdict::delivered);
    EXPECT_EQ(server_.seen().front().headers.at("x-from"), "");
}

TEST_F(ApiTransportTest, TheProbeTellsWhetherTheKeyIsGood) {
    answer(200, "anything");
    EXPECT_TRUE(loop_.run(transport().probe()));
    EXPECT_EQ(server_.seen().front().method, "GET");
    answer(400, "content");
    EXPECT_TRUE(loop_.run(transport().probe()));
    answer(401, "key geheim-123 is unknown");
    EXPECT_EQ(loop_.run(transport().probe()).error(),
              "127.0.0.1 [127.0.0.1]:" + std::to_string(server_.port()) +
                  ": 4.7.0 HTTP 401: key *** is unknown");
    answer(404, "nothing here");
    EXPECT_THAT(loop_.run(transport().probe()).error(), HasSubstr("HTTP 404"));
    server_.stop();
    transport_.reset();
    EXPECT_THAT(loop_.run(transport().probe()).error(), HasSubstr("Connection refused"));
}

class AwsApiTransportTest : public ApiTransportTest {
  protected:
    AwsApiTransportTest() {
        aws_.emplace(
            AwsSources{.pool = pool_,
                       .region = "eu-west-1",
                       .configured = {},
                       .environment = [this](std::string_view name) -> std::optional<std::string> {
                           if (name == "AWS_ACCESS_KEY_ID" && !key_.empty()) return key_;
                           if (name == "AWS_SECRET_ACCESS_KEY") return "secret";
                           if (name == "AWS_EC2_METADATA_DISABLED") return "true";
                           return std::nullopt;
                       },
                       .internet = {},
                       .local = {},
                       .sts = {}});
        provider_.request = [](const ApiMessage& message, const ProviderSettings& settings) {
            auto request = fake_request(message, settings);
            request->secret_headers.clear();
            return request;
        };
    }
    [[nodiscard]] std::string authorization(std::size_t call) const {
        return server_.seen().at(call).headers.at("authorization");
    }

    std::string key_ = "ONE";
};

TEST_F(AwsApiTransportTest, CallsAreSignedWithTheCredentialsFound) {
    answer(200, "ok");
    EXPECT_EQ(send_one().verdict, Verdict::delivered);
    EXPECT_THAT(authorization(0), HasSubstr("Credential=ONE/20261122/eu-west-1/ses/"));
}

TEST_F(AwsApiTransportTest, ExpiredOnesAreRenewedOnceAndTheCallRepeated) {
    answer(200, "ok");
    EXPECT_EQ(send_one().verdict, Verdict::delivered);
    key_ = "TWO";
    answer(403, R"({"message":"expired"})", {"x-amzn-ErrorType: ExpiredTokenException:http://x"});
    answer(200, "ok");
    EXPECT_EQ(send_one().verdict, Verdict::delivered);
    ASSERT_EQ(server_.seen().size(), 3U);
    EXPECT_THAT(authorization(1), HasSubstr("Credential=ONE/"));
    EXPECT_THAT(authorization(2), HasSubstr("Credential=TWO/"));
    // There are no others.
    answer(403, R"({"message":"expired"})", {"x-amzn-ErrorType: ExpiredTokenException"});
    const auto outcome = send_one();
    EXPECT_EQ(outcome.verdict, Verdict::misconfigured);
    EXPECT_EQ(server_.seen().size(), 4U);
}

TEST_F(AwsApiTransportTest, WithoutCredentialsTheUpstreamIsMisconfigured) {
    key_.clear();
    const auto outcome = send_one();
    EXPECT_EQ(outcome.verdict, Verdict::misconfigured);
    EXPECT_THAT(outcome.reply.text(), HasSubstr("no AWS credentials found"));
    EXPECT_THAT(loop_.run(transport().probe()).error(), HasSubstr("no AWS credentials found"));
    EXPECT_TRUE(server_.seen().empty());
}

}  // namespace
}  // namespace outpost::upstream

#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "net/http_server.hpp"
#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

using outpost::test::http_answer;
using outpost::test::HttpServer;
using outpost::test::SeenRequest;
using test::Script;
using test::SmtpTest;

const Script one_mail{"C: MAIL FROM:<a@test>",
                      "C: RCPT TO:<r0@test>",
                      "C: DATA",
                      "S: 250 ok",
                      "S: 250 ok",
                      "S: 354 go",
                      "BODY",
                      "S: 250 ok"};
const Script quit{"C: QUIT", "S: 221 bye"};

class OAuthTest : public SmtpTest {
  protected:
    OAuthTest() {
        smtp_.username = "me@test";
        smtp_.oauth2 = config::OAuth2{.token_url = tokens_.url() + "/token",
                                      .client_id = "id",
                                      .client_secret = base::Secret("secret"),
                                      .grant = config::OAuth2::Grant::client_credentials,
                                      .refresh_token = {},
                                      .scope = {}};
    }
    std::optional<std::string> answer(const SeenRequest&) {
        return http_answer(token_status_, R"({"access_token":"t)" +
                                              std::to_string(tokens_.seen().size()) +
                                              R"(","error":"invalid_client"})");
    }
    static std::string xoauth2(const std::string& token) {
        return base::base64_encode(
            "user=me@test\x01"
            "auth=Bearer " +
            token + "\x01\x01");
    }
    [[nodiscard]] std::string oauthbearer(const std::string& token) const {
        return base::base64_encode(
            "n,a=me@test,\x01host=127.0.0.1\x01port=" + std::to_string(server_->port()) + "\x01" +
            "auth=Bearer " + token + "\x01\x01");
    }
    static Script with(const std::string& mechanisms, const Script& rest) {
        return session({"PIPELINING", "8BITMIME", "AUTH " + mechanisms}, rest);
    }
    static Script refusal(const std::string& token) {
        return joined({"C: AUTH XOAUTH2 " + xoauth2(token),
                       "S: 334 " + base::base64_encode(R"({"status":"401"})"),
                       "C: ", "S: 535 5.7.3 no " + xoauth2(token) + " nor " + token},
                      quit);
    }

    int token_status_ = 200;
    HttpServer tokens_{loop_.context,
                       [this](const SeenRequest& request) { return answer(request); }};
};

TEST_F(OAuthTest, SignsInWithOauthbearerWhereItIsOffered) {
    server_->expect(
        with("PLAIN XOAUTH2 OAUTHBEARER",
             joined({"C: AUTH OAUTHBEARER " + oauthbearer("t1"), "S: 235 in"}, one_mail)));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(tokens_.seen().size(), 1U);
}

TEST_F(OAuthTest, SignsInWithXoauth2Otherwise) {
    server_->expect(
        with("PLAIN XOAUTH2", joined({"C: AUTH XOAUTH2 " + xoauth2("t1"), "S: 235 in"}, one_mail)));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
}

TEST_F(OAuthTest, RenewsARefusedTokenOnceAndGoesOn) {
    server_->expect(with("XOAUTH2", refusal("t1")));
    server_->expect(
        with("XOAUTH2", joined({"C: AUTH XOAUTH2 " + xoauth2("t2"), "S: 235 in"}, one_mail)));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::delivered);
    EXPECT_EQ(tokens_.seen().size(), 2U);
    loop_.run(transport().close());
}

TEST_F(OAuthTest, SuspendsWhenTheRenewedTokenIsRefusedToo) {
    server_->expect(with("XOAUTH2", refusal("t1")));
    server_->expect(with("XOAUTH2", refusal("t2")));
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::misconfigured);
    EXPECT_EQ(outcome.reply.text(), "535 5.7.3 no *** nor ***");
    EXPECT_NE(outcome.remote.find("127.0.0.1"), std::string::npos);
    // The next one to look does not begin with a token of which the server's opinion is known.
    server_->expect(
        with("XOAUTH2", joined({"C: AUTH XOAUTH2 " + xoauth2("t3"), "S: 235 in"}, quit)));
    EXPECT_TRUE(loop_.run(transport().probe()));
    EXPECT_EQ(tokens_.seen().size(), 3U);
    loop_.run(transport().close());
}

TEST_F(OAuthTest, KeepsATokenThatTheServerCouldNotCheck) {
    server_->expect(
        with("XOAUTH2", joined({"C: AUTH XOAUTH2 " + xoauth2("t1"), "S: 454 later"}, quit)));
    EXPECT_EQ(send().outcomes[0].verdict, Verdict::deferred);
    EXPECT_EQ(tokens_.seen().size(), 1U);
    loop_.run(transport().close());
}

TEST_F(OAuthTest, SuspendsWhenThereIsNoTokenForUs) {
    token_status_ = 401;
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::misconfigured);
    EXPECT_EQ(outcome.reply.text(), "4.7.0 HTTP 401: cannot get a token: invalid_client");
    EXPECT_EQ(server_->connections(), 0U);
}

TEST_F(OAuthTest, WaitsWhenTheTokenServerIsOutOfOrder) {
    token_status_ = 503;
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::upstream);
}

TEST_F(OAuthTest, SuspendsWhereTheServerTakesPasswordsOnly) {
    server_->expect(with("PLAIN LOGIN", quit));
    const auto outcome = send().outcomes[0];
    EXPECT_EQ(outcome.verdict, Verdict::misconfigured);
    EXPECT_EQ(outcome.reply.text(), "the server offers neither OAUTHBEARER nor XOAUTH2");
    loop_.run(transport().close());
}

}  // namespace
}  // namespace outpost::upstream

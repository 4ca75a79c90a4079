#include "upstream/oauth2_token.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpost::upstream {
namespace {

using namespace std::chrono_literals;

const base::WallTime now{1640032401s};

config::OAuth2 settings(config::OAuth2::Grant grant) {
    return {.token_url = "https://login.example.com/token",
            .client_id = "id 1",
            .client_secret = base::Secret("s&cr=t+\xC3\xA9"),
            .grant = grant,
            .refresh_token = base::Secret("first"),
            .scope = "https://outlook.office365.com/.default"};
}

constexpr auto by_client = config::OAuth2::Grant::client_credentials;
constexpr auto by_refresh = config::OAuth2::Grant::refresh_token;

auto read(int status, std::string body, net::HttpHeaders headers = {}) {
    return read_token({.status = status, .headers = std::move(headers), .body = std::move(body)},
                      settings(by_refresh), now);
}

TEST(TokenRequest, AsksForClientCredentials) {
    const auto request = token_request(settings(by_client), base::Secret("unused"));
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "https://login.example.com/token");
    EXPECT_EQ(request.headers.front().second, "application/x-www-form-urlencoded");
    EXPECT_EQ(request.body,
              "grant_type=client_credentials&client_id=id%201&client_secret=s%26cr%3Dt%2B%C3%A9"
              "&scope=https%3A%2F%2Foutlook.office365.com%2F.default");
}

TEST(TokenRequest, AsksWithTheLatestRefreshToken) {
    auto with = settings(by_refresh);
    with.scope.clear();
    with.client_secret = base::Secret();
    EXPECT_EQ(token_request(with, base::Secret("second/1")).body,
              "grant_type=refresh_token&client_id=id%201&refresh_token=second%2F1");
}

TEST(ReadToken, TakesATokenWithItsLifetime) {
    const auto token =
        read(200, R"({"access_token":"ya29.A","expires_in":3599,"token_type":"Bearer"})");
    ASSERT_TRUE(token);
    EXPECT_EQ(token->access.reveal(), "ya29.A");
    EXPECT_EQ(token->lifetime, 3599s);
    EXPECT_TRUE(token->refresh.empty());
    const auto rotated = read(
        200, R"({"access_token":"A","expires_in":"60","token_type":"bearer","refresh_token":"R"})");
    ASSERT_TRUE(rotated);
    EXPECT_EQ(rotated->lifetime, 60s);
    EXPECT_EQ(rotated->refresh.reveal(), "R");
    EXPECT_EQ(read(200, R"({"access_token":"A"})")->lifetime, 1h);
    EXPECT_TRUE(read(201, R"({"access_token":"A"})"));
    EXPECT_EQ(read(200, R"({"access_token":"A","expires_in":-1})")->lifetime, 1h);
    EXPECT_EQ(read(200, R"({"access_token":"A","expires_in":99999999999})")->lifetime, 24h);
}

struct Case {
    int status;
    std::string body;
    Verdict verdict;
};

TEST(ReadToken, TellsWhatStaysWrongFromWhatPasses) {
    const std::vector<Case> cases{
        {400, R"({"error":"invalid_grant","error_description":"revoked"})", Verdict::misconfigured},
        {401, R"({"error":"invalid_client"})", Verdict::misconfigured},
        {400, R"({"error":"unauthorized_client"})", Verdict::misconfigured},
        {400, R"({"error":"invalid_scope"})", Verdict::misconfigured},
        {400, R"({"error":"something_new"})", Verdict::misconfigured},
        {403, "<html>", Verdict::misconfigured},
        {400, R"({"error":"temporarily_unavailable"})", Verdict::deferred},
        {429, R"({"error":"slow_down"})", Verdict::deferred},
        {400, "<html>", Verdict::deferred},
        {404, "<html>", Verdict::deferred},
        {302, "", Verdict::deferred},
        {500, R"({"error":"server_error"})", Verdict::deferred},
        {503, "", Verdict::deferred},
        {200, "", Verdict::deferred},
        {200, "{}", Verdict::deferred},
        {200, R"({"access_token":""})", Verdict::deferred},
        {200, R"({"access_token":["a"]})", Verdict::deferred},
        {200, R"({"access_token":"a b"})", Verdict::deferred},
        {200, "{\"access_token\":\"a\\u0001auth=x\"}", Verdict::deferred},
        {200, R"({"access_token":"a","token_type":"mac"})", Verdict::deferred},
        {201, R"({"access_token":"a","token_type":"mac"})", Verdict::deferred},
        {204, "", Verdict::deferred},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.body);
        const auto token = read(each.status, each.body);
        ASSERT_FALSE(token);
        EXPECT_EQ(token.error().verdict, each.verdict);
        EXPECT_EQ(token.error().scope, Scope::upstream);
        EXPECT_NE(token.error().reply.text().find("cannot get a token"), std::string::npos);
    }
    EXPECT_EQ(read(503, "", {{"retry-after", "30"}}).error().retry_after, 30s);
    EXPECT_EQ(read(400, R"({"error":"invalid_grant","error_description":"revoked"})")
                  .error()
                  .reply.text(),
              "4.7.0 HTTP 400: cannot get a token: invalid_grant: revoked");
}

TEST(ReadToken, ShowsNoSecretAndNoToken) {
    const auto echoed =
        read(400, R"({"error":"invalid_client","error_description":"s&cr=t+é first"})");
    ASSERT_FALSE(echoed);
    EXPECT_EQ(echoed.error().reply.text(),
              "4.7.0 HTTP 400: cannot get a token: invalid_client: *** ***");
    for (const int status : {200, 201, 203}) {
        const auto odd = read(status, R"({"access_token":"MARK","token_type":"mac"})");
        ASSERT_FALSE(odd);
        EXPECT_EQ(odd.error().reply.text().find("MARK"), std::string::npos);
    }
}

TEST(NoToken, DefersTheUpstream) {
    const auto outcome = no_token({.text = "cannot connect to login.example.com:443"});
    EXPECT_EQ(outcome.verdict, Verdict::deferred);
    EXPECT_EQ(outcome.scope, Scope::upstream);
    EXPECT_EQ(outcome.reply.text(), "cannot get a token: cannot connect to login.example.com:443");
}

}  // namespace
}  // namespace outpost::upstream

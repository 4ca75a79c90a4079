#include "smtp/sasl_oauth.hpp"

#include <gtest/gtest.h>

#include "base/base64.hpp"

namespace outpost::smtp {
namespace {

BearerLogin login() {
    return {.username = "user@example.com",
            .token = base::Secret("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="),
            .host = "server.example.com",
            .port = 143,
            .encrypted = true};
}

TEST(BearerClient, WritesTheExampleOfRfc7628) {
    const auto start = make_bearer_client(login())->start({"PLAIN", "XOAUTH2", "OAUTHBEARER"});
    ASSERT_TRUE(start);
    EXPECT_EQ(start->mechanism, "OAUTHBEARER");
    EXPECT_EQ(
        base::base64_encode(start->initial_response.value()),
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhc"
        "mVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB");
}

TEST(BearerClient, WritesTheExampleOfXoauth2) {
    BearerLogin other = login();
    other.username = "someuser@example.com";
    other.token = base::Secret("ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg");
    const auto start = make_bearer_client(other)->start({"XOAUTH2"});
    ASSERT_TRUE(start);
    EXPECT_EQ(start->mechanism, "XOAUTH2");
    EXPECT_EQ(
        base::base64_encode(start->initial_response.value()),
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQ"
        "mhkSFJoZG1semRHRXVZMjl0Q2cBAQ==");
}

TEST(BearerClient, EscapesANameAsRfc5801Says) {
    BearerLogin other = login();
    other.username = "a,b=c";
    const auto start = make_bearer_client(other)->start({"OAUTHBEARER"});
    ASSERT_TRUE(start);
    EXPECT_TRUE(start->initial_response->starts_with("n,a=a=2Cb=3Dc,\x01host="));
}

TEST(BearerClient, AnswersARefusalOnceAndWithNothingToReuse) {
    const auto standard = make_bearer_client(login());
    ASSERT_TRUE(standard->start({"OAUTHBEARER"}));
    EXPECT_EQ(standard->step(R"({"status":"invalid_token"})"), "\x01");
    EXPECT_FALSE(standard->step("more"));
    const auto older = make_bearer_client(login());
    ASSERT_TRUE(older->start({"XOAUTH2"}));
    EXPECT_EQ(older->step(R"({"status":"400"})"), "");
    EXPECT_FALSE(older->step("more"));
}

TEST(BearerClient, NeedsAMechanismAndAnEncryptedConnection) {
    EXPECT_FALSE(make_bearer_client(login())->start({"PLAIN", "SCRAM-SHA-256"}));
    EXPECT_FALSE(make_bearer_client(login())->start({}));
    BearerLogin open = login();
    open.encrypted = false;
    const auto start = make_bearer_client(open)->start({"XOAUTH2", "OAUTHBEARER"});
    ASSERT_FALSE(start);
    EXPECT_EQ(start.error().find("vF9"), std::string::npos);
}

}  // namespace
}  // namespace outpost::smtp

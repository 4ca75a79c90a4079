#include "account/sasl_client.hpp"

#include <gtest/gtest.h>

namespace outpost::account {
namespace {

using namespace std::string_literals;

std::unique_ptr<smtp::SaslClient> client(bool encrypted) {
    return make_sasl_client("user", base::Secret("hunter2-secret"), "smtp.example.net", encrypted);
}

TEST(SaslClient, TakesTheBestMechanismOffered) {
    struct Case {
        std::vector<std::string> offered;
        std::string encrypted;
        std::string clear;
    };
    const Case cases[] = {
        {{"PLAIN", "LOGIN", "SCRAM-SHA-1", "scram-sha-256", "CRAM-MD5"},
         "SCRAM-SHA-256",
         "SCRAM-SHA-256"},
        {{"PLAIN", "SCRAM-SHA-1", "NTLM"}, "SCRAM-SHA-1", "SCRAM-SHA-1"},
        {{"LOGIN", "PLAIN", "XOAUTH2"}, "PLAIN", ""},
        {{"LOGIN"}, "LOGIN", ""},
        {{"CRAM-MD5", "LOGIN"}, "LOGIN", "CRAM-MD5"},
        {{"CRAM-MD5"}, "CRAM-MD5", "CRAM-MD5"},
    };
    for (const Case& c : cases) {
        const auto encrypted = client(true)->start(c.offered);
        EXPECT_EQ(encrypted ? encrypted->mechanism : "", c.encrypted);
        const auto clear = client(false)->start(c.offered);
        EXPECT_EQ(clear ? clear->mechanism : "", c.clear);
    }
}

TEST(SaslClient, SaysWhyNoMechanismFits) {
    EXPECT_EQ(client(true)->start({}).error(), "the server offers no AUTH mechanism");
    EXPECT_EQ(client(true)->start({"NTLM", "GSSAPI"}).error(),
              "the server offers NTLM GSSAPI, none of which is supported");
    EXPECT_EQ(client(false)->start({"PLAIN", "LOGIN"}).error(),
              "the server offers PLAIN LOGIN, which would send the password over a connection that "
              "is not encrypted; set encryption to starttls or tls");
}

TEST(SaslClient, PlainSendsNoAuthorizationIdentity) {
    const auto start = client(true)->start({"PLAIN"});
    ASSERT_TRUE(start);
    EXPECT_EQ(start->initial_response, "\0user\0hunter2-secret"s);
}

TEST(SaslClient, LoginAnswersItsPrompts) {
    const auto login = client(true);
    const auto start = login->start({"LOGIN"});
    ASSERT_TRUE(start);
    EXPECT_EQ(start->initial_response, std::nullopt);
    EXPECT_EQ(login->step("Username:"), "user");
    EXPECT_EQ(login->step("Password:"), "hunter2-secret");
    EXPECT_FALSE(login->step("More:"));
}

TEST(SaslClient, CramMd5AnswersAsInRfc2195) {
    const auto cram =
        make_sasl_client("tim", base::Secret("tanstaaftanstaaf"), "postoffice.example.net", false);
    ASSERT_TRUE(cram->start({"CRAM-MD5"}));
    EXPECT_EQ(cram->step("<1896.697170952@postoffice.reston.mci.net>"),
              "tim b913a602c7eda7a495b4e6e7334d3890");
}

TEST(SaslClient, RefusesAServerThatDoesNotKnowThePassword) {
    const auto scram = client(true);
    const auto start = scram->start({"SCRAM-SHA-256"});
    ASSERT_TRUE(start && start->initial_response);
    const std::string nonce =
        start->initial_response->substr(start->initial_response->find("r=") + 2);
    const auto proof = scram->step("r=" + nonce + "server,s=c2FsdHNhbHRzYWx0,i=4096");
    ASSERT_TRUE(proof) << proof.error();
    const auto last = scram->step("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    EXPECT_FALSE(last);
}

TEST(SaslClient, ErrorsNeverHoldThePassword) {
    for (const std::string challenge : {"", "x", "r=,s=,i=", "e=hunter2"}) {
        const auto scram = client(true);
        ASSERT_TRUE(scram->start({"SCRAM-SHA-256"}));
        const auto answer = scram->step(challenge);
        ASSERT_FALSE(answer);
        EXPECT_EQ(answer.error().find("hunter2-secret"), std::string::npos);
    }
}

}  // namespace
}  // namespace outpost::account

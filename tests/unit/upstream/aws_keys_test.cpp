#include "upstream/aws_keys.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outpost::upstream {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view file =
    "# comment\r\n"
    "[default]\r\n"
    "aws_access_key_id = AKDEFAULT\r\n"
    "aws_secret_access_key=secret/+=one\r\n"
    "\n"
    "; another\n"
    "[mail]\n"
    "AWS_ACCESS_KEY_ID=AKMAIL\n"
    "  aws_secret_access_key =  two \n"
    "aws_session_token = token==\n"
    "region = eu-west-1\n"
    "[empty]\n"
    "[half]\n"
    "aws_access_key_id = AKHALF";

TEST(AwsKeys, ReadsAProfile) {
    const auto keys = read_profile(file, "default");
    ASSERT_TRUE(keys);
    EXPECT_EQ(keys->access_key_id, "AKDEFAULT");
    EXPECT_EQ(keys->secret_access_key.reveal(), "secret/+=one");
    EXPECT_TRUE(keys->session_token.empty());
    EXPECT_FALSE(keys->expires);
    const auto mail = read_profile(file, "mail");
    ASSERT_TRUE(mail);
    EXPECT_EQ(mail->access_key_id, "AKMAIL");
    EXPECT_EQ(mail->secret_access_key.reveal(), "two");
    EXPECT_EQ(mail->session_token.reveal(), "token==");
}

TEST(AwsKeys, AProfileWithoutKeysIsNone) {
    for (const char* name : {"empty", "half", "none", ""}) EXPECT_FALSE(read_profile(file, name));
    for (const char* text : {"", "[", "[default", "=", "aws_access_key_id=x", "[default]\n=\n[x"})
        EXPECT_FALSE(read_profile(text, "default")) << text;
}

TEST(AwsKeys, ReadsTheJsonOfMetadataServices) {
    const auto keys = read_keys_json(
        R"({"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"ASIA1","SecretAccessKey":"s",)"
        R"("Token":"t","Expiration":"2026-11-22T12:00:00Z"})");
    ASSERT_TRUE(keys) << keys.error();
    EXPECT_EQ(keys->access_key_id, "ASIA1");
    EXPECT_EQ(keys->session_token.reveal(), "t");
    EXPECT_EQ(keys->expires, base::parse_rfc3339("2026-11-22T12:00:00Z"));
}

TEST(AwsKeys, SaysWhatIsWrongWithTheJson) {
    EXPECT_EQ(read_keys_json("<html>").error(), "the answer is not a JSON object");
    EXPECT_EQ(read_keys_json("[]").error(), "the answer is not a JSON object");
    EXPECT_EQ(read_keys_json("{}").error(), "the answer has no keys");
    EXPECT_EQ(read_keys_json(R"({"Code":"AssumeRoleUnauthorizedAccess"})").error(),
              "it says AssumeRoleUnauthorizedAccess");
    const auto bad =
        read_keys_json(R"({"AccessKeyId":"ASIA1","SecretAccessKey":"geheim","Expiration":"soon"})");
    EXPECT_EQ(bad.error(), "the answer's time of expiry is none: soon");
    EXPECT_THAT(read_keys_json(R"({"SecretAccessKey":"geheim"})").error(),
                Not(HasSubstr("geheim")));
}

TEST(AwsKeys, ReadsTheXmlOfSts) {
    const auto keys = read_sts_answer(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"
        "<AssumeRoleWithWebIdentityResult><AssumedRoleUser><Arn>arn:x</Arn></AssumedRoleUser>"
        "<Credentials><SessionToken>tok</SessionToken>\n<SecretAccessKey>sec</SecretAccessKey>"
        "<Expiration>2014-10-24T23:00:23Z</Expiration><AccessKeyId>ASgeIAIOSFODNN7EXAMPLE"
        "</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>"
        "</AssumeRoleWithWebIdentityResponse>");
    ASSERT_TRUE(keys) << keys.error();
    EXPECT_EQ(keys->access_key_id, "ASgeIAIOSFODNN7EXAMPLE");
    EXPECT_EQ(keys->secret_access_key.reveal(), "sec");
    EXPECT_EQ(keys->session_token.reveal(), "tok");
    EXPECT_EQ(keys->expires, base::parse_rfc3339("2014-10-24T23:00:23Z"));
    EXPECT_FALSE(read_sts_answer("<Credentials><AccessKeyId>x"));
    EXPECT_FALSE(read_sts_answer(""));
    EXPECT_EQ(read_sts_error("<ErrorResponse><Error><Type>Sender</Type><Code>InvalidIdentityToken"
                             "</Code><Message>No provider</Message></Error></ErrorResponse>"),
              "InvalidIdentityToken: No provider");
    EXPECT_EQ(read_sts_error("<html>"), "");
}

}  // namespace
}  // namespace outpost::upstream

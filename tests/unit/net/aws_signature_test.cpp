#include "net/aws_signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace outpost::net {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A string member of the suite's flat JSON; empty if there is none.
std::string member(const std::string& json, const std::string& name) {
    const auto key = json.find('"' + name + "\":");
    if (key == std::string::npos) return {};
    const auto begin = json.find('"', key + name.size() + 3) + 1;
    return json.substr(begin, json.find('"', begin) - begin);
}

bool is_true(const std::string& json, const std::string& name) {
    return json.find('"' + name + "\": true") != std::string::npos;
}

/// A request as the suite writes it, line ends LF, with folded fields.
HttpRequest parse(const std::string& text) {
    HttpRequest request;
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    const auto space = line.find(' ');
    request.method = line.substr(0, space);
    const auto target = line.substr(space + 1, line.rfind(' ') - space - 1);
    while (std::getline(lines, line) && !line.empty()) {
        const auto colon = line.find(':');
        if (line.front() == ' ')
            request.headers.back().second += "\n" + line;
        else if (line.substr(0, colon) == "Host")
            request.url = "https://" + line.substr(colon + 1) + target;
        else
            request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    }
    request.body = {std::istreambuf_iterator<char>(lines), {}};
    return request;
}

std::string authorization(const HttpRequest& request) {
    for (const auto& [name, value] : request.secret_headers)
        if (name == "Authorization") return std::string(value.reveal());
    return {};
}

class AwsSuite : public ::testing::TestWithParam<std::string> {};

TEST_P(AwsSuite, HasTheExpectedSignature) {
    const auto directory = fs::path(OUTPOST_SOURCE_DIR) / "tests/data/sigv4" / GetParam();
    const auto context = read(directory / "context.json");
    auto request = parse(read(directory / "request.txt"));
    // Services other than S3 normalise paths; of what they do not, only paths in order are tested.
    if (!is_true(context, "normalize") && GetParam() != "get-space-unnormalized")
        GTEST_SKIP() << "path normalisation is always on";
    if (is_true(context, "sign_body"))
        request.headers.emplace_back(
            "x-amz-content-sha256",
            "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e");
    AwsSignature sign{.region = member(context, "region"),
                      .service = member(context, "service"),
                      .access_key_id = member(context, "access_key_id"),
                      .secret_access_key = base::Secret(member(context, "secret_access_key")),
                      .session_token = {}};
    if (!is_true(context, "omit_session_token"))
        sign.session_token = base::Secret(member(context, "token"));
    request.sign = sign;
    sign_for_aws(request, *base::parse_rfc3339(member(context, "timestamp")));
    EXPECT_FALSE(request.sign);
    EXPECT_THAT(authorization(request),
                ::testing::EndsWith("Signature=" + read(directory / "header-signature.txt")));
}

std::vector<std::string> cases() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(OUTPOST_SOURCE_DIR "/tests/data/sigv4"))
        if (entry.is_directory()) names.push_back(entry.path().filename().string());
    std::ranges::sort(names);
    return names;
}

INSTANTIATE_TEST_SUITE_P(Vectors, AwsSuite, ::testing::ValuesIn(cases()), [](const auto& tested) {
    auto name = tested.param;
    std::ranges::replace(name, '-', '_');
    return name;
});

TEST(AwsSignature, AllVectorsAreThere) {
    EXPECT_EQ(cases().size(), 38U);
}

TEST(AwsSignature, AWholeCallOfSes) {
    const auto message = base::base64_encode(
        "From: Sender Name <sender@example.com>\r\nTo: Bob <bob@example.com>\r\nSubject: hello\r\n"
        "Message-ID: <relay-1@example.com>\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHi Bob\r\n");
    HttpRequest request;
    request.url = "https://email.eu-west-1.amazonaws.com/v2/email/outbound-emails";
    request.headers = {{"Content-Type", "application/json"}};
    request.body =
        R"({"Content":{"Raw":{"Data":")" + message +
        R"("}},"Destination":{"ToAddresses":["bob@example.com"],"BccAddresses":["hidden@example.net"]},)"
        R"("FeedbackForwardingEmailAddress":"bounces@example.com","ConfigurationSetName":"relay-events",)"
        R"("EmailTags":[{"Name":"queue_id","Value":"q-0001"}]})";
    request.sign =
        AwsSignature{.region = "eu-west-1",
                     .service = "ses",
                     .access_key_id = "AKIDEXAMPLE",
                     .secret_access_key = base::Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                     .session_token = {}};
    sign_for_aws(request, *base::parse_rfc3339("2024-01-01T00:00:00.999Z"));
    EXPECT_EQ(request.headers.back().second, "20240101T000000Z");
    EXPECT_EQ(authorization(request),
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20240101/eu-west-1/ses/aws4_request, "
              "SignedHeaders=content-type;host;x-amz-date, "
              "Signature=bf8cb9dd6e2e72c50776603624bca429690837b2872b5bbc5ccd9a83756d74df");
}

TEST(AwsSignature, TheHostIsSignedAsItIsSent) {
    const auto signed_as = [](const std::string& url) {
        HttpRequest request;
        request.url = url;
        request.sign = AwsSignature{.region = "r",
                                    .service = "s",
                                    .access_key_id = "a",
                                    .secret_access_key = base::Secret("k"),
                                    .session_token = {}};
        sign_for_aws(request, base::WallTime{});
        return authorization(request);
    };
    EXPECT_EQ(signed_as("https://host/x"), signed_as("https://HOST:443/x"));
    EXPECT_EQ(signed_as("http://host"), signed_as("http://host:80/"));
    EXPECT_NE(signed_as("http://host:443/x"), signed_as("http://host/x"));
    EXPECT_NE(signed_as("https://host:4566/x"), signed_as("https://host/x"));
}

}  // namespace
}  // namespace outpost::net

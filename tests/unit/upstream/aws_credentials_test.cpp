#include "upstream/aws_credentials.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "net/http_server.hpp"
#include "net/loopback.hpp"
#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

using ::outpost::test::http_answer;
using ::outpost::test::HttpServer;
using ::outpost::test::SeenRequest;
using ::testing::HasSubstr;

class ManualClock final : public base::Clock {
  public:
    base::WallTime now = *base::parse_rfc3339("2026-11-22T12:00:00Z");
    [[nodiscard]] base::WallTime wall() const override { return now; }
    [[nodiscard]] base::MonoTime mono() const override { return {}; }
};

class AwsCredentialsTest : public ::testing::Test {
  protected:
    AwsCredentialsTest()
        : server_(loop_.context, [this](const SeenRequest& seen) {
              ++calls_[seen.method + " " + seen.target];
              return answer_ ? answer_(seen) : http_answer(404, "");
          }) {
        client_ = std::make_shared<net::HttpClient>(loop_.context, net::HttpClient::Settings{});
        env_["HOME"] = directory_.path().string();
    }

    AwsSources sources() {
        return {.pool = pool_,
                .region = "eu-west-1",
                .configured = configured_,
                .environment = [this](std::string_view name) -> std::optional<std::string> {
                    const auto found = env_.find(std::string(name));
                    if (found == env_.end()) return std::nullopt;
                    return found->second;
                },
                .internet = client_,
                .local = client_,
                .sts = server_.url(),
                .container = server_.url(),
                .instance = server_.url()};
    }
    FoundKeys find() {
        const auto where = sources();
        return loop_.run(find_keys(where));
    }
    AwsCredentials& credentials() {
        if (!credentials_)
            credentials_ = std::make_unique<AwsCredentials>(loop_.context, clock_, sources());
        return *credentials_;
    }
    FoundKeys get() { return loop_.run(credentials().get()); }
    std::string write(const std::string& name, const std::string& text) {
        const auto path = directory_.path() / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path) << text;
        return path.string();
    }
    /// An instance whose role has keys `id` until `expires`.
    void instance(const std::string& id, const std::string& expires) {
        answer_ = [=](const SeenRequest& seen) {
            if (seen.method == "PUT") return http_answer(200, "session");
            if (seen.target.ends_with("/security-credentials/"))
                return http_answer(200, "mail role\n");
            return http_answer(200, R"({"Code":"Success","AccessKeyId":")" + id +
                                        R"(","SecretAccessKey":"s","Token":"t)" + id +
                                        R"(","Expiration":")" + expires + R"("})");
        };
    }
    static AwsKeys keys(const std::string& id) {
        return {.access_key_id = id,
                .secret_access_key = base::Secret("s"),
                .session_token = {},
                .expires = {}};
    }
    [[nodiscard]] int role_calls() {
        return calls_["GET /latest/meta-data/iam/security-credentials/mail%20role"];
    }

    ::outpost::test::TempDirectory directory_;
    test::Loop loop_;
    net::OffloadPool pool_{1, 10};
    ManualClock clock_;
    std::map<std::string, std::string> env_;
    std::map<std::string, int> calls_;
    std::function<std::string(const SeenRequest&)> answer_;
    AwsKeys configured_;
    HttpServer server_;
    std::shared_ptr<net::HttpClient> client_;
    std::unique_ptr<AwsCredentials> credentials_;
};

TEST_F(AwsCredentialsTest, TheFirstSourceThatHasAnyCounts) {
    instance("INSTANCE", "2026-11-22T18:00:00Z");
    EXPECT_EQ(find()->access_key_id, "INSTANCE");
    env_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/x";
    answer_ = [](const SeenRequest& seen) {
        EXPECT_EQ(seen.target, "/v2/credentials/x");
        return http_answer(200, R"({"AccessKeyId":"CONTAINER","SecretAccessKey":"s"})");
    };
    EXPECT_EQ(find()->access_key_id, "CONTAINER");
    env_["AWS_WEB_IDENTITY_TOKEN_FILE"] = write("token", "a.b/c+d\n");
    env_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/mail";
    answer_ = [](const SeenRequest& seen) {
        EXPECT_EQ(seen.body,
                  "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%"
                  "3A1%3Arole%2Fmail&RoleSessionName=outpost&WebIdentityToken=a.b%2Fc%2Bd");
        EXPECT_EQ(seen.headers.at("content-type"), "application/x-www-form-urlencoded");
        return http_answer(200,
                           "<Credentials><AccessKeyId>STS</AccessKeyId><SecretAccessKey>s"
                           "</SecretAccessKey></Credentials>");
    };
    EXPECT_EQ(find()->access_key_id, "STS");
    write(".aws/credentials", "[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n");
    EXPECT_EQ(find()->access_key_id, "FILE");
    env_["AWS_ACCESS_KEY_ID"] = "ENVIRONMENT";
    env_["AWS_SECRET_ACCESS_KEY"] = "s";
    env_["AWS_SESSION_TOKEN"] = "t";
    EXPECT_EQ(find()->access_key_id, "ENVIRONMENT");
    EXPECT_EQ(find()->session_token.reveal(), "t");
    configured_ = keys("CONFIGURED");
    EXPECT_EQ(find()->access_key_id, "CONFIGURED");
}

TEST_F(AwsCredentialsTest, TheInstanceIsAskedByVersionTwo) {
    instance("INSTANCE", "2026-11-22T18:00:00Z");
    ASSERT_TRUE(find());
    const auto& seen = server_.seen();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_EQ(seen[0].method + " " + seen[0].target, "PUT /latest/api/token");
    EXPECT_EQ(seen[0].headers.at("x-aws-ec2-metadata-token-ttl-seconds"), "300");
    EXPECT_EQ(seen[1].headers.at("x-aws-ec2-metadata-token"), "session");
    EXPECT_EQ(seen[2].target, "/latest/meta-data/iam/security-credentials/mail%20role");
    EXPECT_EQ(seen[2].headers.at("x-aws-ec2-metadata-token"), "session");
}

TEST_F(AwsCredentialsTest, AContainersTokenGoesAlong) {
    env_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = server_.url() + "/get";
    env_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "Basic one";
    answer_ = [](const SeenRequest& seen) {
        return http_answer(200, R"({"AccessKeyId":")" + seen.headers.at("authorization") +
                                    R"(","SecretAccessKey":"s"})");
    };
    EXPECT_EQ(find()->access_key_id, "Basic one");
    env_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = write("token", "two\n");
    EXPECT_EQ(find()->access_key_id, "two");
    env_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.com/get";
    EXPECT_THAT(find().error().text, HasSubstr("use https"));
}

TEST_F(AwsCredentialsTest, FailuresNameTheSource) {
    EXPECT_THAT(find().error().text,
                ::testing::AllOf(HasSubstr("no AWS credentials found"),
                                 HasSubstr("the instance's role (IMDSv2): HTTP 404")));
    EXPECT_FALSE(find().error().passing);
    env_["AWS_EC2_METADATA_DISABLED"] = "true";
    EXPECT_THAT(find().error().text, ::testing::StartsWith("no AWS credentials found"));
    env_["AWS_WEB_IDENTITY_TOKEN_FILE"] = (directory_.path() / "none").string();
    env_["AWS_ROLE_ARN"] = "arn";
    EXPECT_THAT(find().error().text, HasSubstr("none: No such file or directory; let outpost"));
    env_["AWS_WEB_IDENTITY_TOKEN_FILE"] = write("token", "geheim");
    answer_ = [](const SeenRequest&) {
        return http_answer(400, "<Error><Code>ExpiredToken</Code><Message>old</Message></Error>");
    };
    auto failure = find().error();
    EXPECT_EQ(failure.text,
              "credentials from STS (AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN): HTTP 400 "
              "ExpiredToken: old");
    EXPECT_FALSE(failure.passing);
    answer_ = [](const SeenRequest&) { return http_answer(503, ""); };
    EXPECT_TRUE(find().error().passing);
    write(".aws/credentials", "[default]\n");
    env_["AWS_PROFILE"] = "mail";
    EXPECT_THAT(find().error().text, HasSubstr("has no keys for the profile mail (AWS_PROFILE)"));
    env_["AWS_SHARED_CREDENTIALS_FILE"] = "/none/file";
    EXPECT_THAT(find().error().text, HasSubstr("/none/file: No such file"));
}

TEST_F(AwsCredentialsTest, LongTermOnesAreFetchedOnce) {
    configured_ = keys("CONFIGURED");
    EXPECT_EQ(get()->access_key_id, "CONFIGURED");
    clock_.now += std::chrono::years(1);
    EXPECT_EQ(get()->access_key_id, "CONFIGURED");
}

TEST_F(AwsCredentialsTest, TemporaryOnesAreRenewedInTimeByOneRenewal) {
    instance("ONE", "2026-11-22T13:00:00Z");
    // Several who need them at once wait for the same answer.
    std::vector<std::string> got;
    const auto ask = [&]() -> boost::asio::awaitable<void> {
        const auto found = co_await credentials().get();
        got.push_back(found ? found->access_key_id : found.error().text);
    };
    for (int i = 0; i < 3; ++i) net::spawn(loop_.context.get_executor(), ask(), "test");
    loop_.run_until([&] { return got.size() == 3; });
    EXPECT_THAT(got, ::testing::Each("ONE"));
    EXPECT_EQ(role_calls(), 1);

    instance("TWO", "2026-11-22T18:00:00Z");
    clock_.now += std::chrono::minutes(54);
    EXPECT_EQ(get()->access_key_id, "ONE");
    EXPECT_EQ(role_calls(), 1);
    clock_.now += std::chrono::minutes(2);
    // Those that are still good do not wait for the renewal, which is one for all.
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get()->access_key_id, "ONE");
    loop_.run_until([&] { return get()->access_key_id == "TWO"; });
    EXPECT_EQ(role_calls(), 2);
}

TEST_F(AwsCredentialsTest, OldOnesServeUntilTheyExpire) {
    instance("ONE", "2026-11-22T13:00:00Z");
    ASSERT_TRUE(get());
    answer_ = [](const SeenRequest&) { return http_answer(500, ""); };
    clock_.now += std::chrono::minutes(57);
    EXPECT_EQ(get()->access_key_id, "ONE");
    loop_.run_until([&] { return calls_["PUT /latest/api/token"] == 2; });
    EXPECT_EQ(get()->access_key_id, "ONE");
    clock_.now += std::chrono::minutes(3);
    const auto failure = get().error();
    EXPECT_TRUE(failure.passing);
    EXPECT_THAT(failure.text, HasSubstr("HTTP 500"));
    instance("TWO", "2026-11-22T18:00:00Z");
    EXPECT_EQ(get()->access_key_id, "TWO");
}

TEST_F(AwsCredentialsTest, RefusedOnesAreReplaced) {
    instance("ONE", "2026-11-22T18:00:00Z");
    const auto first = get();
    const auto again = loop_.run(credentials().replace(*first));
    EXPECT_THAT(again.error().text, HasSubstr("their source has no others"));
    instance("TWO", "2026-11-22T18:00:00Z");
    EXPECT_EQ(loop_.run(credentials().replace(*first))->access_key_id, "TWO");
    const auto calls = role_calls();
    // Somebody else has renewed them meanwhile.
    EXPECT_EQ(loop_.run(credentials().replace(*first))->access_key_id, "TWO");
    EXPECT_EQ(role_calls(), calls);
}

TEST_F(AwsCredentialsTest, WhatCannotBeReadIsNotWaitedForForever) {
    env_["AWS_SHARED_CREDENTIALS_FILE"] = directory_.path().string();  // a directory
    EXPECT_FALSE(get());
}

}  // namespace
}  // namespace outpost::upstream

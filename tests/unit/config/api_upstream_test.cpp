#include <gmock/gmock.h>

#include "files.hpp"

namespace outpost::config {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The least configuration with one upstream of a provider.
class ConfigApiUpstream : public ConfigFiles {
  protected:
    static std::string text(const std::string& keys) {
        std::string all = least();
        const std::string sandbox = "type: sandbox, directory: box";
        return all.replace(all.find(sandbox), sandbox.size(), keys);
    }
    ApiUpstream api(const std::string& keys) {
        auto config = load_text(text(keys));
        EXPECT_TRUE(config) << config.error().front().text();
        return config ? std::get<ApiUpstream>(config->upstreams.at("out").kind) : ApiUpstream{};
    }
    std::string faults(const std::string& keys) { return errors(text(keys)); }
};

TEST_F(ConfigApiUpstream, TakesAKeyFromWhereSecretsAre) {
    write("key", "SG.secret\n");
    const auto sendgrid = api("type: sendgrid, api_key: {file: key}, rate: 600/m");
    EXPECT_EQ(sendgrid.provider, "sendgrid");
    EXPECT_EQ(sendgrid.api_key.reveal(), "SG.secret");
    EXPECT_FALSE(sendgrid.uncertain) << "by what the provider can do";
    EXPECT_EQ(api("type: mailjet, api_key: a, api_secret: b").api_secret.reveal(), "b");
}

TEST_F(ConfigApiUpstream, SesTakesKeysOrFindsThemItself) {
    const auto given =
        api("type: ses, region: eu-west-1, access_key_id: AKIA, secret_access_key: s");
    EXPECT_EQ(given.region, "eu-west-1");
    EXPECT_EQ(given.access_key_id, "AKIA");
    EXPECT_EQ(given.secret_access_key.reveal(), "s");
    EXPECT_EQ(api("type: ses, region: eu-west-1").access_key_id, "");
}

TEST_F(ConfigApiUpstream, HowTheServerIsReached) {
    const auto sparkpost =
        api("type: sparkpost, api_key: k, region: eu, endpoint: http://127.0.0.1:8025/x/, "
            "proxy: \"http://proxy.example.net:3128\", ca_bundle: cert.pem, uncertain: retry");
    EXPECT_EQ(sparkpost.region, "eu");
    EXPECT_EQ(sparkpost.endpoint, "http://127.0.0.1:8025/x");
    EXPECT_EQ(sparkpost.proxy, "http://proxy.example.net:3128");
    EXPECT_EQ(sparkpost.ca_bundle, path("cert.pem"));
    EXPECT_EQ(sparkpost.uncertain, Uncertain::retry);
    EXPECT_EQ(api("type: sparkpost, api_key: k, region: us").region, "");
}

TEST_F(ConfigApiUpstream, Faults) {
    EXPECT_THAT(faults("type: sendgrid"), HasSubstr("upstreams.out.api_key: is missing"));
    EXPECT_THAT(faults("type: mailjet, api_key: k"), HasSubstr("out.api_secret: is missing"));
    EXPECT_THAT(faults("type: mailgun, api_key: k"), HasSubstr("out.domain: is missing"));
    EXPECT_THAT(faults("type: mailgun, api_key: k, domain: a b"),
                HasSubstr("\"a b\" is not a domain"));
    EXPECT_THAT(faults("type: sendgrid, api_key: k, domain: a.example"),
                HasSubstr("out.domain: is not a known key"));
    EXPECT_THAT(faults("type: postmark, api_key: k, region: eu"),
                HasSubstr("out.region: is not a known key"));
    EXPECT_THAT(faults("type: ses"), HasSubstr("out.region: is missing"));
    EXPECT_THAT(faults("type: ses, region: Ireland!"), HasSubstr("is not an AWS region"));
    EXPECT_THAT(faults("type: ses, region: eu-west-1, access_key_id: MARK"),
                HasSubstr("out.access_key_id: is set without a secret_access_key"));
    EXPECT_THAT(faults("type: ses, region: eu-west-1, secret_access_key: MARK"),
                HasSubstr("is set without an access_key_id"));
    EXPECT_THAT(faults("type: sendgrid, api_key: k, endpoint: http://api.example.com"),
                HasSubstr("out.endpoint: \"http://api.example.com\" would send a secret in the "
                          "clear"));
    EXPECT_THAT(faults("type: sendgrid, api_key: k, proxy: \"http://u:MARK@\\t\""),
                HasSubstr("out.proxy: "));
    EXPECT_THAT(faults("type: sendgrid, api_key: k, proxy: proxy:3128"),
                HasSubstr("out.proxy: is not a proxy's URL"));
    EXPECT_THAT(faults("type: sendgrid, api_key: k, ca_bundle: none.pem"),
                HasSubstr("out.ca_bundle: cannot read"));
    EXPECT_THAT(faults("type: ses, region: eu-west-1, secret_access_key: MARK, proxy: MARK"),
                Not(HasSubstr("MARK")));
}

TEST_F(ConfigApiUpstream, OverridesOfAnyUpstream) {
    const auto config =
        load_text(text("type: sandbox, directory: box, from: {name: Your Company, email: "
                       "news@example.com}, reply_to: Answers <answers@example.com>, return_path: "
                       "bounces@example.com, verp: true"));
    ASSERT_TRUE(config) << config.error().front().text();
    const Overrides& overrides = config->upstreams.at("out").overrides;
    EXPECT_EQ(overrides.from, (Overrides::From{"Your Company", "news@example.com"}));
    EXPECT_EQ(overrides.reply_to, "Answers <answers@example.com>");
    EXPECT_EQ(overrides.return_path, "bounces@example.com");
    EXPECT_TRUE(overrides.verp);
}

TEST_F(ConfigApiUpstream, FaultsOfOverrides) {
    const std::string box = "type: sandbox, directory: box, ";
    EXPECT_THAT(faults(box + "from: news"), HasSubstr("out.from: \"news\" is not an address"));
    EXPECT_THAT(faults(box + "from: {name: News}"),
                HasSubstr("out.from: must be an address, or {name: NAME, email: ADDRESS}"));
    EXPECT_THAT(faults(box + "from: {email: a@example.com, mail: b}"),
                HasSubstr("has no \"mail\""));
    EXPECT_THAT(faults(box + "reply_to: nobody"), HasSubstr("out.reply_to: "));
    EXPECT_THAT(faults(box + "verp: true"), HasSubstr("out.verp: needs a return_path"));
    EXPECT_THAT(faults("type: resend, api_key: k, return_path: b@example.com, verp: true"),
                HasSubstr("out.verp: is not for a provider's API"));
}

}  // namespace
}  // namespace outpost::config

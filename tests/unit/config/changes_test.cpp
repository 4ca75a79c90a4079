#include "config/changes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.hpp"
#include "files.hpp"

namespace outpost::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigChanges : public ConfigFiles {
  protected:
    Config config(const std::string& accounts, const std::string& rest = "") {
        auto loaded = load_text(
            "hostname: relay.example.com\nlisten: [{ports: [2525], tls: none, require_tls: "
            "false}]\naccounts:\n" +
            accounts + "upstreams:\n  box: {type: sandbox, directory: box}\n" + rest);
        EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().front().text());
        return loaded.value_or(Config{});
    }
};

TEST_F(ConfigChanges, SaysEachKey) {
    const auto before = config("  shop: {password: a, rate: 600/h, authorized_domains: [a.com]}\n");
    const auto after = config(
        "  shop: {password: a, rate: 1200/h, authorized_domains: [a.com, b.com], priority: 2}\n",
        "retry: {first: 2m}\n");
    EXPECT_THAT(changes(before, after),
                ElementsAre("accounts.shop.authorized_domains: [a.com] -> [a.com, b.com]",
                            "accounts.shop.priority: 2 (new)",
                            "accounts.shop.rate: 600/h -> 1200/h", "retry.first: 2m (new)"));
    EXPECT_THAT(changes(after, before), testing::Contains("retry.first: gone (was 2m)"));
    EXPECT_THAT(changes(after, after), IsEmpty());
}

TEST_F(ConfigChanges, TellsEachRouteByItself) {
    std::string domains;
    for (int i = 0; i < 30; ++i) domains += "customer-" + std::to_string(i) + ".example, ";
    const auto with = [&](const std::string& last) {
        return config(
            "  shop: {password: a, authorized_domains: [a.com]}\n",
            "routes: [{recipient_domain: [" + domains + last + "], via: box}, {via: box}]\n");
    };
    const auto lines = changes(with("one.example"), with("two.example"));
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_THAT(lines[0], testing::StartsWith("routes[0].recipient_domain: ..."));
    EXPECT_THAT(lines[0], testing::HasSubstr("one.example] -> ..."));
    EXPECT_THAT(lines[0], testing::EndsWith("two.example]"));
}

TEST_F(ConfigChanges, ShowsNoSecret) {
    const auto before = config("  shop: {password: MARK-one, authorized_domains: [a.com]}\n");
    const auto after = config(
        "  shop: {password: MARK-two, authorized_domains: [a.com]}\n  web: {password: MARK-three, "
        "authorized_domains: [a.com]}\n");
    const auto lines = changes(before, after);
    EXPECT_THAT(lines, testing::Contains("accounts.shop.password: changed"));
    EXPECT_THAT(lines, testing::Contains("accounts.web.password: (secret) (new)"));
    for (const auto& line : lines) EXPECT_THAT(line, Not(HasSubstr("MARK")));
}

TEST_F(ConfigChanges, NamesWhatItsFileSays) {
    const auto path = write("secret", "one");
    const std::string account =
        "  shop: {password: {file: " + path + "}, authorized_domains: [a.com]}\n";
    const auto before = config(account);
    write("secret", "two");
    EXPECT_THAT(
        changes(before, config(account)),
        ElementsAre("accounts.shop: a file, variable or default that it refers to has changed"));
}

}  // namespace
}  // namespace outpost::config

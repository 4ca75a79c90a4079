#include "config/account_settings.hpp"

#include <gmock/gmock.h>

#include <set>

#include "config/files.hpp"

namespace outpost::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A valid value of each option.
const AccountSettings all_settings{
    {"domains", "Example.com;.example.org"},
    {"senders", "info@example.net"},
    {"networks", "192.0.2.0/24"},
    {"priority", "2"},
    {"priority-cap", "2"},
    {"quota", "10000/day;200000/month"},
    {"timezone", "Europe/Amsterdam"},
    {"when-exceeded", "hold"},
    {"rate", "1200/h;80MB/5m"},
    {"smooth", "true"},
    {"submit-rate", "100/s"},
    {"deliver-days", "mon-fri"},
    {"deliver-hours", "08:00-18:00"},
    {"deliver-timezone", "Europe/Amsterdam"},
    {"route", "out"},
    {"weight", "4"},
    {"max-message-size", "10MB"},
    {"max-recipients", "50"},
    {"provider-headers", "true"},
    {"note", "Campaign tool; marketing"},
};

class AddedAccount : public ConfigFiles {
  protected:
    Config loaded(const std::string& lines) {
        std::string text = least();
        text = text.substr(0, text.find("accounts:")) + lines;
        auto config = load_text(text);
        EXPECT_TRUE(config) << config.error().front().text();
        return config ? std::move(*config) : Config{};
    }
    AccountReading read(const AccountSettings& settings, const std::string& lines = "") {
        return read_account("shop", settings, loaded(lines));
    }
    std::string fault(const AccountSettings& settings, const std::string& lines = "") {
        const auto faults = read(settings, lines).faults;
        return faults.size() == 1 ? faults.front() : std::to_string(faults.size()) + " faults";
    }
};

TEST_F(AddedAccount, KnowsAValueForEachOption) {
    std::set<std::string_view> names;
    for (const AccountOption& option : account_options()) {
        EXPECT_TRUE(all_settings.contains(option.name)) << option.name;
        EXPECT_TRUE(names.insert(option.name).second) << option.name;
        EXPECT_FALSE(option.help.empty());
    }
}

TEST_F(AddedAccount, MeansWhatTheSameMeansInTheConfiguration) {
    const auto [account, faults] = read(all_settings);
    EXPECT_THAT(faults, IsEmpty());
    const Config config = loaded(
        "accounts:\n"
        "  shop:\n"
        "    password: secret\n"
        "    authorized_domains: [Example.com, .example.org]\n"
        "    authorized_senders: [info@example.net]\n"
        "    allowed_networks: [192.0.2.0/24]\n"
        "    priority: 2\n"
        "    priority_cap: 2\n"
        "    quota: {daily: 10000, monthly: 200000, timezone: Europe/Amsterdam, "
        "when_exceeded: hold}\n"
        "    rate: [1200/h, 80MB/5m]\n"
        "    smooth: true\n"
        "    submit_rate: 100/s\n"
        "    deliver: {days: mon-fri, hours: \"08:00-18:00\", timezone: Europe/Amsterdam}\n"
        "    route: out\n"
        "    weight: 4\n"
        "    max_message_size: 10MB\n"
        "    max_recipients: 50\n"
        "    provider_headers: true\n"
        "    note: Campaign tool; marketing\n");
    const Account& same = config.accounts.at("shop");
    EXPECT_EQ(account.name, "shop");
    EXPECT_THAT(account.authorized_domains, ElementsAre("example.com", ".example.org"));
    EXPECT_EQ(account.authorized_domains, same.authorized_domains);
    EXPECT_EQ(account.authorized_senders, same.authorized_senders);
    EXPECT_EQ(account.allowed_networks, same.allowed_networks);
    EXPECT_EQ(account.priority, same.priority);
    EXPECT_EQ(account.priority_cap, same.priority_cap);
    EXPECT_EQ(account.limits, same.limits);
    EXPECT_EQ(account.when_exceeded, same.when_exceeded);
    EXPECT_EQ(account.submit_rate, same.submit_rate);
    EXPECT_EQ(account.deliver, same.deliver);
    EXPECT_EQ(account.route, same.route);
    EXPECT_EQ(account.weight, same.weight);
    EXPECT_EQ(account.max_message_size, same.max_message_size);
    EXPECT_EQ(account.max_recipients, same.max_recipients);
    EXPECT_EQ(account.provider_headers, same.provider_headers);
    EXPECT_EQ(account.note, same.note);
    EXPECT_THAT(config.account_places.at("shop"), testing::EndsWith("outpost.yaml:6:3"));
}

TEST_F(AddedAccount, InheritsWhatIsNotSet) {
    const std::string defaults =
        "accounts: {defaults: {priority: 4, quota: {daily: 50}, rate: 5/s}}\n";
    const Account plain = read({}, defaults).account;
    EXPECT_EQ(plain.priority, 4);
    EXPECT_EQ(plain.limits.quota.daily, 50U);
    EXPECT_EQ(plain.limits.rates.size(), 1U);
    EXPECT_EQ(plain.route, "out");
    const Account own = read({{"quota", "9/hour"}, {"priority", "1"}}, defaults).account;
    EXPECT_EQ(own.priority, 1);
    EXPECT_EQ(own.limits.quota.hourly, 9U);
    EXPECT_FALSE(own.limits.quota.daily);
    EXPECT_EQ(own.limits.rates.size(), 1U);
    EXPECT_THAT(read({{"rate", "[]"}}, defaults).account.limits.rates, IsEmpty());
}

TEST_F(AddedAccount, NamesOptionAndValueOfAFault) {
    EXPECT_EQ(fault({{"domains", "example.com;info@example.com"}}),
              "domains: \"info@example.com\" is an address; it belongs in authorized_senders");
    EXPECT_THAT(fault({{"priority-cap", "9"}}),
                HasSubstr("priority-cap: \"9\" is not a whole number from 1 to 5"));
    EXPECT_THAT(fault({{"quota", "x/day"}}), HasSubstr("quota: \"x\" is not a whole number"));
    EXPECT_THAT(fault({{"quota", "5/week"}}), HasSubstr("quota: \"5/week\" is not a quota"));
    EXPECT_THAT(fault({{"timezone", "UTC"}}), HasSubstr("quota: limits nothing"));
    EXPECT_THAT(fault({{"quota", "5/day"}, {"timezone", "Europe/Amsterdm"}}),
                HasSubstr("timezone: \"Europe/Amsterdm\" is not a time zone; did you mean"));
    EXPECT_THAT(fault({{"deliver-hours", "8-18"}}), HasSubstr("deliver-hours: \"8-18\""));
    EXPECT_THAT(fault({{"deliver-timezone", "UTC"}}), HasSubstr("names neither days nor hours"));
    EXPECT_THAT(fault({{"submit-rate", "80MB/m"}}), HasSubstr("submit-rate: \"80MB/m\" counts"));
    EXPECT_THAT(fault({{"route", "nowhere"}}), HasSubstr("route: there is no upstream"));
    EXPECT_EQ(fault({{"colour", "red"}}), "colour: is not known to this version");
    EXPECT_EQ(read({{"priority", "0"}, {"weight", "0"}}).faults.size(), 2U);
}

TEST_F(AddedAccount, NeedsAWayForAllItsMail) {
    std::string text = least();
    text.insert(text.find("{out:") + 1, "other: {type: sandbox, directory: o}, ");
    const auto several = load_text(text.substr(0, text.find("accounts:")));
    ASSERT_TRUE(several);
    const auto faults = read_account("shop", {}, *several).faults;
    ASSERT_EQ(faults.size(), 1U);
    EXPECT_THAT(faults.front(), HasSubstr("route: is missing; there are several upstreams"));
    EXPECT_THAT(read_account("shop", {{"route", "other"}}, *several).faults, IsEmpty());

    const std::string some = "routes: [{priority: 1, via: out}]\n";
    EXPECT_THAT(fault({}, some), HasSubstr("route: is missing; the routes do not take all mail"));
    EXPECT_THAT(read({{"route", "out"}}, some).faults, IsEmpty());
    EXPECT_THAT(read({}, "routes: [{via: out}]\n").faults, IsEmpty());
}

TEST(AccountName, CanBeUsedToSignIn) {
    EXPECT_FALSE(account_name_fault("shop@example.com"));
    for (const std::string& name :
         {std::string(), std::string(" a"), std::string("a\n"), std::string(256, 'a')})
        EXPECT_TRUE(account_name_fault(name)) << name;
}

}  // namespace
}  // namespace outpost::config

#include <gmock/gmock.h>

#include <chrono>

#include "files.hpp"

namespace outpost::config {
namespace {

using namespace std::chrono_literals;
using limit::Rate;
using limit::Unit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// The least configuration with keys put to its account, its upstream, or beside them.
class ConfigLimits : public ConfigFiles {
  protected:
    static std::string text_with(const std::string& account, const std::string& upstream) {
        std::string text = least();
        const auto put = [&text](const std::string& before, const std::string& keys) {
            if (!keys.empty()) text.insert(text.find(before) + before.size(), ", " + keys);
        };
        put("directory: box", upstream);
        put("password: secret", account);
        return text;
    }
    Config loaded(const std::string& text) {
        auto config = load_text(text);
        EXPECT_TRUE(config) << config.error().front().text();
        return config ? std::move(*config) : Config{};
    }
    Account account(const std::string& keys) { return loaded(text_with(keys, "")).accounts["web"]; }
    Upstream upstream(const std::string& keys) {
        return loaded(text_with("", keys)).upstreams["out"];
    }
    std::string account_errors(const std::string& keys) { return errors(text_with(keys, "")); }
    std::string upstream_errors(const std::string& keys) { return errors(text_with("", keys)); }
    LimitStore store(const std::string& keys) {
        return loaded(least() + "limits: {" + keys + "}\n").limits;
    }
    std::string store_errors(const std::string& keys) {
        return errors(least() + "limits: {" + keys + "}\n");
    }
    /// The errors with these accounts instead.
    static std::string text_of_accounts(const std::string& accounts) {
        const std::string text = least();
        return text.substr(0, text.find("accounts:")) + "accounts:\n" + accounts;
    }
};

TEST_F(ConfigLimits, AreNoneUnlessWritten) {
    const Account web = account("");
    EXPECT_TRUE(web.submit_rate.empty());
    EXPECT_TRUE(web.limits.empty());
    EXPECT_FALSE(web.limits.smooth);
    EXPECT_EQ(web.weight, 1U);
    EXPECT_FALSE(web.deliver);
    const Upstream out = upstream("");
    EXPECT_TRUE(out.limits.empty());
    EXPECT_FALSE(out.reserve);
    EXPECT_EQ(out.priority, PriorityOrder::strict);
    EXPECT_THAT(out.share, ElementsAre(16, 8, 4, 2, 1));
    EXPECT_FALSE(loaded(least()).limits.redis);
}

TEST_F(ConfigLimits, RatesAreOneOrAList) {
    const Account web =
        account("submit_rate: 100/s, rate: [1200/h, 500 messages/5m, 80MB/5m], smooth: true");
    EXPECT_THAT(web.submit_rate, ElementsAre(Rate{100, 1s, Unit::recipients}));
    EXPECT_THAT(web.limits.rates,
                ElementsAre(Rate{1200, 1h, Unit::recipients}, Rate{500, 5min, Unit::messages},
                            Rate{80ULL << 20, 5min, Unit::octets}));
    EXPECT_TRUE(web.limits.smooth);
    const Upstream out = upstream("rate: 14/s;600/m, smooth: true");
    EXPECT_THAT(out.limits.rates,
                ElementsAre(Rate{14, 1s, Unit::recipients}, Rate{600, 1min, Unit::recipients}));
    EXPECT_TRUE(out.limits.smooth);
}

TEST_F(ConfigLimits, FaultsOfRates) {
    EXPECT_THAT(account_errors("rate: 1200/x"),
                HasSubstr("accounts.web.rate: \"1200/x\" is not a rate; write COUNT/PERIOD"));
    EXPECT_THAT(account_errors("rate: {daily: 5}"), HasSubstr("rate: must be a list, not a map"));
    EXPECT_EQ(account_errors("rate: [500/m, 600/60s]"),
              "outpost.yaml:5:50: accounts.web.rate: \"500/m\" and \"600/60s\" count the same in "
              "the same period; keep one of them\n");
    EXPECT_EQ(account_errors("rate: [500/m, 600 messages/m, 80MB/m, 500/h]"), "");
    EXPECT_THAT(upstream_errors("rate: 7KB/s"),
                HasSubstr("upstreams.out.rate: \"7KB/s\" is too small for a message; at least "
                          "8KB"));
    EXPECT_THAT(upstream_errors("smooth: yes"), HasSubstr("is not a truth value"));
    EXPECT_THAT(upstream_errors("submit_rate: 5/s"), HasSubstr("is not a known key"));
    EXPECT_EQ(account_errors("submit_rate: 80MB/5m"),
              "outpost.yaml:5:49: accounts.web.submit_rate: \"80MB/5m\" counts octets, and the "
              "size of a message is not known when its recipients are; count recipients or "
              "messages, such as 100/s\n");
}

TEST_F(ConfigLimits, Quotas) {
    const Account web = account(
        "quota: {hourly: 5000, daily: 10000, monthly: 200000, timezone: Europe/Amsterdam, "
        "when_exceeded: hold}");
    EXPECT_EQ(web.limits.quota.hourly, 5000U);
    EXPECT_EQ(web.limits.quota.daily, 10000U);
    EXPECT_EQ(web.limits.quota.monthly, 200000U);
    EXPECT_EQ(web.limits.quota.zone.name(), "Europe/Amsterdam");
    EXPECT_EQ(web.when_exceeded, WhenExceeded::hold);
    const Account text = account("quota: 50/hour; 10000/day ;200000/month");
    EXPECT_EQ(text.limits.quota.hourly, 50U);
    EXPECT_EQ(text.limits.quota.daily, 10000U);
    EXPECT_EQ(text.limits.quota.monthly, 200000U);
    EXPECT_EQ(text.when_exceeded, WhenExceeded::reject);
    const Account plain = account("quota: {daily: 1}");
    EXPECT_EQ(plain.limits.quota.daily, 1U);
    EXPECT_FALSE(plain.limits.quota.hourly);
    EXPECT_EQ(plain.limits.quota.zone, limit::TimeZone());
    EXPECT_EQ(plain.when_exceeded, WhenExceeded::reject);
    EXPECT_EQ(upstream("quota: {monthly: 7}").limits.quota.monthly, 7U);
}

TEST_F(ConfigLimits, FaultsOfQuotas) {
    EXPECT_EQ(account_errors("quota: {timezone: UTC}"),
              "outpost.yaml:5:43: accounts.web.quota: limits nothing; write hourly, daily or "
              "monthly, such as daily: 2000\n");
    EXPECT_THAT(account_errors("quota: {daily: 0}"),
                HasSubstr("accounts.web.quota.daily: \"0\" is not a whole number from 1 to"));
    EXPECT_THAT(account_errors("quota: 500"),
                HasSubstr("quota: \"500\" is not a quota; write COUNT/hour, COUNT/day or"));
    EXPECT_THAT(account_errors("quota: [500/day]"), HasSubstr("must be a mapping of keys, not a"));
    EXPECT_THAT(account_errors("quota: 0/day"), HasSubstr("quota.daily: \"0\" is not a whole"));
    EXPECT_THAT(account_errors("quota: 5/day;6/d"), HasSubstr("names a count per d twice"));
    EXPECT_THAT(account_errors("quota: ''"), HasSubstr("quota: limits nothing"));
    EXPECT_THAT(account_errors("quota: {dayly: 5}"),
                HasSubstr("quota.dayly: is not a known key; did you mean daily?"));
    EXPECT_THAT(account_errors("quota: {daily: 5, when_exceeded: rejct}"),
                HasSubstr("\"rejct\" is none of reject, hold; did you mean reject?"));
    EXPECT_THAT(upstream_errors("quota: {daily: 5, when_exceeded: hold}"),
                HasSubstr("upstreams.out.quota.when_exceeded: is for accounts; mail always waits "
                          "for an upstream's quota"));
}

TEST_F(ConfigLimits, FaultsOfTimeZones) {
    EXPECT_THAT(account_errors("quota: {daily: 5, timezone: Europe/Amsterdm}"),
                HasSubstr("accounts.web.quota.timezone: \"Europe/Amsterdm\" is not a time zone; "
                          "did you mean Europe/Amsterdam?"));
    EXPECT_THAT(account_errors("deliver: {days: mon, timezone: utc+25}"),
                HasSubstr("accounts.web.deliver.timezone: \"utc+25\" is not a time zone; "));
    EXPECT_EQ(account_errors("quota: {daily: 5, timezone: qqqqqqqqqqqqqqqqqqqq}"),
              "outpost.yaml:5:64: accounts.web.quota.timezone: \"qqqqqqqqqqqqqqqqqqqq\" is not a "
              "time zone; write one such as Europe/Amsterdam, or UTC\n");
}

TEST_F(ConfigLimits, DeliveryHoursAndWeight) {
    const Account web = account(
        "weight: 1000, deliver: {days: mon-fri, hours: 08:00-18:00, timezone: Europe/Amsterdam}");
    ASSERT_TRUE(web.deliver);
    EXPECT_EQ(web.weight, 1000U);
    EXPECT_EQ(web.deliver->text(), "mon-fri 08:00-18:00 Europe/Amsterdam");
    const auto days = account("deliver: {days: [mon, sat-sun]}").deliver;
    ASSERT_TRUE(days);
    EXPECT_EQ(days->days, 0b1100001);
    EXPECT_EQ(days->from, 0min);
    EXPECT_EQ(days->to, 24h);
    const auto hours = account("deliver: {hours: \"22:00-06:00\"}").deliver;
    ASSERT_TRUE(hours);
    EXPECT_EQ(hours->days, 0x7f);
    EXPECT_EQ(hours->from, 22h);
    EXPECT_EQ(hours->to, 6h);
}

TEST_F(ConfigLimits, FaultsOfDeliveryHoursAndWeight) {
    EXPECT_EQ(account_errors("deliver: {timezone: UTC}"),
              "outpost.yaml:5:45: accounts.web.deliver: names neither days nor hours; write days: "
              "mon-fri, hours: 08:00-18:00, or both\n");
    EXPECT_THAT(account_errors("deliver: {days: mo-fri}"),
                HasSubstr("accounts.web.deliver.days: \"mo-fri\""));
    EXPECT_THAT(account_errors("deliver: {days: [mon, tee]}"), HasSubstr("deliver.days: \"tee\""));
    EXPECT_THAT(account_errors("deliver: {days: []}"), HasSubstr("names no day; write days such"));
    EXPECT_THAT(account_errors("deliver: {hours: 8-18}"),
                HasSubstr("accounts.web.deliver.hours: \"8-18\""));
    EXPECT_THAT(account_errors("deliver: {hour: \"08:00-18:00\"}"),
                HasSubstr("deliver.hour: is not a known key; did you mean hours?"));
    EXPECT_THAT(account_errors("weight: 0"), HasSubstr("weight: \"0\" is not a whole number from "
                                                       "1 to 1000"));
    EXPECT_THAT(account_errors("weight: 1001"), HasSubstr("from 1 to 1000"));
}

TEST_F(ConfigLimits, ReservesOfUpstreams) {
    const auto reserve = upstream("rate: 14/s, reserve: {priority: 1, share: 10%}").reserve;
    ASSERT_TRUE(reserve);
    EXPECT_EQ(reserve->priority, 1);
    EXPECT_DOUBLE_EQ(reserve->share, 0.1);
    const auto other = upstream("quota: {daily: 9}, reserve: {priority: 4, share: 0.25}").reserve;
    ASSERT_TRUE(other);
    EXPECT_EQ(other->priority, 4);
    EXPECT_DOUBLE_EQ(other->share, 0.25);
}

TEST_F(ConfigLimits, FaultsOfReserves) {
    EXPECT_EQ(upstream_errors("reserve: {priority: 1, share: 10%}"),
              "outpost.yaml:4:59: upstreams.out.reserve: has nothing to take a share of; set rate "
              "or quota as well\n");
    EXPECT_THAT(upstream_errors("rate: 14/s, reserve: {priority: 5, share: 10%}"),
                HasSubstr("reserve.priority: \"5\" is not a whole number from 1 to 4"));
    EXPECT_THAT(upstream_errors("rate: 14/s, reserve: {share: 10%}"),
                HasSubstr("upstreams.out.reserve.priority: is missing; write for which"));
    EXPECT_THAT(upstream_errors("rate: 14/s, reserve: {priority: 1}"),
                HasSubstr("upstreams.out.reserve.share: is missing; write which part"));
    for (const char* share : {"0", "0%", "1", "100%", "101%", "1.5", "-0.1", "x", "%", "10 %"}) {
        EXPECT_THAT(
            upstream_errors("rate: 14/s, reserve: {priority: 1, share: \"" + std::string(share) +
                            "\"}"),
            HasSubstr("reserve.share: \"" + std::string(share) +
                      "\" is not a share; write a percentage such as 10%, or 0.1; more than 0% "
                      "and less than 100%"));
    }
}

TEST_F(ConfigLimits, SharesOfPriorities) {
    const Upstream out = upstream("priority: weighted, share: {1: 100, 3: 7}");
    EXPECT_EQ(out.priority, PriorityOrder::weighted);
    EXPECT_THAT(out.share, ElementsAre(100, 8, 7, 2, 1));
    EXPECT_EQ(upstream("priority: weighted").priority, PriorityOrder::weighted);
    for (const char* strict : {"share: {1: 9}", "priority: strict, share: {1: 9}"}) {
        EXPECT_THAT(upstream_errors(strict),
                    HasSubstr("upstreams.out.share: has no effect with priority: strict; set "
                              "priority: weighted"));
    }
    EXPECT_THAT(upstream_errors("priority: wheighted, share: {1: 9}"),
                AllOf(HasSubstr("is none of strict, weighted; did you mean weighted?"),
                      Not(HasSubstr("no effect"))));
    EXPECT_THAT(upstream_errors("priority: weighted, share: {0: 9}"),
                HasSubstr("upstreams.out.share.0: is not a known key"));
    EXPECT_THAT(upstream_errors("priority: weighted, share: {5: 0}"),
                HasSubstr("upstreams.out.share.5: \"0\" is not a whole number from 1 to 1000"));
    EXPECT_THAT(upstream_errors("priority: weighted, share: 5"),
                HasSubstr("upstreams.out.share: must be a mapping of keys"));
}

TEST_F(ConfigLimits, AccountsInheritDefaults) {
    const Config config = loaded(text_of_accounts(
        "  defaults:\n"
        "    priority: 2\n"
        "    priority_cap: 2\n"
        "    active: false\n"
        "    authorized_domains: [a.example]\n"
        "    authorized_senders: [x@b.example]\n"
        "    allowed_networks: [192.0.2.0/24]\n"
        "    max_message_size: 1MB\n"
        "    max_recipients: 7\n"
        "    submit_rate: 5/s\n"
        "    rate: [9/s, 90/m]\n"
        "    smooth: true\n"
        "    quota: {daily: 100, timezone: Europe/Amsterdam, when_exceeded: hold}\n"
        "    weight: 3\n"
        "    deliver: {days: mon}\n"
        "    route: out\n"
        "  heir: {password: h}\n"
        "  own: {password: o, active: true, priority: 4, authorized_domains: c.example, "
        "submit_rate: 6/s, rate: [], smooth: false, quota: {hourly: 5}, weight: 1, "
        "deliver: {hours: \"08:00-09:00\"}}\n"));
    ASSERT_EQ(config.accounts.size(), 2U);
    const Account& heir = config.accounts.at("heir");
    EXPECT_EQ(heir.name, "heir");
    EXPECT_EQ(heir.password.reveal(), "h");
    EXPECT_EQ(heir.priority, 2);
    EXPECT_EQ(heir.priority_cap, 2);
    EXPECT_FALSE(heir.active);
    EXPECT_THAT(heir.authorized_domains, ElementsAre("a.example"));
    EXPECT_THAT(heir.authorized_senders, ElementsAre("x@b.example"));
    EXPECT_THAT(heir.allowed_networks, ElementsAre("192.0.2.0/24"));
    EXPECT_EQ(heir.max_message_size, 1U << 20);
    EXPECT_EQ(heir.max_recipients, 7U);
    EXPECT_THAT(heir.submit_rate, ElementsAre(Rate{5, 1s, Unit::recipients}));
    EXPECT_EQ(heir.limits.rates.size(), 2U);
    EXPECT_TRUE(heir.limits.smooth);
    EXPECT_EQ(heir.limits.quota.daily, 100U);
    EXPECT_EQ(heir.when_exceeded, WhenExceeded::hold);
    EXPECT_EQ(heir.weight, 3U);
    ASSERT_TRUE(heir.deliver);
    EXPECT_EQ(heir.deliver->days, 1);
    EXPECT_EQ(heir.route, "out");

    const Account& own = config.accounts.at("own");
    EXPECT_TRUE(own.active);
    EXPECT_EQ(own.priority, 4);
    EXPECT_THAT(own.authorized_domains, ElementsAre("c.example"));
    EXPECT_THAT(own.authorized_senders, ElementsAre("x@b.example"));
    EXPECT_THAT(own.submit_rate, ElementsAre(Rate{6, 1s, Unit::recipients}));
    EXPECT_TRUE(own.limits.rates.empty());
    EXPECT_FALSE(own.limits.smooth);
    EXPECT_EQ(own.limits.quota.hourly, 5U);
    EXPECT_FALSE(own.limits.quota.daily) << "a quota replaces the default's as a whole";
    EXPECT_EQ(own.limits.quota.zone, limit::TimeZone());
    EXPECT_EQ(own.when_exceeded, WhenExceeded::reject);
    EXPECT_EQ(own.weight, 1U);
    ASSERT_TRUE(own.deliver);
    EXPECT_EQ(own.deliver->days, 0x7f) << "as a whole too";
}

TEST_F(ConfigLimits, FaultsOfDefaultsAreReportedOnce) {
    EXPECT_EQ(errors(text_of_accounts("  defaults: {priority: 7, submit_rate: 80MB/m, route: on}\n"
                                      "  a: {password: a}\n"
                                      "  b: {password: b}\n")),
              "outpost.yaml:6:24: accounts.defaults.priority: \"7\" is not a whole number from 1 "
              "to 5\n"
              "outpost.yaml:6:40: accounts.defaults.submit_rate: \"80MB/m\" counts octets, and "
              "the size of a message is not known when its recipients are; count recipients or "
              "messages, such as 100/s\n"
              "outpost.yaml:6:55: accounts.defaults.route: there is no upstream \"on\"; there is "
              "out\n");
    EXPECT_EQ(errors(text_of_accounts("  defaults: {password: MARK, note: n, priorty: 1}\n"
                                      "  a: {password: a}\n")),
              "outpost.yaml:6:24: accounts.defaults.password: cannot be inherited; set it on the "
              "account that it belongs to\n"
              "outpost.yaml:6:36: accounts.defaults.note: cannot be inherited; set it on the "
              "account that it belongs to\n"
              "outpost.yaml:6:39: accounts.defaults.priorty: is not a known key; did you mean "
              "priority?\n");
    EXPECT_EQ(errors(text_of_accounts("  defaults: {priority: 1}\n")), "");
}

TEST_F(ConfigLimits, ADefaultRouteIsEnoughWhereUpstreamsAreSeveral) {
    std::string text = text_of_accounts("  defaults: {route: other}\n  a: {password: a}\n");
    text.insert(text.find("{out:") + 1, "other: {type: sandbox, directory: o}, ");
    EXPECT_EQ(loaded(text).accounts["a"].route, "other");
}

TEST_F(ConfigLimits, NobodySignsInAsTheDefaults) {
    std::string text = text_of_accounts("  defaults: {priority: 1}\n  a: {password: a}\n");
    const std::string listener = "{address: \"::\", ports: [587], tls: starttls}";
    text.replace(text.find(listener), listener.size(),
                 "{address: 127.0.0.1, ports: [587], trusted_account: defaults}");
    EXPECT_THAT(errors(text), HasSubstr("there is no account \"defaults\""));
}

TEST_F(ConfigLimits, CountersAreKeptInRedisOrHere) {
    EXPECT_FALSE(store("store: sqlite").redis);
    const auto redis =
        store("store: \"redis://cache.example:6380/3\", node: a-1, share: 50%, password: p").redis;
    ASSERT_TRUE(redis);
    EXPECT_EQ(redis->host, "cache.example");
    EXPECT_EQ(redis->port, 6380);
    EXPECT_EQ(redis->database, 3U);
    EXPECT_EQ(redis->node, "a-1");
    EXPECT_DOUBLE_EQ(redis->share, 0.5);
    EXPECT_EQ(redis->password.reveal(), "p");
    const auto plain = store("store: \"redis://[::1]\", node: b, share: 1").redis;
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->host, "::1");
    EXPECT_EQ(plain->port, 6379);
    EXPECT_EQ(plain->database, 0U);
    EXPECT_TRUE(plain->password.empty());
}

TEST_F(ConfigLimits, FaultsOfTheStore) {
    EXPECT_EQ(store_errors("store: redis"),
              "outpost.yaml:6:17: limits.store: \"redis\" is not a store; write sqlite, or "
              "redis://HOST:PORT/DATABASE such as redis://192.0.2.1:6379/0\n");
    for (const char* url : {"redis://", "redis://a:b", "redis://a:1:2", "redis://a/b",
                            "redis://a/1/2", "http://a", "redis://a b"}) {
        EXPECT_THAT(store_errors("store: \"" + std::string(url) + "\", node: a, share: 1"),
                    AllOf(HasSubstr("is not a store"), Not(HasSubstr("is for a store on Redis"))))
            << url;
    }
    for (const char* url : {"redis://:MARK@a", "redis://user:MARK@a:1/0", "MARK@a"}) {
        const std::string found = store_errors("store: \"" + std::string(url) + "\"");
        EXPECT_THAT(found, HasSubstr("limits.store: has an @; a password does not belong in the "
                                     "address, write it under limits.password"));
        EXPECT_THAT(found, Not(HasSubstr("MARK")));
    }
    EXPECT_EQ(store_errors("store: \"redis://a\""),
              "outpost.yaml:6:9: limits.node: is missing; name this machine among those that share "
              "the counters\n");
    EXPECT_THAT(store_errors("store: \"redis://a\", node: \"a b\", share: 50%"),
                HasSubstr("limits.node: \"a b\" is not a node's name; write up to 64 letters"));
    EXPECT_THAT(store_errors("store: \"redis://a\", node: a, share: 101%"),
                HasSubstr("limits.share: \"101%\" is not a share; write a percentage such as 10%, "
                          "or 0.1; more than 0% and at most 100%"));
    for (const char* key : {"node", "share", "password"}) {
        const std::string expected = "limits." + std::string(key) +
                                     ": is for a store on Redis; remove it, or set limits.store";
        EXPECT_THAT(store_errors(std::string(key) + ": 1"), HasSubstr(expected));
        EXPECT_THAT(store_errors("store: sqlite, " + std::string(key) + ": 1"),
                    HasSubstr(expected));
    }
    EXPECT_THAT(store_errors("stor: sqlite"), HasSubstr("did you mean store?"));
}

}  // namespace
}  // namespace outpost::config

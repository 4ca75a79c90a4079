#include "account/directory.hpp"

#include <gtest/gtest.h>

#include "accounts.hpp"

namespace outpost::account {
namespace {

TEST(Directory, FindsNamesExactly) {
    const auto directory = directory_of({account_named("alice", "a")});
    EXPECT_NE(directory->find("alice"), nullptr);
    EXPECT_EQ(directory->find("Alice"), nullptr);
    EXPECT_EQ(directory->find("alice "), nullptr);
    EXPECT_EQ(directory->find(""), nullptr);
}

TEST(Directory, HashesPlainPasswordsTheSameWayForTheSameKey) {
    const auto config = config_with({account_named("alice", "a")});
    const auto first = Directory::build(config, "key")->find("alice");
    EXPECT_TRUE(scram::verify(first->secret, "a"));
    EXPECT_EQ(Directory::build(config, "key")->find("alice")->secret, first->secret);
    EXPECT_NE(Directory::build(config, "other")->find("alice")->secret.salt, first->secret.salt);
}

TEST(Directory, TakesTheSmallerOfTheAccountsAndTheServersLimits) {
    config::Account small = account_named("small", "s");
    small.max_message_size = 1000;
    small.max_recipients = 5;
    config::Account large = account_named("large", "l");
    large.max_message_size = 1ULL << 40;
    auto config = config_with({small, large});
    config.submission.max_message_size = 2000;
    config.submission.max_recipients = 10;
    const auto directory = Directory::build(config, "key");
    EXPECT_EQ(directory->find("small")->max_message_size, 1000U);
    EXPECT_EQ(directory->find("small")->max_recipients, 5U);
    EXPECT_EQ(directory->find("large")->max_message_size, 2000U);
    EXPECT_EQ(directory->find("large")->max_recipients, 10U);
}

constexpr std::uint64_t kilobyte = 1024;

limit::Rate octets(std::uint64_t count) {
    return {count, std::chrono::minutes(5), limit::Unit::octets};
}

TEST(Directory, TakesNoMessageThatARateWouldNeverLetThrough) {
    config::Account shaped = account_named("shaped", "s");
    shaped.limits.rates = {{5, std::chrono::seconds(1), limit::Unit::recipients},
                           octets(500 * kilobyte),
                           {100 * kilobyte, std::chrono::hours(1), limit::Unit::octets}};
    config::Account bulk = account_named("bulk", "b");
    bulk.route = "slow";
    auto config = config_with({shaped, bulk});
    config.upstreams["slow"].limits.rates = {octets(80 * kilobyte)};
    EXPECT_EQ(Directory::build(config, "key")->find("shaped")->max_message_size, 96 * kilobyte);
    EXPECT_EQ(Directory::build(config, "key")->find("bulk")->max_message_size, 76 * kilobyte);
    config::LimitStore::Redis redis;
    redis.share = 0.5;
    config.limits.redis = redis;
    EXPECT_EQ(Directory::build(config, "key")->find("bulk")->max_message_size, 36 * kilobyte);
    config.accounts["bulk"].max_message_size = 1000;
    EXPECT_EQ(Directory::build(config, "key")->find("bulk")->max_message_size, 1000U);
}

TEST(Directory, DecoysLookLikeMostAccounts) {
    config::Account hashed = account_named("hashed", "");
    hashed.password_hash = scram::make("x", std::string(20, 's'), 5000).text();
    config::Account other = hashed;
    other.name = "other";
    const auto directory = directory_of({hashed, other, account_named("plain", "p")});
    const config::ScramValue decoy = directory->decoy("nobody");
    EXPECT_EQ(decoy.iterations, 5000U);
    EXPECT_EQ(decoy.salt.size(), 20U);
    EXPECT_EQ(directory->decoy("nobody"), decoy);
    EXPECT_NE(directory->decoy("somebody").salt, decoy.salt);
    EXPECT_FALSE(scram::verify(decoy, ""));
}

TEST(Account, AdmitsItsNetworksOnly) {
    config::Account account = account_named("alice", "a");
    account.allowed_networks = {"192.0.2.0/24", "2001:db8::/32"};
    const auto found = directory_of({account})->find("alice");
    EXPECT_TRUE(found->admits(address("192.0.2.255")));
    EXPECT_TRUE(found->admits(address("::ffff:192.0.2.1")));
    EXPECT_TRUE(found->admits(address("2001:db8:1::1")));
    EXPECT_FALSE(found->admits(address("192.0.3.1")));
    EXPECT_FALSE(found->admits(address("2001:db9::1")));
    EXPECT_TRUE(directory_of({account_named("bob", "b")})->find("bob")->admits(address("::1")));
}

}  // namespace
}  // namespace outpost::account

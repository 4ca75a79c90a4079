#include <gtest/gtest.h>

#include "redis_harness.hpp"

namespace outpost::store {
namespace {

using namespace std::chrono_literals;

/// How many periods of this unit the test has touched: it may run across midnight.
std::uint64_t hours_since(base::WallTime begin) {
    const auto hour = [](base::WallTime time) {
        return std::chrono::floor<std::chrono::hours>(time);
    };
    return static_cast<std::uint64_t>((hour(base::SystemClock().wall()) - hour(begin)).count()) + 1;
}

struct RedisQuotaTest : RedisTest {
    RedisQuotaTest() {
        limits.rates.push_back({200, 500ms, limit::Unit::recipients});  // so that it lasts
        limits.quota.hourly = quota;
    }
    static constexpr std::uint64_t quota = 500;
    limit::Limits limits;
    base::WallTime begin = base::SystemClock().wall();
};

TEST_F(RedisQuotaTest, IsUsedUpToTheLastPermit) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), limits, 10, observer);
    Eater b(options("b", 0.5, redis.port()), limits, 10, observer);
    observer.wait_for(quota);
    EXPECT_LE(observer.total(), quota * hours_since(begin));
}

TEST_F(RedisQuotaTest, LastsThroughALossOfRedisAndItsData) {
    RedisServer redis;
    limits.rates.clear();
    Hand a(options("a", 0.5, redis.port()), limits);
    Hand b(options("b", 0.5, redis.port()), limits);
    a.hold(0);  // it is there
    b.take_some(100);
    a.take_some(100);
    redis.kill();
    a.wait_for_away(true);
    b.wait_for_away(true);
    a.take_some(20);  // of what was promised
    redis.start();
    a.wait_for_away(false);
    b.wait_for_away(false);
    a.take_all(500);
    b.take_all(500);
    EXPECT_LE(a.used() + b.used(), quota * hours_since(begin));
    EXPECT_GT(a.used() + b.used(), quota / 2);
}

TEST_F(RedisQuotaTest, ANodeThatKnowsNothingWaitsForThePeriodAfterALoss) {
    RedisServer redis;
    auto a = std::make_unique<Eater>(options("a", 0.5, redis.port()), limits, 10, observer);
    Eater b(options("b", 0.5, redis.port()), limits, 10, observer);
    a->wait_for_more(50);
    b.wait_for_more(10);
    redis.kill();
    a->wait_for_away(true);
    a->kill();
    redis.start();
    a = std::make_unique<Eater>(options("a", 0.5, redis.port()), limits, 10, observer);
    observer.wait_for(quota / 2);
    EXPECT_LE(observer.total(), quota * hours_since(begin));
    EXPECT_TRUE(a->used() == 0 || hours_since(begin) > 1);
}

TEST_F(RedisQuotaTest, WhatWasPromisedToANodeThatIsCutOffIsNotGivenAway) {
    RedisServer redis;
    Proxy proxy(redis.port());
    limits.rates.clear();
    Hand a(options("a", 0.5, proxy.port()), limits);
    Hand b(options("b", 0.5, redis.port()), limits);
    a.hold(0);  // it is there
    b.take_some(10);
    a.take_some(10);
    proxy.cut();
    b.take_all(250);
    a.wait_for_away(true);
    EXPECT_GT(a.take_all(500), 100U);
    b.take_all(250);
    EXPECT_LE(a.used() + b.used(), quota * hours_since(begin));
}

TEST_F(RedisQuotaTest, WhatANodeMayHaveUsedAloneCountsWhenItStartsAgain) {
    RedisServer redis;
    Proxy proxy(redis.port());
    limits.rates.clear();
    Hand a(options("a", 0.5, proxy.port()), limits);
    Hand b(options("b", 0.5, redis.port()), limits);
    a.hold(0);  // it is there
    b.take_some(10);
    a.take_some(10);
    proxy.cut();
    a.wait_for_away(true);
    EXPECT_GT(a.take_all(500), 100U);
    a.kill();
    Hand again(options("a", 0.5, redis.port()), limits);
    again.take_all(200);
    b.take_all(250);
    EXPECT_LE(a.used() + again.used() + b.used(), quota * hours_since(begin));
}

TEST_F(RedisQuotaTest, TellsWhenToAskAgain) {
    RedisServer redis;
    limits.rates.clear();
    Hand a(options("a", 1, redis.port()), limits);
    a.take_some(500);
    const std::uint64_t first = a.used();
    const std::uint64_t more = a.take(1);
    if (hours_since(begin) > 1) GTEST_SKIP() << "the hour has just turned";
    EXPECT_EQ(first, quota);
    EXPECT_EQ(more, 0U);
    EXPECT_EQ(a.answer().error, "");
    ASSERT_TRUE(a.answer().ask_again);
    const auto next = std::chrono::ceil<std::chrono::hours>(begin);
    EXPECT_EQ(std::chrono::round<std::chrono::minutes>(*a.answer().ask_again), next);
}

}  // namespace
}  // namespace outpost::store

#include "store/redis_lease_store.hpp"

#include <gmock/gmock.h>

#include "redis_harness.hpp"

namespace outpost::store {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::Each;
using testing::HasSubstr;
using testing::Not;

limit::Limits rate(std::uint64_t count, std::chrono::milliseconds period) {
    limit::Limits limits;
    limits.rates.push_back({count, period, limit::Unit::recipients});
    return limits;
}

using RedisLeaseStoreTest = RedisTest;

TEST_F(RedisLeaseStoreTest, TwoNodesShareARateAndUseIt) {
    RedisServer redis;
    {
        Eater a(options("a", 0.5, redis.port()), rate(100, 500ms), 8, observer);
        Eater b(options("b", 0.5, redis.port()), rate(100, 500ms), 8, observer);
        a.wait_for_more(300);
        b.wait_for_more(200);
    }
    EXPECT_LE(observer.worst(500ms), 100U);
}

TEST_F(RedisLeaseStoreTest, ANodeThatIsKilledLeavesItsRestBehind) {
    RedisServer redis;
    auto a =
        std::make_unique<Eater>(options("a", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    for (int i = 0; i < 3; ++i) {
        a->wait_for_more(40);
        a->kill();
        a = std::make_unique<Eater>(options("a", 0.5, redis.port()), rate(100, 500ms), 10,
                                    observer);
    }
    a->wait_for_more(40);
    a->kill();
    b.wait_for_more(200);
    EXPECT_LE(observer.worst(500ms), 100U);
}

TEST_F(RedisLeaseStoreTest, RedisThatComesBackEmptyDoesNotForgetAnything) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 1s), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 1s), 10, observer);
    for (int i = 0; i < 2; ++i) {
        a.wait_for_more(60);
        redis.kill();
        redis.start();
    }
    a.wait_for_more(100);
    b.wait_for_more(100);
    EXPECT_LE(observer.worst(1s), 100U);
}

TEST_F(RedisLeaseStoreTest, WhatADeadNodeUsedStillCountsForARedisThatForgotIt) {
    RedisServer redis;
    auto a = std::make_unique<Eater>(options("a", 0.5, redis.port()), rate(100, 3s), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 3s), 10, observer);
    a->wait_for_more(40);
    redis.kill();
    a->kill();
    redis.start();
    b.wait_for_more(60);
    EXPECT_LE(observer.worst(3s), 100U);
}

TEST_F(RedisLeaseStoreTest, WithoutRedisEachGoesOnWithItsShareAndComesBack) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    Eater b(options("b", 0.3, redis.port()), rate(100, 500ms), 10, observer);
    a.wait_for_more(100);
    b.wait_for_more(10);
    redis.kill();
    a.wait_for_away(true);
    b.wait_for_away(true);
    a.wait_for_more(200);  // several windows of its share
    b.wait_for_more(100);
    EXPECT_THAT(a.words(), Contains(HasSubstr("goes on with 50 % of each limit")));
    redis.start();
    a.wait_for_away(false);
    b.wait_for_away(false);
    a.wait_for_more(200);
    b.wait_for_more(50);
    EXPECT_LE(observer.worst(500ms), 100U);
    EXPECT_THAT(a.words().back(), HasSubstr("is there"));
}

TEST_F(RedisLeaseStoreTest, ANodeThatIsCutOffHasItsShareAndTheOthersTheRest) {
    RedisServer redis;
    Proxy proxy(redis.port());
    Eater a(options("a", 0.5, proxy.port()), rate(100, 500ms), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    for (int i = 0; i < 2; ++i) {
        a.wait_for_more(50);
        proxy.cut();
        a.wait_for_away(true);
        a.wait_for_more(100);
        b.wait_for_more(100);
        proxy.mend();
        a.wait_for_away(false);
    }
    b.wait_for_more(100);
    EXPECT_LE(observer.worst(500ms), 100U);
}

TEST_F(RedisLeaseStoreTest, ANodeThatReturnsLongAfterALossBringsWhatItUsed) {
    RedisServer redis;
    Proxy proxy(redis.port());
    Eater a(options("a", 0.5, proxy.port()), rate(100, 1s), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 1s), 10, observer);
    a.wait_for_more(50);
    b.wait_for_more(10);
    proxy.cut();
    redis.kill();
    a.wait_for_away(true);
    b.wait_for_away(true);
    redis.start();
    a.wait_for_more(100);
    b.wait_for_more(150);
    proxy.mend();
    a.wait_for_away(false);
    a.wait_for_more(50);
    b.wait_for_more(50);
    EXPECT_LE(observer.worst(1s), 100U);
}

TEST_F(RedisLeaseStoreTest, WhatAProcessUsedAloneAfterALossCountsForTheOneAfterIt) {
    RedisServer redis;
    Proxy proxy(redis.port());
    Hand a(options("a", 0.5, proxy.port()), rate(100, 1s));
    Hand b(options("b", 0.5, redis.port()), rate(100, 1s));
    a.take_some(10);
    b.take_some(10);
    proxy.cut();
    redis.kill();
    a.wait_for_away(true);
    b.wait_for_away(true);
    redis.start();
    // So late that Redis knows the whole window again, but for what this node does.
    observer.saw(a.take_some(100));
    a.kill();
    proxy.mend();
    Hand again(options("a", 0.5, redis.port()), rate(100, 1s));
    for (int i = 0; i < 100; ++i) {
        observer.saw(again.take(100));
        observer.saw(b.take(100));
    }
    EXPECT_LE(observer.worst(1s), 100U);
}

TEST_F(RedisLeaseStoreTest, WhatANodeHasInHandNeverExceedsItsShare) {
    RedisServer redis;
    Proxy proxy(redis.port());
    Hand a(options("a", 0.5, proxy.port()), rate(100, 500ms));
    Hand b(options("b", 0.5, redis.port()), rate(100, 500ms));
    a.take_some(10);
    b.take_some(10);
    proxy.cut();
    std::uint64_t in_hand = 0;
    for (int i = 0; i < 100; ++i) in_hand = std::max(in_hand, b.hold(100));
    EXPECT_GT(in_hand, 0U);
    a.wait_for_away(true);
    // Everything from before has left the window, what is in b's hand may go out at any time.
    EXPECT_LE(a.take_some(100) + in_hand, 100U);
}

TEST_F(RedisLeaseStoreTest, LostAnswersDoNoHarm) {
    RedisServer redis;
    Proxy proxy(redis.port());
    proxy.lose_answers(7);
    Eater a(options("a", 0.5, proxy.port()), rate(200, 1s), 5, observer);
    Eater b(options("b", 0.5, redis.port()), rate(200, 1s), 5, observer);
    a.wait_for_more(300);
    b.wait_for_more(300);
    EXPECT_GT(proxy.lost(), 3U);
    EXPECT_LE(observer.worst(1s), 200U);
}

TEST_F(RedisLeaseStoreTest, ARedisThatHangsCountsAsAway) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    a.wait_for_more(50);
    b.wait_for_more(50);
    redis.pause();
    a.wait_for_away(true);
    b.wait_for_away(true);
    a.wait_for_more(100);
    redis.resume();
    a.wait_for_away(false);
    a.wait_for_more(100);
    b.wait_for_more(100);
    EXPECT_LE(observer.worst(500ms), 100U);
}

TEST_F(RedisLeaseStoreTest, SignsInAndNeverNamesThePassword) {
    RedisServer redis("correct-horse");
    auto right = options("a", 0.5, redis.port());
    right.address.password = base::Secret("correct-horse");
    right.address.database = 3;
    Eater a(right, rate(100, 500ms), 10, observer);
    a.wait_for_more(20);

    auto wrong = options("b", 0.5, redis.port());
    wrong.address.password = base::Secret("battery-staple");
    Eater b(wrong, rate(100, 500ms), 10, observer);
    b.wait_for_away(true);
    EXPECT_THAT(b.words(), Each(Not(HasSubstr("battery"))));
    EXPECT_THAT(b.words()[0], HasSubstr("check the password"));
    EXPECT_THAT(b.words()[0], HasSubstr("127.0.0.1:" + std::to_string(redis.port())));
    EXPECT_EQ(b.used(), 0U);
}

TEST_F(RedisLeaseStoreTest, ANodeThatNeverFoundRedisSendsNothingAndSaysWhy) {
    RedisServer redis;
    redis.kill();
    Eater a(options("a", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    a.wait_for_away(true);
    EXPECT_THAT(a.words()[0], HasSubstr("nothing goes out"));
    EXPECT_EQ(a.used(), 0U);
    redis.start();
    a.wait_for_more(20);
}

TEST_F(RedisLeaseStoreTest, SharesOverAHundredPercentAreReportedAndHarmless) {
    RedisServer redis;
    Eater a(options("a", 0.8, redis.port()), rate(100, 500ms), 10, observer);
    Eater b(options("b", 0.7, redis.port()), rate(100, 500ms), 10, observer);
    a.wait_for_more(60);
    b.wait_for_more(60);
    redis.kill();
    a.wait_for_away(true);
    b.wait_for_away(true);
    a.wait_for_more(60);
    EXPECT_THAT(a.words(), Contains(HasSubstr("add up to 150 %")));
    EXPECT_LE(observer.worst(500ms), 100U);
}

TEST_F(RedisLeaseStoreTest, ASecondProcessOfTheSameNameReplacesTheFirst) {
    RedisServer redis;
    Eater first(options("a", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    first.wait_for_more(20);
    Eater second(options("a", 0.5, redis.port()), rate(100, 500ms), 10, observer);
    second.wait_for_more(100);
    first.wait_for_away(true);
    EXPECT_THAT(first.words().back(), HasSubstr("taken over this node's name"));
    EXPECT_LE(observer.worst(500ms), 100U);
}

TEST_F(RedisLeaseStoreTest, SomebodyWhoDeletesTheCountersGainsNothing) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 1s), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 1s), 10, observer);
    const auto raw = [&](const std::vector<std::string>& command) {
        RedisAddress address;
        address.port = redis.port();
        auto connection = RedisConnection::open(address, 5s);
        ASSERT_TRUE(connection) << connection.error();
        const auto reply = connection->ask(command);
        ASSERT_TRUE(reply) << reply.error();
    };
    a.wait_for_more(70);
    raw({"FLUSHALL"});
    a.wait_for_more(70);
    raw({"DEL", "{outpost}:limit:upstream/shared"});
    a.wait_for_more(70);
    b.wait_for_more(10);
    EXPECT_LE(observer.worst(1s), 100U);
}

TEST_F(RedisLeaseStoreTest, OfANodeThatHasTakenLeaveNothingIsKept) {
    RedisServer redis;
    Eater a(options("a", 0.9, redis.port()), rate(100, 500ms), 10, observer);
    a.wait_for_more(100);
    a.stop();
    // More than its own share at once: only where the other's is free.
    Eater b(options("b", 0.1, redis.port()), rate(100, 500ms), 10, observer);
    b.wait_for_more(200);
    EXPECT_LE(observer.worst(500ms), 100U);
    EXPECT_GT(observer.worst(500ms), 10U);
}

}  // namespace
}  // namespace outpost::store

#include "store/redis_lease_store.hpp"

#include <gmock/gmock.h>

#include "redis_harness.hpp"
#include "store/redis_connection.hpp"

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
        Eater a(options("a", 0.5, redis.port()), rate(100, 200ms), 8, observer);
        Eater b(options("b", 0.5, redis.port()), rate(100, 200ms), 8, observer);
        a.wait_for_more(150);
        b.wait_for_more(100);
    }
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, ANodeThatIsKilledLeavesItsRestBehind) {
    RedisServer redis;
    auto a =
        std::make_unique<Eater>(options("a", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    for (int i = 0; i < 2; ++i) {
        a->wait_for_more(40);
        a->kill();
        a = std::make_unique<Eater>(options("a", 0.5, redis.port()), rate(100, 200ms), 10,
                                    observer);
    }
    a->wait_for_more(40);
    a->kill();
    b.wait_for_more(200);
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, RedisThatComesBackEmptyDoesNotForgetAnything) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    a.wait_for_more(60);
    b.wait_for_more(10);
    redis.kill();
    redis.start();
    a.wait_for_more(100);
    b.wait_for_more(100);
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, WithoutRedisEachGoesOnWithItsShareAndComesBack) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    Eater b(options("b", 0.3, redis.port()), rate(100, 200ms), 10, observer);
    a.wait_for_more(20);
    b.wait_for_more(10);
    redis.kill();
    a.wait_for_away(true);
    b.wait_for_away(true);
    a.wait_for_more(100);  // windows of its share
    b.wait_for_more(60);
    EXPECT_THAT(a.words(), Contains(HasSubstr("goes on with 50 % of each limit")));
    redis.start();
    a.wait_for_away(false);
    b.wait_for_away(false);
    a.wait_for_more(60);
    b.wait_for_more(60);
    EXPECT_LE(observer.worst(200ms), 100U);
    EXPECT_THAT(a.words().back(), HasSubstr("is there"));
}

TEST_F(RedisLeaseStoreTest, ANodeThatIsCutOffHasItsShareAndTheOthersTheRest) {
    RedisServer redis;
    Proxy proxy(redis.port());
    Eater a(options("a", 0.5, proxy.port()), rate(100, 200ms), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    a.wait_for_more(50);
    b.wait_for_more(10);
    proxy.cut();
    a.wait_for_away(true);
    a.wait_for_more(100);
    b.wait_for_more(100);
    proxy.mend();
    a.wait_for_away(false);
    a.wait_for_more(50);
    b.wait_for_more(50);
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, LostAnswersDoNoHarm) {
    RedisServer redis;
    Proxy proxy(redis.port());
    proxy.lose_answers(5);
    Eater a(options("a", 0.5, proxy.port()), rate(100, 200ms), 5, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 200ms), 5, observer);
    a.wait_for_more(100);
    b.wait_for_more(100);
    EXPECT_GT(proxy.lost(), 3U);
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, ARedisThatHangsCountsAsAway) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 200ms), 10, observer);
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
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, SignsInAndNeverNamesThePassword) {
    RedisServer redis("correct-horse");
    auto right = options("a", 1, redis.port());
    right.address.password = base::Secret("correct-horse");
    right.address.database = 3;
    Eater a(right, rate(100, 200ms), 10, observer);
    a.wait_for_more(20);

    auto wrong = options("b", 0.5, redis.port());
    wrong.address.password = base::Secret("battery-staple");
    Eater b(wrong, rate(100, 200ms), 10, observer);
    b.wait_for_away(true);
    EXPECT_THAT(b.words(), Each(Not(HasSubstr("battery"))));
    EXPECT_THAT(b.words()[0], HasSubstr("check the password"));
    EXPECT_THAT(b.words()[0], HasSubstr("127.0.0.1:" + std::to_string(redis.port())));
    EXPECT_EQ(b.used(), 0U);
}

TEST_F(RedisLeaseStoreTest, ANodeThatNeverFoundRedisSendsNothingAndSaysWhy) {
    RedisServer redis;
    redis.kill();
    Eater a(options("a", 1, redis.port()), rate(100, 200ms), 10, observer);
    a.wait_for_away(true);
    EXPECT_THAT(a.words()[0], HasSubstr("nothing goes out"));
    EXPECT_EQ(a.used(), 0U);
    redis.start();
    a.wait_for_more(20);
}

TEST_F(RedisLeaseStoreTest, SharesOverAHundredPercentAreReportedAndHarmless) {
    RedisServer redis;
    Eater a(options("a", 0.8, redis.port()), rate(100, 200ms), 10, observer);
    Eater b(options("b", 0.7, redis.port()), rate(100, 200ms), 10, observer);
    a.wait_for_more(60);
    b.wait_for_more(60);
    redis.kill();
    a.wait_for_away(true);
    b.wait_for_away(true);
    a.wait_for_more(60);
    EXPECT_THAT(a.words(), Contains(HasSubstr("add up to 150 %")));
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, ASecondProcessOfTheSameNameReplacesTheFirst) {
    RedisServer redis;
    Eater first(options("a", 1, redis.port()), rate(100, 200ms), 10, observer);
    first.wait_for_more(20);
    Eater second(options("a", 1, redis.port()), rate(100, 200ms), 10, observer);
    second.wait_for_more(100);
    first.wait_for_away(true);
    EXPECT_THAT(first.words().back(), HasSubstr("taken over this node's name"));
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, SomebodyWhoDeletesTheCountersGainsNothing) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    Eater b(options("b", 0.5, redis.port()), rate(100, 200ms), 10, observer);
    const auto raw = [&](const std::vector<std::string>& command) {
        RedisAddress address;
        address.port = redis.port();
        auto connection = RedisConnection::open(address, 5s);
        ASSERT_TRUE(connection) << connection.error();
        const auto reply = (*connection)->ask_one(command);
        ASSERT_TRUE(reply) << reply.error();
    };
    a.wait_for_more(70);
    b.wait_for_more(10);
    for (const auto& command : {std::vector<std::string>{"FLUSHALL"},
                                {"HDEL", "{outpost}:counters", "upstream/shared"},
                                {"DEL", "{outpost}:counters"},
                                {"DEL", "{outpost}:nodes"}}) {
        raw(command);
        observer.wait_for(observer.total() + 60);
    }
    a.wait_for_more(10);
    b.wait_for_more(10);
    EXPECT_LE(observer.worst(200ms), 100U);
}

TEST_F(RedisLeaseStoreTest, AnEmptyRedisIsTakenForNewOnlyByAllNodesTogether) {
    RedisServer redis;
    Eater a(options("a", 0.5, redis.port()), rate(100, 1h), 10, observer);
    a.wait_for_words("only nodes with 50 % of the limits are there");
    EXPECT_EQ(a.used(), 0U);
    Eater b(options("b", 0.5, redis.port()), rate(100, 1h), 10, observer);
    observer.wait_for(100);
    EXPECT_EQ(observer.total(), 100U);
}

TEST_F(RedisLeaseStoreTest, OfANodeThatHasTakenLeaveNothingIsKept) {
    RedisServer redis;
    auto a = std::make_unique<Hand>(options("a", 0.9, redis.port()), rate(100, 1h));
    Eater b(options("b", 0.1, redis.port()), rate(100, 1h), 10, observer);
    a->take_some(20);
    a->hold(0);  // reports it
    const std::uint64_t rest = 100 - a->used();
    a.reset();
    observer.wait_for(rest);
    EXPECT_EQ(observer.total(), rest);
}

}  // namespace
}  // namespace outpost::store

#include "upstream/pool.hpp"

#include <gtest/gtest.h>

namespace outpost::upstream {
namespace {

using std::chrono::seconds;
using Pool = IdlePool<int>;

constexpr base::MonoTime start{};

std::unique_ptr<int> connection(int name) {
    return std::make_unique<int>(name);
}

TEST(IdlePool, GivesTheConnectionUsedLast) {
    Pool pool({.most = 10, .idle = seconds(30)});
    EXPECT_EQ(pool.put(connection(1), start), nullptr);
    EXPECT_EQ(pool.put(connection(2), start + seconds(1)), nullptr);
    EXPECT_EQ(*pool.take(start + seconds(2)), 2);
    EXPECT_EQ(*pool.take(start + seconds(2)), 1);
    EXPECT_EQ(pool.take(start + seconds(2)), nullptr);
}

TEST(IdlePool, GivesNoConnectionThatWasIdleTooLong) {
    Pool pool({.most = 10, .idle = seconds(30)});
    (void)pool.put(connection(1), start);
    EXPECT_EQ(pool.take(start + seconds(31)), nullptr);
    EXPECT_EQ(pool.size(), 1U);
}

TEST(IdlePool, HandsBackTheLongestIdleOneWhenFull) {
    Pool pool({.most = 2, .idle = seconds(30)});
    (void)pool.put(connection(1), start);
    (void)pool.put(connection(2), start);
    EXPECT_EQ(*pool.put(connection(3), start), 1);
    EXPECT_EQ(pool.size(), 2U);
}

TEST(IdlePool, KeepsNothingWhenItMayKeepNone) {
    Pool pool({.most = 0, .idle = seconds(30)});
    EXPECT_EQ(*pool.put(connection(1), start), 1);
    EXPECT_EQ(pool.size(), 0U);
}

TEST(IdlePool, SaysWhichConnectionsAreDue) {
    Pool pool({.most = 10, .idle = seconds(30)});
    EXPECT_EQ(pool.next_expiry(), std::nullopt);
    (void)pool.put(connection(1), start);
    (void)pool.put(connection(2), start + seconds(10));
    EXPECT_EQ(pool.next_expiry(), start + seconds(30));
    EXPECT_TRUE(pool.expired(start + seconds(30)).empty());
    const auto due = pool.expired(start + seconds(31));
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(*due[0], 1);
    EXPECT_EQ(pool.next_expiry(), start + seconds(40));
}

TEST(IdlePool, EmptiesAtTheEnd) {
    Pool pool({.most = 10, .idle = seconds(30)});
    (void)pool.put(connection(1), start);
    (void)pool.put(connection(2), start);
    EXPECT_EQ(pool.drain().size(), 2U);
    EXPECT_EQ(pool.size(), 0U);
}

}  // namespace
}  // namespace outpost::upstream

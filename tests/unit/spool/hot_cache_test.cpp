#include "spool/hot_cache.hpp"

#include <gtest/gtest.h>

namespace outpost::spool {
namespace {

using std::chrono::milliseconds;

std::unique_ptr<HotMessage> message_of(std::size_t octets) {
    auto message = std::make_unique<HotMessage>();
    message->content.data.assign(octets, 'x');
    return message;
}

TEST(HotCache, GivesAMessageAwayOnce) {
    HotCache cache(10'000, milliseconds(1000));
    cache.put(base::MessageId{1}, message_of(100), {});
    EXPECT_TRUE(cache.take(base::MessageId{1}));
    EXPECT_FALSE(cache.take(base::MessageId{1}));
    EXPECT_FALSE(cache.take(base::MessageId{2}));
    EXPECT_EQ(cache.octets(), 0U);
}

TEST(HotCache, KeepsTheOldestWhileItIsFull) {
    HotCache cache(10'000, milliseconds(1000));
    for (std::uint64_t id = 1; id <= 100; ++id) {
        cache.put(base::MessageId{id}, message_of(1000), {});
        EXPECT_LE(cache.octets(), 10'000U);
    }
    EXPECT_TRUE(cache.take(base::MessageId{1}));
    EXPECT_FALSE(cache.take(base::MessageId{100}));
}

TEST(HotCache, MakesRoomByAge) {
    HotCache cache(10'000, milliseconds(1000));
    const base::MonoTime start{};
    for (std::uint64_t id = 1; id <= 10; ++id)
        cache.put(base::MessageId{id}, message_of(1000), start);
    cache.put(base::MessageId{11}, message_of(1000), start + milliseconds(1000));
    EXPECT_FALSE(cache.take(base::MessageId{1}));
    EXPECT_TRUE(cache.take(base::MessageId{11}));
}

TEST(HotCache, ForgetsWhatNobodyReads) {
    HotCache cache(10'000, milliseconds(1000));
    const base::MonoTime start{};
    cache.put(base::MessageId{1}, message_of(1000), start);
    cache.put(base::MessageId{2}, message_of(1000), start + milliseconds(500));
    EXPECT_EQ(cache.expire(start + milliseconds(999)), 0U);
    EXPECT_EQ(cache.expire(start + milliseconds(1000)), 1U);
    EXPECT_FALSE(cache.take(base::MessageId{1}));
    EXPECT_TRUE(cache.take(base::MessageId{2}));
}

}  // namespace
}  // namespace outpost::spool

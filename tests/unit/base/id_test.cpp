#include "base/id.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

namespace outpost::base {
namespace {

TEST(MessageId, TextReadsBackAndSortsLikeTheValue) {
    const MessageId small{1};
    const MessageId large{(1ULL << 50) - 1};
    EXPECT_EQ(small.text(), "0000000001");
    EXPECT_EQ(large.text(), "ZZZZZZZZZZ");
    EXPECT_LT(small.text(), large.text());
    EXPECT_EQ(MessageId::parse(large.text()), large);
    EXPECT_EQ(MessageId::parse("zzzzzzzzzz"), large);
}

TEST(MessageId, RefusesWhatIsNoId) {
    for (const char* text : {"", "000000001", "00000000001", "000000000U", "00000 0001"})
        EXPECT_FALSE(MessageId::parse(text)) << text;
}

TEST(MessageIdSource, GrowsEvenWhenTheClockStandsStillOrGoesBack) {
    MessageIdSource source;
    const WallTime now{std::chrono::seconds(1'800'000'000)};
    const auto first = source.next(now);
    const auto second = source.next(now);
    const auto third = source.next(now - std::chrono::hours(1));
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
}

TEST(MessageIdSource, StartsPastWhatRecoveryFound) {
    MessageIdSource source;
    const WallTime now{std::chrono::seconds(1'800'000'000)};
    const MessageId found{source.next(now).value + 1'000'000'000};
    source.skip_past(found);
    EXPECT_LT(found, source.next(now));
}

TEST(MessageIdSource, IsUniqueAcrossThreads) {
    MessageIdSource source;
    const WallTime now{std::chrono::seconds(1'800'000'000)};
    std::vector<std::vector<MessageId>> made(4);
    {
        std::vector<std::jthread> threads;
        for (auto& mine : made)
            threads.emplace_back([&] {
                for (int i = 0; i < 1000; ++i) mine.push_back(source.next(now));
            });
    }
    std::vector<MessageId> all;
    for (const auto& mine : made) all.insert(all.end(), mine.begin(), mine.end());
    std::ranges::sort(all);
    EXPECT_EQ(std::ranges::adjacent_find(all), all.end());
}

}  // namespace
}  // namespace outpost::base

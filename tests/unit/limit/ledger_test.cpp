#include "limit/ledger.hpp"

#include <gtest/gtest.h>

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

constexpr base::MonoTime start{1000h};
constexpr Usage one{1, 1, 100};

Rate rate(std::uint64_t count, std::chrono::milliseconds period, Unit unit = Unit::recipients) {
    return {count, period, unit};
}

TEST(Ledger, AnEntryLeavesOnceAFullPeriodHasPassed) {
    Ledger ledger(std::vector{rate(10, 1s)});
    ledger.add(one, start);
    EXPECT_EQ(ledger.used(0, start), 1U);
    EXPECT_EQ(ledger.used(0, start + 1s), 1U) << "both ends of a window belong to it";
    EXPECT_EQ(ledger.used(0, start + 1s + 1ns), 0U);
}

TEST(Ledger, CountsEachUnitInItsOwnWindow) {
    Ledger ledger(
        std::vector{rate(10, 1s), rate(10, 1min, Unit::messages), rate(1000, 1s, Unit::octets)});
    ledger.add({3, 1, 50}, start);
    ledger.add({4, 1, 60}, start + 500ms);
    EXPECT_EQ(ledger.used(0, start + 1s), 7U);
    EXPECT_EQ(ledger.used(2, start + 1s), 110U);
    EXPECT_EQ(ledger.used(0, start + 1200ms), 4U);
    EXPECT_EQ(ledger.used(2, start + 1200ms), 60U);
    EXPECT_EQ(ledger.used(0, start + 2s), 0U);
    EXPECT_EQ(ledger.used(1, start + 2s), 2U);
    EXPECT_EQ(ledger.used(1, start + 2min), 0U);
}

TEST(Ledger, TellsWhenThereIsRoomAgain) {
    Ledger ledger(std::vector{rate(10, 1s), rate(20, 10s)});
    ledger.add({3, 1, 0}, start);
    ledger.add({4, 1, 0}, start + 500ms);
    const auto now = start + 600ms;
    EXPECT_EQ(ledger.falls_to(0, 7, now), now);
    EXPECT_EQ(ledger.falls_to(0, 6, now), start + 1s + 1ns);
    EXPECT_EQ(ledger.falls_to(0, 4, now), start + 1s + 1ns);
    EXPECT_EQ(ledger.falls_to(0, 3, now), start + 1500ms + 1ns);
    EXPECT_EQ(ledger.falls_to(0, 0, now), start + 1500ms + 1ns);
    EXPECT_EQ(ledger.falls_to(1, 0, now), start + 10500ms + 1ns);
}

TEST(Ledger, KeepsWhatIsCloseTogetherAsOneThatLeavesLast) {
    Ledger ledger(std::vector{rate(10, 1280ms)});  // entries of up to 10 ms
    ledger.add(one, start);
    ledger.add(one, start + 10ms);
    ledger.add(one, start + 11ms);
    ASSERT_EQ(ledger.entries().size(), 2U);
    EXPECT_EQ(ledger.entries()[0], (Spent{start, start + 10ms, {2, 2, 200}}));
    EXPECT_EQ(ledger.used(0, start + 1290ms), 3U) << "the first two count until the second leaves";
    EXPECT_EQ(ledger.used(0, start + 1290ms + 1ns), 1U);
}

TEST(Ledger, ATimeThatGoesBackIsTheLatest) {
    Ledger ledger(std::vector{rate(10, 1s)});
    ledger.add(one, start + 5s);
    ledger.add(one, start);
    EXPECT_EQ(ledger.used(0, start), 2U);
    EXPECT_EQ(ledger.used(0, start + 6s), 2U);
}

TEST(Ledger, StaysSmallUnderSteadyTraffic) {
    Ledger ledger(std::vector{rate(1'000'000, 1s), rate(1'000'000'000, 24h)});
    for (int i = 0; i < 400'000; ++i) ledger.add(one, start + i * 500ms);
    EXPECT_LT(ledger.entries().size(), 600U);
    EXPECT_GE(ledger.used(1, start + 400'000 * 500ms), 24 * 3600 * 2U);
    EXPECT_LE(ledger.used(1, start + 400'000 * 500ms), 24 * 3600 * 2U * 129 / 128 + 2);
}

TEST(Ledger, AChangedRateSeesWhatWasUsedBefore) {
    Ledger ledger(std::vector{rate(100, 1s)});
    for (int i = 0; i < 3600; ++i) ledger.add(one, start + i * 1s);
    const auto now = start + 3599s;
    ledger.set_rates(std::vector{rate(100, 10min), rate(100, 2s, Unit::octets)}, now);
    // Coarsely: never less than it was.
    EXPECT_GE(ledger.used(0, now), 600U);
    EXPECT_LE(ledger.used(0, now), 600U + 600U);
    EXPECT_GE(ledger.used(1, now), 300U);
    ledger.set_rates(std::vector{rate(100, 24h)}, now);
    EXPECT_EQ(ledger.used(0, now), 3600U);
    EXPECT_EQ(ledger.used(0, start + 48h), 0U);
}

TEST(Ledger, WithoutARateItKeepsADay) {
    Ledger ledger({});
    for (int i = 0; i < 48; ++i) ledger.add(one, start + i * 1h);
    ledger.set_rates(std::vector{rate(100, 12h)}, start + 47h);
    EXPECT_GE(ledger.used(0, start + 47h), 13U);
    EXPECT_LE(ledger.used(0, start + 47h), 15U);
}

TEST(Ledger, RestoresItsEntries) {
    Ledger before(std::vector{rate(100, 1s), rate(100, 1min)});
    for (int i = 0; i < 50; ++i) before.add(one, start + i * 100ms);
    const auto now = start + 5s;
    Ledger after(std::vector{rate(100, 1s), rate(100, 1min)});
    after.restore(before.entries(), now);
    for (const std::size_t i : {0U, 1U}) EXPECT_EQ(after.used(i, now), before.used(i, now));
    EXPECT_EQ(after.falls_to(1, 20, now), before.falls_to(1, 20, now));

    Ledger late(std::vector{rate(100, 1s)});
    const Spent future{start + 9s, start + 10s, one};
    late.restore(std::span(&future, 1), start);
    EXPECT_EQ(late.used(0, start + 1s), 1U);
    EXPECT_EQ(late.used(0, start + 2s), 0U) << "a time yet to come counts as now";
}

}  // namespace
}  // namespace outpost::limit

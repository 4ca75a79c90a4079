#include "limit/spacing.hpp"

#include <gtest/gtest.h>

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

constexpr base::MonoTime start{1000h};

Spacing spaced(std::uint64_t count, std::chrono::milliseconds period) {
    Spacing spacing;
    spacing.set_rates({{count, period, Unit::recipients}}, true);
    return spacing;
}

TEST(Spacing, IsOffUnlessAskedFor) {
    Spacing spacing;
    spacing.set_rates({{10, 1s, Unit::recipients}}, false);
    EXPECT_FALSE(spacing.on());
}

TEST(Spacing, TheNextTurnComesAfterAShareOfThePeriod) {
    Spacing spacing = spaced(10, 1min);  // every 6 s
    EXPECT_LE(spacing.turn(0), start);
    spacing.take(0, 1, start);
    const auto turn = spacing.turn(0);
    EXPECT_GT(turn, start + 5s);
    EXPECT_LE(turn, start + 6s);
    spacing.take(0, 3, turn);
    EXPECT_EQ(spacing.turn(0), turn + 18s) << "three recipients take three turns";
}

TEST(Spacing, ALittleLatenessIsCaughtUp) {
    Spacing spacing = spaced(1000, 1s);  // every millisecond, caught up to 10 ms
    spacing.take(0, 1, start);
    auto turn = spacing.turn(0);
    spacing.take(0, 1, turn + 5ms);
    EXPECT_EQ(spacing.turn(0), turn + 1ms) << "the schedule holds, not the call";
    turn = spacing.turn(0);
    spacing.take(0, 1, turn + 1h);
    EXPECT_EQ(spacing.turn(0), turn + 1h - 9ms) << "a long pause is not caught up";
}

TEST(Spacing, SlowRatesNeverLetTwoGoTogether) {
    Spacing spacing = spaced(1200, 1h);  // every 3 s
    spacing.take(0, 1, start);
    spacing.take(0, 1, start + 1h);
    EXPECT_GE(spacing.turn(0) - (start + 1h), 1500ms);
}

}  // namespace
}  // namespace outpost::limit

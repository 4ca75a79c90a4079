#include "delivery/group_turns.hpp"

#include <gtest/gtest.h>

#include <random>

namespace outpost::delivery {
namespace {

using config::Strategy;
using enum MemberState;
using States = std::vector<MemberState>;

/// Which of the open members may take the next message; there must be one.
std::size_t turn(const GroupTurns& turns, const States& states) {
    std::size_t found = states.size();
    for (std::size_t i = 0; i < states.size(); ++i) {
        if (states[i] != open || !turns.may_take(i)) continue;
        EXPECT_EQ(found, states.size()) << "two have the turn";
        found = i;
    }
    return found;
}

TEST(GroupTurns, FailoverTakesTheFirstThatWorksAndWaitsForItsLimits) {
    GroupTurns turns(Strategy::failover, {1, 1, 1});
    turns.update(States{open, open, open});
    EXPECT_TRUE(turns.may_take(0));
    EXPECT_FALSE(turns.may_take(1));
    turns.update(States{closed, open, open});
    EXPECT_TRUE(turns.may_take(1));
    EXPECT_FALSE(turns.may_take(2));
    turns.update(States{due, open, open});
    EXPECT_TRUE(turns.may_take(0));
    EXPECT_FALSE(turns.may_take(1)) << "the next message is the first one's test";
    turns.update(States{limited, open, open});
    EXPECT_FALSE(turns.may_take(1)) << "a used-up rate is waited for";
}

TEST(GroupTurns, OverflowGoesOnToTheNextWithRateLeft) {
    GroupTurns turns(Strategy::overflow, {1, 1, 1});
    turns.update(States{limited, open, open});
    EXPECT_TRUE(turns.may_take(1));
    EXPECT_FALSE(turns.may_take(2));
    turns.update(States{limited, closed, open});
    EXPECT_TRUE(turns.may_take(2));
    turns.update(States{open, open, open});
    EXPECT_FALSE(turns.may_take(1)) << "back at the first";
}

TEST(GroupTurns, WeightsAreExactOverTime) {
    GroupTurns turns(Strategy::weighted, {5, 3, 1});
    const States all(3, open);
    std::vector<int> got(3);
    std::mt19937 random(7);
    int total = 0;
    for (int i = 0; i < 9'000; ++i) {
        turns.update(all);
        const auto member = turn(turns, all);
        ASSERT_LT(member, 3U);
        const auto recipients = static_cast<int>(random() % 4 + 1);
        turns.taken(member, static_cast<std::uint32_t>(recipients));
        got[member] += recipients;
        total += recipients;
        // Never more than one message off its share.
        const double share[] = {5.0 / 9, 3.0 / 9, 1.0 / 9};
        for (std::size_t m = 0; m < 3; ++m) ASSERT_NEAR(got[m], share[m] * total, 9) << i;
    }
}

TEST(GroupTurns, RoundRobinIgnoresWeights) {
    GroupTurns turns(Strategy::round_robin, {9, 1});
    const States all(2, open);
    std::vector<int> got(2);
    for (int i = 0; i < 100; ++i) {
        turns.update(all);
        const auto member = turn(turns, all);
        turns.taken(member, 1);
        ++got[member];
    }
    EXPECT_EQ(got[0], 50);
}

TEST(GroupTurns, WhoWasAwayGetsItsShareFromThenOn) {
    GroupTurns turns(Strategy::weighted, {1, 1});
    for (int i = 0; i < 100; ++i) {
        turns.update(States{open, closed});
        ASSERT_TRUE(turns.may_take(0));
        turns.taken(0, 1);
    }
    const States all(2, open);
    std::vector<int> got(2);
    for (int i = 0; i < 10; ++i) {
        turns.update(all);
        const auto member = turn(turns, all);
        turns.taken(member, 1);
        ++got[member];
    }
    EXPECT_EQ(got[1], 5) << "not the hundred that the other took meanwhile";
}

TEST(GroupTurns, OneThatIsDueIsTriedWhateverItsTurn) {
    GroupTurns turns(Strategy::weighted, {1, 1});
    turns.update(States{due, open});
    turns.taken(0, 50);
    EXPECT_TRUE(turns.may_take(0));
    EXPECT_FALSE(turns.may_take(1));
    turns.update(States{closed, open});
    EXPECT_FALSE(turns.may_take(0));
    EXPECT_TRUE(turns.may_take(1));
}

}  // namespace
}  // namespace outpost::delivery

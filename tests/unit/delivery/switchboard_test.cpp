#include "delivery/switchboard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outpost::delivery {
namespace {

using ::testing::ElementsAre;
using enum MemberState;

/// Upstreams a 0, b 1, c 2; group all (a, b, c), way 3, kept 4, 5, 6.
config::Config sample(config::Strategy strategy = config::Strategy::failover) {
    config::Config config;
    for (const char* name : {"a", "b", "c"}) config.upstreams[name].name = name;
    config.groups["all"] = {"all", strategy, {{"a"}, {"b"}, {"c"}}};
    return config;
}

std::vector<WayIndex> lanes(Switchboard& board, PortIndex port, std::vector<MemberState> states) {
    std::vector<WayIndex> ways;
    for (const auto& lane : board.lanes(port, [&](PortIndex each) { return states[each]; }))
        ways.push_back(lane.way);
    return ways;
}

spool::QueueEntry entry(WayIndex way) {
    spool::QueueEntry result;
    result.way = way;
    return result;
}

TEST(Switchboard, MailThatIsKeptStaysWithItsUpstreamWhileThatWorks) {
    Switchboard board(sample());
    EXPECT_THAT(lanes(board, 0, {open, open, open}), ElementsAre(0, 3, 4));
    EXPECT_THAT(lanes(board, 1, {open, open, open}), ElementsAre(1, 5));
    EXPECT_THAT(lanes(board, 1, {closed, open, open}), ElementsAre(1, 3, 4, 5));
    EXPECT_THAT(lanes(board, 0, {open, closed, open}), ElementsAre(0, 3, 4, 5));
}

TEST(Switchboard, WhatOneCannotCarryGoesToTheNextUntilAllHaveRefused) {
    const Switchboard board(sample());
    spool::QueueEntry message = entry(3);
    for (const PortIndex port : {PortIndex{0}, PortIndex{1}}) {
        ASSERT_TRUE(board.has_others(message, port));
        spool::Requeue again = spool::unchanged(message);
        board.redirect(message, again, port, {.passed_on = true, .may_take_later = port == 0});
        EXPECT_EQ(again.way, 5 + port);
        message.way = *again.way;
        message.refusals = again.refusals;
    }
    EXPECT_FALSE(board.has_others(message, 2));
    EXPECT_EQ(message.refusals.temporary, 1);
    spool::Requeue again = spool::unchanged(message);
    again.next_attempt = message.next_attempt + std::chrono::hours(1);
    board.redirect(message, again, 2, {});
    EXPECT_EQ(again.way, 3) << "after the wait all may be asked again";
    EXPECT_EQ(again.refusals, spool::Refusals{});
}

TEST(Switchboard, InactiveUpstreamsAreNoAlternative) {
    auto config = sample();
    config.upstreams["b"].active = config.upstreams["c"].active = false;
    const Switchboard board(config);
    EXPECT_FALSE(board.has_others(entry(3), 0));
}

TEST(Switchboard, TheRestOfAMessageStaysWithWhoTookSome) {
    const Switchboard board(sample());
    spool::Requeue again;
    board.redirect(entry(3), again, 1, {.partly_delivered = true});
    EXPECT_EQ(again.way, 5);
}

TEST(Switchboard, ATroubleOfTheUpstreamChangesNoWay) {
    const Switchboard board(sample());
    spool::Requeue again;
    board.redirect(entry(3), again, 0, {});
    EXPECT_FALSE(again.way);
    board.redirect(entry(1), again, 1, {.partly_delivered = true});
    EXPECT_FALSE(again.way) << "no group, no choice";
}

}  // namespace
}  // namespace outpost::delivery

#include "delivery/places_in_line.hpp"

#include <gmock/gmock.h>

namespace outpost::delivery {
namespace {

using spool::QueueState;
using ::testing::ElementsAre;

spool::QueueEntry entry(std::uint64_t id, spool::WayIndex way = 0, std::uint8_t priority = 3,
                        QueueState state = QueueState::fresh) {
    spool::QueueEntry result;
    result.id = {id};
    result.way = way;
    result.priority = priority;
    result.state = state;
    return result;
}

TEST(PlacesInLine, CountsReadyMessagesOfTheWayThatGoBefore) {
    PlacesInLine line({{.way = 0, .priority = 3, .id = {30}},
                       {.way = 2, .priority = 3, .id = {31}},
                       {.way = 0, .priority = 1, .id = {40}},
                       {.way = 0, .priority = 3, .id = {20}}});
    for (const auto& each : {entry(10), entry(20), entry(25, 0, 3, QueueState::returned), entry(30),
                             entry(35), entry(38, 0, 1), entry(40, 0, 1), entry(50, 0, 5),
                             entry(5, 1), entry(6, 9), entry(1, 0, 3, QueueState::waiting),
                             entry(2, 0, 3, QueueState::in_flight), entry(31, 2), entry(3, 2)})
        line.look(each, false);
    // Before 30: 10, 20, 25 and those of priority 1. Before 40: 38. Before 20: 10, 38, 40.
    EXPECT_THAT(line.ahead(), ElementsAre(5, 1, 1, 3));
}

spool::QueueEntry of_account(std::uint32_t account, std::uint64_t id, spool::WayIndex way = 0) {
    spool::QueueEntry result = entry(id, way);
    result.account = account;
    return result;
}

TEST(PlacesInLine, WhatAnAccountsLimitKeepsBackGoesBeforeNoneOfOthers) {
    PlacesInLine line({{.way = 0, .priority = 3, .id = {30}},
                       {.way = 0, .priority = 3, .id = {31}, .held_account = 7}});
    for (const auto& each : {of_account(7, 10), of_account(7, 11, 1), of_account(8, 12),
                             of_account(9, 13), of_account(7, 31)})
        line.look(each, each.account != 8);
    // Before 30: 12. Before 31: what its account has, on whatever way: 10 and 11.
    EXPECT_THAT(line.ahead(), ElementsAre(1, 2));
}

}  // namespace
}  // namespace outpost::delivery

#include "delivery/ways.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outpost::delivery {
namespace {

using ::testing::ElementsAre;

/// Upstreams a 0, b 1, c 2, d 3; groups one (b, a) and two (c, a).
config::Config sample() {
    config::Config config;
    for (const char* name : {"a", "b", "c", "d"}) config.upstreams[name].name = name;
    config.groups["one"] = {"one", config::Strategy::failover, {{"b"}, {"a"}}};
    config.groups["two"] = {"two", config::Strategy::weighted, {{"c", 3}, {"a", 1}}};
    return config;
}

TEST(Ways, NumbersUpstreamsThenGroupsThenWhatIsKept) {
    const Ways ways(sample());
    EXPECT_EQ(ways.find("c"), 2);
    EXPECT_EQ(ways.find("two"), 5);
    EXPECT_FALSE(ways.find("three"));
    EXPECT_EQ(ways.kept(0, 1), 7);
    EXPECT_EQ(ways.kept(1, 0), 8);
    for (const WayIndex way : {WayIndex{5}, WayIndex{8}, WayIndex{9}}) {
        EXPECT_EQ(ways.group_of(way), 1U);
        EXPECT_EQ(ways.name(way), "two");
        EXPECT_THAT(ways.ports(way), ElementsAre(2, 0));
    }
    EXPECT_FALSE(ways.group_of(3));
    EXPECT_EQ(ways.name(3), "d");
    EXPECT_THAT(ways.ports(3), ElementsAre(3));
}

TEST(Ways, APortServesItsOwnWayAndThoseOfItsGroups) {
    const Ways ways(sample());
    std::vector<WayIndex> served;
    for (const auto& lane : ways.lanes(0)) served.push_back(lane.way);
    EXPECT_THAT(served, ElementsAre(0, 4, 6, 7, 5, 8, 9));
    EXPECT_EQ(ways.lanes(0)[1].member, 1U);
    EXPECT_EQ(ways.lanes(0)[2].kept_by, 0U);
    EXPECT_EQ(ways.lanes(3).size(), 1U);
}

TEST(Ways, CirclesJoinAllWhoShareMail) {
    const Ways ways(sample());
    EXPECT_THAT(ways.circle(0), ElementsAre(0, 1, 2)) << "b and c share through a";
    EXPECT_THAT(ways.circle(2), ElementsAre(0, 1, 2));
    EXPECT_THAT(ways.circle(3), ElementsAre(3));
}

}  // namespace
}  // namespace outpost::delivery

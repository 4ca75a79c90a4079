#include "delivery/partings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outpost::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Handle = spool::Queue::Handle;

constexpr base::MessageId id{7};

class PartingsTest : public ::testing::Test {
  protected:
    PartingsTest() {
        partings.add(id, {0, 1, 0});
        partings.add_entry(id, Handle{10}, 0);
        partings.add_entry(id, Handle{11}, 1);
    }
    Partings partings;
};

TEST_F(PartingsTest, AMessageOfOneWayNeedsNothing) {
    const base::MessageId other{8};
    EXPECT_TRUE(partings.share(other, Handle{1}).has(5));
    EXPECT_TRUE(partings.begin(other, Handle{1}));
    EXPECT_TRUE(partings.begin(other, Handle{1}));
    EXPECT_THAT(partings.end(other), IsEmpty());
}

TEST_F(PartingsTest, EachPartHasItsRecipients) {
    const Share share = partings.share(id, Handle{10});
    EXPECT_TRUE(share.has(0));
    EXPECT_FALSE(share.has(1));
    EXPECT_TRUE(share.has(2));
}

TEST_F(PartingsTest, OnePartAtATime) {
    EXPECT_TRUE(partings.begin(id, Handle{10}));
    EXPECT_FALSE(partings.begin(id, Handle{11}));
    EXPECT_THAT(partings.end(id), ElementsAre(Handle{11}));
    EXPECT_TRUE(partings.begin(id, Handle{11}));
}

TEST_F(PartingsTest, APartThatIsDoneLeavesTheOther) {
    ASSERT_TRUE(partings.begin(id, Handle{10}));
    ASSERT_FALSE(partings.begin(id, Handle{11}));
    const auto removal = partings.remove(id, Handle{10}, false);
    EXPECT_THAT(removal.waiting, ElementsAre(Handle{11}));
    EXPECT_THAT(removal.done, IsEmpty());
    EXPECT_FALSE(partings.share(id, Handle{11}).has(0)) << "still parted";
}

TEST_F(PartingsTest, AMessageThatIsDoneTakesAllPartsAlong) {
    ASSERT_TRUE(partings.begin(id, Handle{10}));
    const auto removal = partings.remove(id, Handle{10}, true);
    EXPECT_THAT(removal.done, ElementsAre(Handle{11}));
    EXPECT_TRUE(partings.share(id, Handle{11}).has(0)) << "forgotten";
}

}  // namespace
}  // namespace outpost::delivery

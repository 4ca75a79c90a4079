#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "spool_harness.hpp"

namespace outpost::spool {
namespace {

TEST(ReadEnvelopes, FromMemoryAndFromDiskWithoutTakingAnything) {
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    std::vector<base::MessageId> ids;
    std::vector<Sample> samples;
    for (std::uint64_t i = 0; i < 6; ++i) {
        // The last has an envelope that one small read does not hold.
        samples.push_back(make_sample(i, 500, i == 5 ? 200 : 1 + i));
        ids.push_back(harness.spool().next_id());
        ASSERT_TRUE(harness.store(ids.back(), samples.back()));
    }
    // A read takes it out of memory.
    ASSERT_TRUE(harness.read(ids[1]));
    ASSERT_TRUE(harness.read(ids[5]));
    ids.push_back(harness.spool().next_id());
    for (int turn = 0; turn < 2; ++turn) {
        const auto envelopes = harness.read_envelopes(ids);
        ASSERT_EQ(envelopes.size(), ids.size());
        for (std::size_t i = 0; i < samples.size(); ++i) {
            ASSERT_TRUE(envelopes[i]) << i;
            EXPECT_EQ(*envelopes[i], samples[i].envelope) << i;
        }
        EXPECT_FALSE(envelopes.back()) << "there is no such message";
    }
}

TEST(ReadEnvelopes, OfAnotherLifeAndNotOfFinishedMessages) {
    FaultyFiles disk;
    const Sample sample = make_sample(1, 300, 2);
    std::vector<base::MessageId> ids;
    {
        Harness harness;
        ASSERT_TRUE(harness.start(disk));
        for (int i = 0; i < 2; ++i) {
            ids.push_back(harness.spool().next_id());
            ASSERT_TRUE(harness.store(ids.back(), sample));
        }
        harness.spool().record(ids[0], done_state(2));
    }
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const auto envelopes = harness.read_envelopes(ids);
    EXPECT_FALSE(envelopes[0]);
    ASSERT_TRUE(envelopes[1]);
    EXPECT_EQ(*envelopes[1], sample.envelope);
}

}  // namespace
}  // namespace outpost::spool

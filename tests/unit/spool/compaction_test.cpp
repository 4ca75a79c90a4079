// What compaction and the removal of segments must never do: lose a message, forget how far its
// delivery went, or bring a finished one back.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "scenario.hpp"

namespace outpost::spool {
namespace {

class CompactionTest : public testing::Test {
  protected:
    CompactionTest() { EXPECT_TRUE(harness.start(disk)); }

    base::MessageId store(std::size_t size) {
        const auto id = harness.spool().next_id();
        samples[id] = make_sample(samples.size() + 1, size);
        EXPECT_TRUE(harness.store(id, samples[id]));
        return id;
    }
    void finish(base::MessageId id) { harness.spool().record(id, done_state(1)); }
    bool wait_until_gone(const std::string& segment) {
        return disk.wait_until(
            [&] { return !disk.content("/spool/segments/" + segment).has_value(); });
    }
    /// Fills the segment that is written to with dead mail, so that another begins.
    void begin_new_segment() {
        const auto before = disk.names("/spool/segments").back();
        while (disk.names("/spool/segments").back() <= before) finish(store(2000));
    }

    FaultyFiles disk;
    Harness harness;
    std::map<base::MessageId, Sample> samples;
};

TEST_F(CompactionTest, MovesALiveMessageWithItsStateAndRemovesTheSegment) {
    const auto live = store(500);
    harness.spool().record(live, pending_state(1, 3));
    begin_new_segment();
    ASSERT_TRUE(wait_until_gone("00000001.log"));
    EXPECT_EQ(harness.compare(live, samples[live]), "");
    EXPECT_EQ(harness.read(live)->state, pending_state(1, 3));
    const auto after = disk.after_power_cut(1);
    Harness restarted;
    ASSERT_TRUE(restarted.start(*after));
    ASSERT_TRUE(restarted.recovered().contains(live));
    EXPECT_EQ(restarted.compare(live, samples[live]), "");
    EXPECT_EQ(restarted.read(live)->state, pending_state(1, 3));
}

TEST_F(CompactionTest, WhatTheOperatorDecidedMovesAlong) {
    const auto live = store(500);
    harness.spool().record(live, decided_state(1, 3));
    begin_new_segment();
    ASSERT_TRUE(wait_until_gone("00000001.log"));
    harness.stop();
    ASSERT_TRUE(harness.start(disk));
    EXPECT_EQ(harness.read(live)->state, decided_state(1, 3));
    EXPECT_TRUE(harness.recovered().at(live).decided);
    EXPECT_EQ(harness.recovered().at(live).priority, 1);
}

TEST_F(CompactionTest, KeepsAStateThatStandsBeforeItsMovedMessage) {
    // The message moves from segment 1 behind its state, which stays in segment 2.
    const auto live = store(500);
    begin_new_segment();
    const auto keeper = store(12'000);  // keeps segment 2 from being compacted
    harness.spool().record(live, pending_state(1, 3));
    ASSERT_TRUE(wait_until_gone("00000001.log"));
    harness.stop();
    ASSERT_TRUE(harness.start(disk));
    EXPECT_EQ(harness.read(live)->state, pending_state(1, 3));
    EXPECT_EQ(harness.recovered().at(live).attempts, 3);
    EXPECT_EQ(harness.compare(keeper, samples[keeper]), "");
}

TEST_F(CompactionTest, MovesTheRecordOfALargeMessage) {
    const Sample large = make_sample(77, 50'000);
    const auto id = harness.spool().next_id();
    ASSERT_TRUE(harness.store_large(id, large));
    begin_new_segment();
    ASSERT_TRUE(wait_until_gone("00000001.log"));
    EXPECT_EQ(harness.compare(id, large), "");
    harness.stop();
    ASSERT_TRUE(harness.start(disk));
    EXPECT_EQ(harness.compare(id, large), "");
}

TEST_F(CompactionTest, ADoneRecordOutlivesTheRecordThatItTakesBack) {
    const auto keeper = store(12'000);  // segment 1 stays, and with it the record of `finished`
    const auto finished = store(300);
    begin_new_segment();
    finish(finished);  // somewhere in segment 2 or later
    for (int i = 0; i < 5; ++i) begin_new_segment();
    // Everything but the done record is dead there: it is moved on and on.
    ASSERT_TRUE(wait_until_gone("00000002.log"));
    EXPECT_TRUE(disk.content("/spool/segments/00000001.log").has_value());
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto after = disk.after_power_cut(seed);
        Harness restarted;
        ASSERT_TRUE(restarted.start(*after));
        EXPECT_FALSE(restarted.recovered().contains(finished));
        EXPECT_EQ(restarted.compare(keeper, samples[keeper]), "");
    }
    // When the old record goes, the done record need not be moved any more.
    finish(keeper);
    for (int i = 0; i < 2; ++i) begin_new_segment();
    EXPECT_TRUE(disk.wait_until([&] { return disk.names("/spool/segments").size() <= 3; }));
}

TEST_F(CompactionTest, ADoneRecordGoesOnlyWhenTheRemovalOfItsMessageIsDurable) {
    const auto keeper = store(12'000);
    const auto finished = store(300);
    begin_new_segment();
    const auto other_keeper = store(12'000);  // segment 2 is not compacted
    finish(finished);
    begin_new_segment();
    finish(keeper);
    finish(other_keeper);
    ASSERT_TRUE(wait_until_gone("00000001.log"));
    ASSERT_TRUE(wait_until_gone("00000002.log"));
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto after = disk.after_power_cut(seed);
        Harness restarted;
        ASSERT_TRUE(restarted.start(*after));
        EXPECT_FALSE(restarted.recovered().contains(finished));
    }
}

TEST_F(CompactionTest, ADoneRecordOutlivesBothRecordsOfAMovedMessage) {
    disk.fail_removals_of("00000001.log");  // so the record that was moved away stays
    const auto moved = store(500);
    begin_new_segment();
    ASSERT_TRUE(disk.wait_until([&] { return disk.removals_failed() > 0; }));
    finish(moved);
    for (int i = 0; i < 6; ++i) begin_new_segment();
    ASSERT_TRUE(disk.wait_until([&] {
        const auto names = disk.names("/spool/segments");
        return std::ranges::count_if(names, [](const auto& n) { return n.ends_with(".log"); }) <= 3;
    }));
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto after = disk.after_power_cut(seed);
        Harness restarted;
        ASSERT_TRUE(restarted.start(*after));
        EXPECT_FALSE(restarted.recovered().contains(moved));
    }
}

/// Random work, with restarts and power cuts in between, against the ledger.
class RandomWork {
  public:
    explicit RandomWork(std::uint64_t seed) : random_(seed) {}

    std::string run() {
        auto disk = std::make_unique<FaultyFiles>();
        for (int life = 0; life < 6; ++life) {
            Harness harness;
            if (auto started = harness.start(*disk); !started) return started.error();
            if (auto broken = ledger_.check(harness); !broken.empty())
                return "life " + std::to_string(life) + ":\n" + broken;
            if (random_() % 2 == 0) disk->lose_power_at(disk->calls() + 20 + random_() % 300);
            for (int step = 0; step < 150 && !disk->power_lost(); ++step) act(*disk, harness);
            harness.stop();
            disk->lose_power_at(0);
            if (!disk->power_lost()) ledger_.stopped();
            ledger_.restarted();
            if (disk->power_lost()) disk = disk->after_power_cut(random_());
        }
        return {};
    }

  private:
    void act(FaultyFiles& disk, Harness& harness) {
        const auto dice = random_() % 10;
        if (dice < 5 || live_.empty()) {
            const auto id = base::MessageId{++last_id_};
            const bool large = random_() % 20 == 0;
            const Sample sample = make_sample(last_id_, 50 + random_() % 4000);
            ledger_.offered(id, sample, large);
            const auto stored = large ? harness.store_large(id, sample) : harness.store(id, sample);
            if (!stored && disk.power_lost()) return;
            ledger_.answered(id, stored);
            if (stored) live_.push_back(id);
            return;
        }
        const std::size_t index = random_() % live_.size();
        const auto id = live_[index];
        const bool finish = dice < 9;
        const auto state =
            finish ? done_state(1) : pending_state(1, static_cast<std::uint8_t>(random_() % 200));
        ledger_.recorded(id, state);
        harness.spool().record(id, state);
        if (finish) live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(index));
    }

    std::mt19937_64 random_;
    Ledger ledger_;
    std::vector<base::MessageId> live_;
    std::uint64_t last_id_ = 1'000'000;
};

TEST(Compaction, KeepsAllPromisesUnderRandomWork) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed)
        ASSERT_EQ(RandomWork(seed).run(), "") << "seed " << seed;
}

}  // namespace
}  // namespace outpost::spool

// S4: a disk that is full or broken, at every single call of a scenario.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "scenario.hpp"

namespace outpost::spool {
namespace {

constexpr std::uint64_t for_good = 1'000'000;

std::string restart_and_check(FaultyFiles& disk, const Ledger& ledger, bool refused_may_return) {
    Harness harness;
    if (auto started = harness.start(disk); !started) return started.error();
    return ledger.check(harness, refused_may_return);
}

/// Fails `times` calls from every call of the scenario on, and then looks, after a stop, a kill and
/// power cuts, for broken promises.
void try_every_call(int code, std::uint64_t times) {
    std::uint64_t calls = 0;
    {
        FaultyFiles disk;
        Ledger ledger;
        run_scenario(disk, ledger);
        calls = disk.calls();
    }
    for (std::uint64_t call = 5; call <= calls; ++call) {  // the first make the directories
        FaultyFiles disk;
        disk.fail_at(call, code, times);
        Ledger ledger;
        run_scenario(disk, ledger, false);
        // A disk that takes nothing any more does not take back what was refused either.
        const bool dead = times == for_good;
        const auto killed = disk.after_kill();
        ASSERT_EQ(restart_and_check(*killed, ledger, dead), "") << "killed, call " << call;
        for (std::uint64_t seed = 0; seed < 3; ++seed) {
            const auto cut = disk.after_power_cut(call * 100 + seed);
            ASSERT_EQ(restart_and_check(*cut, ledger, dead), "")
                << "call " << call << ", seed " << seed;
        }
    }
}

TEST(DiskError, OneEioAtAnyCallBreaksNoPromise) {
    try_every_call(EIO, 1);
}
TEST(DiskError, TwoEioAtAnyCallBreakNoPromise) {
    try_every_call(EIO, 2);
}
TEST(DiskError, ADiskThatDiesAtAnyCallBreaksNoPromise) {
    try_every_call(EIO, for_good);
}
TEST(DiskError, OneEnospcAtAnyCallBreaksNoPromise) {
    try_every_call(ENOSPC, 1);
}
TEST(DiskError, ADiskFullFromAnyCallOnBreaksNoPromise) {
    try_every_call(ENOSPC, for_good);
}

class DiskErrorTest : public testing::Test {
  protected:
    DiskErrorTest() {
        EXPECT_TRUE(harness.start(disk));
        id = harness.spool().next_id();
        EXPECT_TRUE(harness.store(id, sample));
    }
    Harness::Stored store_another() {
        refused = harness.spool().next_id();
        return harness.store(refused, sample);
    }
    bool found_after_power_cut(base::MessageId wanted, std::uint64_t seed) {
        const auto after = disk.after_power_cut(seed);
        Harness restarted;
        EXPECT_TRUE(restarted.start(*after));
        return restarted.recovered().contains(wanted);
    }

    FaultyFiles disk;
    Harness harness;
    const Sample sample = make_sample(1, 1000, 1);
    base::MessageId id;
    base::MessageId refused;
};

TEST_F(DiskErrorTest, AFailedSyncStopsAcceptanceUntilARestart) {
    disk.fail_only("sync");
    disk.fail_at(1, EIO);
    const auto stored = store_another();
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().kind, StoreFailure::Kind::fail_stop);
    EXPECT_FALSE(harness.spool().health().accepting);
    EXPECT_EQ(harness.spool().health().kind, StoreFailure::Kind::fail_stop);
    EXPECT_THAT(harness.spool().health().reason, testing::HasSubstr("segments/00000001.log"));
    // The disk works again, but that proves nothing.
    const auto later = store_another();
    ASSERT_FALSE(later);
    EXPECT_EQ(later.error().kind, StoreFailure::Kind::fail_stop);
    EXPECT_FALSE(harness.await(harness.spool().begin_large(harness.spool().next_id())));
    harness.stop();
    ASSERT_TRUE(harness.start(disk));
    EXPECT_TRUE(harness.spool().health().accepting);
    EXPECT_TRUE(store_another());
    EXPECT_EQ(harness.compare(id, sample), "");
}

TEST_F(DiskErrorTest, WhatAFailedSyncRefusedDoesNotComeBack) {
    for (std::uint64_t times = 1; times <= 2; ++times) {  // 2: cutting it off fails as well
        disk.fail_only("sync");
        disk.fail_at(1, EIO, times);
        ASSERT_FALSE(store_another());
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            EXPECT_TRUE(found_after_power_cut(id, seed));
            EXPECT_FALSE(found_after_power_cut(refused, seed)) << times << " seed " << seed;
        }
        harness.stop();
        ASSERT_TRUE(harness.start(disk));
        EXPECT_FALSE(harness.recovered().contains(refused));
    }
}

TEST_F(DiskErrorTest, DeliveryGoesOnAfterAFailStopAndItsOutcomesAreKept) {
    const auto other = harness.spool().next_id();
    ASSERT_TRUE(harness.store(other, sample));
    disk.fail_only("sync");
    disk.fail_at(1, EIO);
    ASSERT_FALSE(store_another());
    ASSERT_TRUE(harness.read(id));
    harness.spool().record(id, done_state(1));
    harness.spool().record(other, pending_state(1, 4));
    EXPECT_FALSE(harness.read(id));
    EXPECT_EQ(harness.read(other)->state, pending_state(1, 4));
    harness.stop();
    ASSERT_TRUE(harness.start(disk));
    EXPECT_FALSE(harness.recovered().contains(id));
    EXPECT_EQ(harness.recovered().at(other).attempts, 4);
}

TEST_F(DiskErrorTest, RemembersOutcomesWhileTheDiskTakesNothing) {
    disk.fail_at(disk.calls() + 1, EIO, for_good);
    ASSERT_FALSE(store_another());
    harness.spool().record(id, done_state(1));
    EXPECT_FALSE(harness.read(id));
}

TEST_F(DiskErrorTest, AFullDiskRefusesAndAcceptsAgainByItself) {
    disk.set_free_space(0);
    disk.fail_only("write");
    disk.fail_at(1, ENOSPC);
    const auto stored = store_another();
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().kind, StoreFailure::Kind::no_space);
    EXPECT_EQ(harness.spool().health().kind, StoreFailure::Kind::no_space);
    EXPECT_FALSE(store_another());  // not even tried
    EXPECT_EQ(disk.calls(), 1U);
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        EXPECT_FALSE(found_after_power_cut(refused, seed));
    disk.set_free_space(1 << 30);
    ASSERT_TRUE(disk.wait_until([&] { return harness.spool().health().accepting; }));
    ASSERT_TRUE(store_another());
    for (std::uint64_t seed = 0; seed < 20; ++seed)
        EXPECT_TRUE(found_after_power_cut(refused, seed));
}

TEST_F(DiskErrorTest, AFullDiskThatCannotBeUndoneIsAFailStop) {
    disk.fail_at(disk.calls() + 1, ENOSPC, 2);  // the write, and the cut after it
    const auto stored = store_another();
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().kind, StoreFailure::Kind::fail_stop);
}

TEST_F(DiskErrorTest, OutcomesThatAFullDiskRefusedAreStoredLater) {
    disk.fail_only("write");
    disk.fail_at(1, ENOSPC, 3);
    harness.spool().record(id, done_state(1));
    EXPECT_TRUE(disk.wait_until([&] { return !found_after_power_cut(id, 3); }));
}

TEST_F(DiskErrorTest, RemovesDeadSegmentsThoughAFullDiskTakesNoDoneRecord) {
    Options options = small_segments();
    options.min_free = 1;
    harness.stop();
    ASSERT_TRUE(harness.start(disk, options));
    for (int i = 0; i < 20; ++i) {
        ASSERT_TRUE(store_another());
        harness.spool().record(refused, pending_state(1, 1));
    }
    ASSERT_TRUE(
        disk.wait_until([&] { return disk.content("/spool/segments/00000001.idx").has_value(); }));
    const auto last = harness.spool().next_id();
    ASSERT_TRUE(harness.store(last, sample));
    disk.set_free_space(0);
    ASSERT_TRUE(disk.wait_until([&] { return !harness.spool().health().accepting; }));
    disk.fail_only("write");
    disk.fail_at(1, ENOSPC, for_good);
    for (base::MessageId done = id; done < last; ++done.value)
        harness.spool().record(done, done_state(1));
    EXPECT_TRUE(disk.wait_until([&] { return !disk.content("/spool/segments/00000001.log"); }));
}

TEST_F(DiskErrorTest, ALargeMessageThatDoesNotFitLeavesNothing) {
    for (const char* call : {"create", "write"}) {
        disk.set_free_space(0);
        disk.fail_only(call);
        disk.fail_at(1, ENOSPC);
        const auto stored = harness.store_large(harness.spool().next_id(), make_sample(2, 50'000));
        ASSERT_FALSE(stored);
        EXPECT_EQ(stored.error().kind, StoreFailure::Kind::no_space) << call;
        EXPECT_TRUE(disk.wait_until([&] { return disk.names("/spool/large").empty(); }));
        disk.set_free_space(1 << 30);
        ASSERT_TRUE(disk.wait_until([&] { return harness.spool().health().accepting; }));
    }
}

TEST_F(DiskErrorTest, AFailedSyncOfALargeFileIsAFailStop) {
    disk.fail_only("sync");
    disk.fail_at(1, EIO);
    const auto stored = harness.store_large(harness.spool().next_id(), make_sample(2, 50'000));
    ASSERT_FALSE(stored);
    EXPECT_EQ(stored.error().kind, StoreFailure::Kind::fail_stop);
    EXPECT_EQ(harness.compare(id, sample), "");
}

}  // namespace
}  // namespace outpost::spool

// S1 and S2: the power goes at every single call of a scenario that changes the disk, and what was
// not synced is lost, torn or kept at random.
#include <gtest/gtest.h>

#include "scenario.hpp"

namespace outpost::spool {
namespace {

constexpr std::uint64_t seeds = 6;

/// Calls that the scenario makes when nothing goes wrong. It varies a little from run to run with
/// what meets in one commit.
std::uint64_t calls_of_scenario() {
    FaultyFiles disk;
    Ledger ledger;
    run_scenario(disk, ledger);
    return disk.calls() + 10;
}

std::string restart_and_check(FaultyFiles& disk, const Ledger& ledger) {
    Harness harness;
    if (auto started = harness.start(disk); !started) return started.error();
    return ledger.check(harness);
}

TEST(PowerCut, AnUndisturbedScenarioKeepsAllPromises) {
    FaultyFiles disk;
    Ledger ledger;
    run_scenario(disk, ledger);
    EXPECT_EQ(restart_and_check(*disk.after_power_cut(1), ledger), "");
    EXPECT_EQ(restart_and_check(disk, ledger), "");
}

TEST(PowerCut, LosesNothingAcknowledgedAtAnyCall) {
    const std::uint64_t calls = calls_of_scenario();
    ASSERT_GT(calls, 100U);
    for (std::uint64_t call = 1; call <= calls; ++call) {
        FaultyFiles disk;
        disk.lose_power_at(call);
        Ledger ledger;
        run_scenario(disk, ledger);
        for (std::uint64_t seed = 0; seed < seeds; ++seed) {
            const auto after = disk.after_power_cut(call * 1000 + seed);
            ASSERT_EQ(restart_and_check(*after, ledger), "")
                << "call " << call << ", seed " << seed;
        }
        const auto after = disk.after_kill();
        ASSERT_EQ(restart_and_check(*after, ledger), "") << "kill at call " << call;
    }
}

TEST(PowerCut, LosesNothingWhenItHappensAgainDuringRecovery) {
    const std::uint64_t calls = calls_of_scenario();
    for (std::uint64_t call = 7; call <= calls; call += 5) {
        FaultyFiles disk;
        disk.lose_power_at(call);
        Ledger ledger;
        run_scenario(disk, ledger);
        for (std::uint64_t again = 1; again < 60; ++again) {
            const auto first = disk.after_power_cut(call);
            first->lose_power_at(again);
            {
                Harness harness;
                (void)harness.start(*first);
            }
            const bool lost = first->power_lost();
            const auto second = first->after_power_cut(call + again);
            ASSERT_EQ(restart_and_check(*second, ledger), "") << call << ", then " << again;
            if (!lost) break;
        }
    }
}

TEST(PowerCut, AfterAKillActsOnNothingThatIsNotDurable) {
    // A done record in the page cache of a killed process: once the restarted spool has let the
    // message go, the power may fail, and the message must not come back.
    FaultyFiles disk;
    Harness harness;
    ASSERT_TRUE(harness.start(disk));
    const auto id = harness.spool().next_id();
    ASSERT_TRUE(harness.store(id, make_sample(1, 100)));
    disk.fail_only("sync");
    disk.lose_power_at(1);
    harness.spool().record(id, done_state(1));
    ASSERT_TRUE(disk.wait_until([&] { return disk.power_lost(); }));
    const auto killed = disk.after_kill();
    Harness restarted;
    ASSERT_TRUE(restarted.start(*killed));
    ASSERT_TRUE(restarted.recovered().empty());
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const auto cut = killed->after_power_cut(seed);
        Harness again;
        ASSERT_TRUE(again.start(*cut));
        EXPECT_TRUE(again.recovered().empty());
    }
}

}  // namespace
}  // namespace outpost::spool

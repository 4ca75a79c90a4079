#include "limit/counter_state.hpp"

#include <gtest/gtest.h>

#include "limit/test_time.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

constexpr base::MonoTime mono{1000h};
const base::WallTime wall = utc(2026, 11, 23, 12);

CounterState sample() {
    CounterState state{wall, mono, "boot-1", {}, {}, {}, {}, {5, 4, 1ULL << 40}};
    state.entries = {{mono - 2h, mono - 1h, {1, 2, 3}}, {mono - 1s, mono - 1s, {300, 1, 70000}}};
    state.hours = {{{wall - 1h, wall}, 6, 0, 80}, {{wall, wall + 1h}, 7, 8, 100}};
    state.months = {{{utc(2026, 11, 1), utc(2026, 12, 1)}, 1ULL << 50, 0, 0}};
    return state;
}

TEST(CounterState, ReadsWhatItWrote) {
    EXPECT_EQ(decode(encode(sample())), sample());
    EXPECT_EQ(decode(encode(CounterState{})), CounterState{});
}

TEST(CounterState, NoticesAnyDamage) {
    const std::string sound = encode(sample());
    for (std::size_t i = 0; i < sound.size(); ++i) {
        std::string damaged = sound;
        damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
        EXPECT_FALSE(decode(damaged)) << i;
        EXPECT_FALSE(decode(sound.substr(0, i))) << i;
    }
    EXPECT_EQ(decode("").error(), "it has only 0 octets");
    EXPECT_EQ(decode(std::string(40, 'x')).error(), "its checksum is wrong: it is damaged");
    EXPECT_FALSE(decode(sound + "x"));
}

TEST(CounterState, WithinOneBootTheClockThatCannotBeSetCounts) {
    for (const auto set : {-24h, 24h}) {
        const auto entries = entries_since(sample(), "boot-1", wall + set, mono + 10s);
        ASSERT_EQ(entries.size(), 2U);
        EXPECT_EQ(entries[1].last, mono - 1s);
        EXPECT_EQ(entries[0].first, mono - 2h);
    }
}

TEST(CounterState, AfterARebootTheWallClockCounts) {
    constexpr base::MonoTime since_boot{5s};
    for (const char* boot : {"boot-2", ""}) {
        const auto entries = entries_since(sample(), boot, wall + 10min, since_boot);
        ASSERT_EQ(entries.size(), 2U);
        EXPECT_EQ(entries[1].last, since_boot - 10min - 1s + 1ms) << "rounded to the safe side";
    }
    CounterState unknown = sample();
    unknown.boot_id.clear();
    EXPECT_EQ(entries_since(unknown, "", wall + 10min, mono)[1].last, mono - 10min - 1s + 1ms);
    // A clock that has gone back: as if no time had passed.
    EXPECT_EQ(entries_since(sample(), "boot-2", wall - 1h, since_boot)[1].last, since_boot - 1s);
    // What is older than any period is left out, however far the clock has jumped.
    EXPECT_TRUE(entries_since(sample(), "boot-2", wall + 24h * 36500, since_boot).empty());
}

}  // namespace
}  // namespace outpost::limit

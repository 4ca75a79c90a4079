#include "delivery/pace.hpp"

#include <gtest/gtest.h>

namespace outpost::delivery {
namespace {

using namespace std::chrono_literals;
using base::MonoTime;

constexpr MonoTime t0{std::chrono::hours(1000)};

/// Starts attempts of one recipient, as many as the pace allows but at most `most` a second.
/// Returns how many there were.
int send_for(Pace& pace, MonoTime& now, std::chrono::milliseconds time, int most = 1000) {
    int sent = 0;
    const auto gap = std::chrono::milliseconds(1000 / most);
    for (const MonoTime end = now + time; now < end; now += gap) {
        if (pace.next_start(now) > now) continue;
        pace.started(1, now);
        pace.succeeded(now);
        ++sent;
    }
    return sent;
}

TEST(Pace, AnUpstreamThatNeverPushesBackIsNeverPaced) {
    Pace pace(20);
    MonoTime now = t0;
    EXPECT_EQ(send_for(pace, now, 10s), 10'000);
    EXPECT_FALSE(pace.per_second(now));
    EXPECT_EQ(pace.concurrency(), 20U);
}

TEST(Pace, AThrottleHalvesTheSpeed) {
    Pace pace(20);
    MonoTime now = t0;
    send_for(pace, now, 30s, 100);
    pace.throttled(now);
    ASSERT_TRUE(pace.per_second(now));
    EXPECT_NEAR(*pace.per_second(now), 50, 2);
    EXPECT_EQ(pace.concurrency(), 10U);
    EXPECT_NEAR(send_for(pace, now, 9s), 9 * 50, 25);
}

TEST(Pace, ABurstIsMeasuredByItsOwnSpeed) {
    for (const auto pause : {0s, 60s}) {  // at the start, and after a while without mail
        Pace pace(20);
        MonoTime now = t0;
        send_for(pace, now, pause, 1);
        now += pause;
        send_for(pace, now, 500ms, 100);
        pace.throttled(now);
        EXPECT_GE(*pace.per_second(now), 15) << pause.count();
        EXPECT_LE(*pace.per_second(now), 55) << pause.count();
    }
}

TEST(Pace, EachThrottleHalvesItAgainDownToAFloor) {
    Pace pace(20);
    MonoTime now = t0;
    send_for(pace, now, 30s, 100);
    for (const double expected : {50.0, 25.0, 12.5}) {
        pace.throttled(now);
        EXPECT_NEAR(*pace.per_second(now), expected, 1);
    }
    for (int i = 0; i < 20; ++i) pace.throttled(now);
    EXPECT_EQ(pace.per_second(now), 1.0);
    EXPECT_EQ(pace.concurrency(), 1U);
}

TEST(Pace, SpeedComesBackBySmallEqualStepsAndTheBrakeIsLetGo) {
    Pace pace(20);
    MonoTime now = t0;
    send_for(pace, now, 30s, 100);
    pace.throttled(now);
    const double after = *pace.per_second(now);
    send_for(pace, now, 10s);
    const double first = *pace.per_second(now) - after;
    send_for(pace, now, 10s);
    const double second = *pace.per_second(now) - after - first;
    EXPECT_NEAR(first, 5, 0.5) << "a twentieth of the speed that was too much";
    EXPECT_DOUBLE_EQ(first, second);
    send_for(pace, now, 280s);
    EXPECT_FALSE(pace.per_second(now));
    EXPECT_EQ(pace.concurrency(), 20U);
}

TEST(Pace, APauseOfTheUpstreamWinsNothingBack) {
    Pace pace(20);
    MonoTime now = t0;
    send_for(pace, now, 30s, 100);
    pace.throttled(now);
    const double after = *pace.per_second(now);
    now += 15min;
    pace.resumed(now);
    EXPECT_EQ(pace.per_second(now), after);
}

TEST(Pace, PacedMailIsSpreadEvenly) {
    Pace pace(20);
    MonoTime now = t0;
    send_for(pace, now, 30s, 100);
    pace.throttled(now);
    now += 5s;  // unused time is not caught up with
    EXPECT_LE(send_for(pace, now, 100ms), 12);
}

TEST(Pace, AMessageToManyTakesItsTime) {
    Pace pace(20);
    MonoTime now = t0;
    send_for(pace, now, 30s, 100);
    pace.throttled(now);
    pace.started(100, now);
    EXPECT_NEAR(std::chrono::duration<double>(pace.next_start(now) - now).count(), 2, 0.2);
}

TEST(Pace, OneDroppedConnectionIsNoPushBack) {
    Pace pace(20);
    pace.dropped(t0);
    EXPECT_EQ(pace.concurrency(), 20U);
    pace.dropped(t0 + 2h);
    EXPECT_EQ(pace.concurrency(), 20U);
    EXPECT_FALSE(pace.per_second(t0 + 2h));
}

TEST(Pace, ConnectionsDroppedAgainAndAgainMeanFewerAtOnce) {
    Pace pace(20);
    pace.dropped(t0);
    pace.dropped(t0 + 5s);
    EXPECT_EQ(pace.concurrency(), 10U);
    pace.dropped(t0 + 10s);
    EXPECT_EQ(pace.concurrency(), 5U);
    for (int i = 0; i < 6; ++i) pace.succeeded(t0 + 11s);
    EXPECT_EQ(pace.concurrency(), 6U) << "a round of successes wins one back";
}

TEST(Pace, AnUpstreamOfOneAtATimeStaysUsable) {
    Pace pace(1);
    pace.throttled(t0);
    pace.throttled(t0);
    EXPECT_EQ(pace.concurrency(), 1U);
    MonoTime now = t0;
    EXPECT_GE(send_for(pace, now, 9s), 8);
}

}  // namespace
}  // namespace outpost::delivery

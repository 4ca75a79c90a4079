#include "limit/counter.hpp"

#include <gtest/gtest.h>

#include "limit/test_time.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using For = Wait::For;

Limits limits(const std::vector<const char*>& rates, std::optional<std::uint64_t> hourly = {},
              std::optional<std::uint64_t> daily = {}) {
    Limits made;
    for (const char* rate : rates) made.rates.push_back(parse_rate(rate).value());
    made.quota.hourly = hourly;
    made.quota.daily = daily;
    return made;
}

/// A counter with a clock, whose store always says yes.
struct Subject {
    explicit Subject(Limits made) : counter("upstream/a", std::move(made), clock.at()) {}

    Answer take(const Ask& ask) { return take_supplied(counter, ask, clock.at()); }
    std::uint32_t send(const Ask& ask) {
        const Answer answer = take(ask);
        const Usage permit{answer.recipients, ask.messages, ask.octets};
        if (answer.recipients > 0) counter.settle(permit, permit, clock.at());
        return answer.recipients;
    }
    base::WallTime now() { return clock.at().wall; }

    FakeClock clock;
    Counter counter;
};

Ask ask(std::uint32_t recipients, std::uint64_t octets = 0) {
    return {.recipients = recipients, .octets = octets};
}
Ask parts(std::uint32_t recipients) {
    return {.recipients = recipients, .divisible = true};
}

TEST(Counter, WithoutLimitsEverythingMayGo) {
    Subject subject({});
    EXPECT_FALSE(subject.counter.lease_request(subject.clock.at()));
    EXPECT_EQ(subject.counter.take(ask(1'000'000, 1ULL << 40), subject.clock.at()).recipients,
              1'000'000U);
    EXPECT_TRUE(subject.counter.levels(subject.clock.at()).empty());
}

TEST(Counter, ARateHoldsInAnyWindow) {
    Subject subject(limits({"3/s"}));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(subject.send(ask(1)), 1U);
    const Answer answer = subject.take(ask(1));
    EXPECT_EQ(answer.recipients, 0U);
    EXPECT_EQ(answer.wait.what, For::rate);
    EXPECT_EQ(subject.counter.describe(answer.wait), "rate 3/s");
    EXPECT_EQ(answer.wait.until, subject.now() + 1001ms) << "a window includes both its ends";
    subject.clock.advance(1s);
    EXPECT_EQ(subject.send(ask(1)), 0U);
    subject.clock.advance(1ms);
    EXPECT_EQ(subject.send(ask(1)), 1U);
}

TEST(Counter, APermitCountsUntilAPeriodAfterItsSettlement) {
    Subject subject(limits({"2/s"}));
    EXPECT_EQ(subject.take(ask(2)).recipients, 2U);
    subject.clock.advance(10s);
    EXPECT_EQ(subject.take(ask(1)).wait.what, For::rate) << "both are still in flight";
    subject.counter.settle({1, 1, 0}, {1, 1, 0}, subject.clock.at());
    subject.clock.advance(1s);
    EXPECT_EQ(subject.take(ask(1)).recipients, 0U);
    subject.clock.advance(1ms);
    EXPECT_EQ(subject.take(ask(1)).recipients, 1U);
}

TEST(Counter, WhatComesBackUnusedIsFreeAtOnce) {
    Subject subject(limits({"2/h"}, 2));
    EXPECT_EQ(subject.take(ask(2)).recipients, 2U);
    EXPECT_EQ(subject.take(ask(1)).recipients, 0U);
    subject.counter.settle({2, 1, 0}, {1, 1, 0}, subject.clock.at());
    EXPECT_EQ(subject.take(ask(1)).recipients, 1U);
    EXPECT_EQ(subject.take(ask(1)).recipients, 0U);
}

TEST(Counter, WhileAllIsInFlightItIsAskedAgainByAPeriodOrAnHour) {
    Subject second(limits({"2/s"}));
    EXPECT_EQ(second.take(ask(2)).recipients, 2U);
    EXPECT_EQ(second.take(ask(1)).wait.until, second.now() + 1s);
    Subject day(limits({"2/d"}));
    EXPECT_EQ(day.take(ask(2)).recipients, 2U);
    EXPECT_EQ(day.take(ask(1)).wait.until, day.now() + 1h);
}

TEST(Counter, ADivisibleAskGetsWhatIsLeft) {
    Subject subject(limits({"10/m"}, {}, 15));
    EXPECT_EQ(subject.send(parts(7)), 7U);
    EXPECT_EQ(subject.send(ask(4)), 0U) << "whole or not at all";
    EXPECT_EQ(subject.send(parts(7)), 3U);
    EXPECT_EQ(subject.take(parts(7)).wait.what, For::rate);
    subject.clock.advance(61s);
    EXPECT_EQ(subject.send(parts(7)), 5U) << "the quota";
    EXPECT_EQ(subject.take(parts(7)).wait.what, For::quota);
}

TEST(Counter, TheWholeAskOrABatchIsWaitedFor) {
    Subject subject(limits({"256/m"}));
    // Two a turn, every 234 ms, until the window is full.
    for (int i = 0; i < 128; ++i) {
        EXPECT_EQ(subject.send(ask(2)), 2U);
        subject.clock.advance(234ms);
    }
    const auto first_leaves = subject.now() - 128 * 234ms + 1min;
    const auto single = subject.take(parts(1)).wait.until - first_leaves;
    EXPECT_GT(single, 0ms);
    EXPECT_LE(single, 469ms) << "an entry spans 1/128 of the period at most";
    EXPECT_LE(subject.take(parts(100)).wait.until - first_leaves, 2 * 469ms);
    EXPECT_GT(subject.take(ask(100)).wait.until - first_leaves, 49 * 234ms) << "not divisible";
}

TEST(Counter, OctetsAreWholeOrNothing) {
    Subject subject(limits({"1000B/s", "5 messages/s"}));
    EXPECT_EQ(subject.send(ask(3, 600)), 3U);
    const Answer answer = subject.take({.recipients = 3, .octets = 401, .divisible = true});
    EXPECT_EQ(answer.recipients, 0U);
    EXPECT_EQ(subject.counter.describe(answer.wait), "rate 1000B/s");
    EXPECT_EQ(subject.send(ask(3, 400)), 3U);
    // Another transaction of a message that was counted before.
    EXPECT_EQ(subject.send({.recipients = 1, .messages = 0, .octets = 0}), 1U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(subject.send(ask(1, 0)), 1U);
    EXPECT_EQ(subject.counter.describe(subject.take(ask(1, 0)).wait), "rate 5 messages/s");
}

TEST(Counter, WhatNoLimitEverLetsThroughIsTooBig) {
    Subject subject(limits({"1000B/s", "10/m"}, {}, 8));
    const auto refusal = [&](const Ask& wanted) {
        const Answer answer = subject.take(wanted);
        EXPECT_EQ(answer.recipients, 0U);
        EXPECT_EQ(answer.wait.what, For::too_big);
        EXPECT_EQ(answer.wait.until, base::WallTime::max());
        return subject.counter.describe(answer.wait);
    };
    EXPECT_EQ(refusal(ask(1, 1001)), "more than rate 1000B/s ever lets through");
    EXPECT_EQ(refusal(ask(11)), "more than rate 10/m ever lets through");
    EXPECT_EQ(refusal(ask(9)), "more recipients than quota daily 8 ever lets through");
    EXPECT_EQ(subject.send(parts(11)), 8U);
}

TEST(Counter, LeavesFreeWhatIsHeldBack) {
    Subject subject(limits({"10/s"}, {}, 100));
    const auto bulk = [](std::uint32_t recipients) {
        return Ask{.recipients = recipients, .divisible = true, .held_back = 0.25};
    };
    EXPECT_EQ(subject.send(bulk(10)), 7U) << "a quarter of 10, rounded up, stays free";
    EXPECT_EQ(subject.send(bulk(1)), 0U);
    EXPECT_EQ(subject.send(parts(10)), 3U);
    for (int i = 0; i < 7; ++i) {
        subject.clock.advance(2s);
        EXPECT_EQ(subject.send(parts(10)), 10U);
    }
    subject.clock.advance(2s);
    EXPECT_EQ(subject.take(bulk(1)).wait.what, For::quota) << "80 of 100 are gone";
    EXPECT_EQ(subject.send(parts(10)), 10U);
}

TEST(Counter, WhatIsHeldBackNeverShutsAnythingOutForGood) {
    Subject subject(limits({"1/s", "1000B/s"}));
    EXPECT_EQ(subject.send({.octets = 950, .held_back = 0.1}), 1U);
    subject.clock.advance(2s);
    EXPECT_EQ(subject.send(ask(1, 1)), 1U);
    EXPECT_EQ(subject.send({.octets = 950, .held_back = 0.1}), 0U);
}

TEST(Counter, OfSeveralWaitsTheLatestCounts) {
    Subject subject(limits({"2/s", "2/m", "2/h"}));
    EXPECT_EQ(subject.send(ask(2)), 2U);
    const Answer answer = subject.take(ask(1));
    EXPECT_EQ(answer.wait.index, 2U);
    EXPECT_EQ(answer.wait.until, subject.now() + 1h + 1ms);
}

TEST(Counter, AQuotaEndsWithItsPeriod) {
    Subject subject(limits({}, 5));  // at noon
    EXPECT_EQ(subject.send(ask(5)), 5U);
    const Answer answer = subject.take(ask(1));
    EXPECT_EQ(answer.wait.what, For::quota);
    EXPECT_EQ(answer.wait.unit, CalendarUnit::hour);
    EXPECT_EQ(answer.wait.until, utc(2026, 11, 23, 13));
    EXPECT_EQ(subject.counter.describe(answer.wait), "quota hourly 5");
    subject.clock.advance(1h - 1ms);
    EXPECT_EQ(subject.send(ask(1)), 0U);
    subject.clock.advance(1ms);
    EXPECT_EQ(subject.send(ask(5)), 5U);
}

TEST(Counter, AQuotaCountsWhatIsInFlightAndChargesWhenItIsSettled) {
    Subject subject(limits({}, 5));
    EXPECT_EQ(subject.take(ask(5)).recipients, 5U);
    subject.clock.advance(1h);
    EXPECT_EQ(subject.take(ask(1)).recipients, 0U) << "they may go out in this hour";
    subject.counter.settle({5, 1, 0}, {3, 1, 0}, subject.clock.at());
    EXPECT_EQ(subject.take(ask(3)).recipients, 0U);
    EXPECT_EQ(subject.take(ask(2)).recipients, 2U);
}

TEST(Counter, AQuotaFollowsTheClocksOfItsZone) {
    Limits made = limits({}, {}, 10);
    made.quota.zone = zone("Europe/Amsterdam");
    const auto sent_at = [&](base::WallTime time, Counter& counter, base::MonoTime mono) {
        const Instant now{mono, time};
        const Answer answer = take_supplied(counter, parts(10), now);
        if (answer.recipients > 0)
            counter.settle({answer.recipients, 1, 0}, {answer.recipients, 1, 0}, now);
        return answer;
    };
    const base::MonoTime mono{1000h};
    // The Sunday of 25 hours, from 22:00Z on Saturday to 23:00Z on Sunday.
    const auto start = utc(2026, 10, 24, 22);
    Counter counter("account/a", made, {mono, start});
    EXPECT_EQ(sent_at(start, counter, mono).recipients, 10U);
    const Answer late = sent_at(start + 25h - 1ms, counter, mono + 25h - 1ms);
    EXPECT_EQ(late.recipients, 0U);
    EXPECT_EQ(late.wait.until, utc(2026, 10, 25, 23));
    EXPECT_EQ(sent_at(start + 25h, counter, mono + 25h).recipients, 10U);

    made.quota = {.hourly = 10, .daily = {}, .monthly = {}, .zone = zone("Europe/Amsterdam")};
    Counter hours("account/b", made, {mono, utc(2026, 10, 25, 0)});
    EXPECT_EQ(sent_at(utc(2026, 10, 25, 0), hours, mono).recipients, 10U);
    EXPECT_EQ(sent_at(utc(2026, 10, 25, 1), hours, mono + 1h).recipients, 10U)
        << "the hour that comes twice is two";
    EXPECT_EQ(sent_at(utc(2026, 10, 25, 1, 59), hours, mono + 2h).recipients, 0U);
}

TEST(Counter, AClockPutBackGivesNoQuotaTwice) {
    Subject subject(limits({}, 5));
    EXPECT_EQ(subject.send(ask(5)), 5U);
    subject.clock.advance(1h);
    EXPECT_EQ(subject.send(ask(2)), 2U);
    subject.clock.set_wall_back(30min);
    EXPECT_EQ(subject.send(ask(1)), 0U);
    subject.clock.advance(31min);
    EXPECT_EQ(subject.send(ask(4)), 0U);
    EXPECT_EQ(subject.send(ask(3)), 3U);
}

TEST(Counter, SmoothRatesAreSpacedEvenly) {
    Limits made = limits({"60/m"});
    made.smooth = true;
    Subject subject(made);
    EXPECT_EQ(subject.send(ask(1)), 1U);
    const Answer answer = subject.take(ask(1));
    EXPECT_EQ(answer.wait.what, For::spacing);
    EXPECT_EQ(subject.counter.describe(answer.wait), "even spacing of rate 60/m");
    EXPECT_LE(answer.wait.until, subject.now() + 1s);
    EXPECT_GE(answer.wait.until, subject.now() + 500ms);
    subject.clock.advance(answer.wait.until - subject.now());
    EXPECT_EQ(subject.send(parts(10)), 10U) << "a message goes whole";
    EXPECT_GE(subject.take(ask(1)).wait.until, subject.now() + 9s) << "and takes its turns";
}

TEST(Counter, WarnsOncePerPeriodAt80And100Percent) {
    Subject subject(limits({}, 5, 100));
    const auto warned = [&] {
        std::string text;
        for (const Warning& warning : subject.counter.warnings(subject.clock.at())) {
            text += std::to_string(warning.percent) + " % (" + std::to_string(warning.used) + "/" +
                    std::to_string(warning.most) + ") ";
        }
        return text;
    };
    EXPECT_EQ(subject.send(ask(3)), 3U);
    EXPECT_EQ(warned(), "");
    EXPECT_EQ(subject.send(ask(1)), 1U);
    EXPECT_EQ(warned(), "80 % (4/5) ");
    EXPECT_EQ(warned(), "");
    EXPECT_EQ(subject.send(ask(1)), 1U);
    EXPECT_EQ(warned(), "100 % (5/5) ");
    subject.clock.advance(1h);
    EXPECT_EQ(subject.send(ask(5)), 5U);
    EXPECT_EQ(warned(), "80 % (5/5) 100 % (5/5) ");

    Counter restarted("upstream/a", limits({}, 5, 100), subject.clock.at());
    const auto state = subject.counter.final_state(subject.clock.at()).state;
    EXPECT_FALSE(restarted.restore(state, subject.clock.at()));
    EXPECT_TRUE(restarted.warnings(subject.clock.at()).empty());
    restarted.set_limits(limits({}, 10, 100), subject.clock.at());
    EXPECT_TRUE(restarted.warnings(subject.clock.at()).empty());
    restarted.set_limits(limits({}, 6, 100), subject.clock.at());
    EXPECT_EQ(restarted.warnings(subject.clock.at()).size(), 1U) << "another quota warns anew";
}

TEST(Counter, ShowsItsLevels) {
    Subject subject(limits({"14/s", "80MB/5m"}, {}, 10000));
    EXPECT_EQ(subject.send(ask(3, 1000)), 3U);
    EXPECT_EQ(subject.take(ask(2, 500)).recipients, 2U);
    const auto levels = subject.counter.levels(subject.clock.at());
    ASSERT_EQ(levels.size(), 3U);
    EXPECT_EQ(levels[0].limit, "14/s");
    EXPECT_EQ(levels[0].used, 5U);
    EXPECT_EQ(levels[0].most, 14U);
    EXPECT_FALSE(levels[0].resets);
    EXPECT_EQ(levels[1].used, 1500U);
    EXPECT_EQ(levels[2].limit, "daily 10000");
    EXPECT_EQ(levels[2].used, 5U);
    EXPECT_EQ(levels[2].resets, utc(2026, 11, 24));
}

TEST(Counter, OtherLimitsKeepWhatWasUsed) {
    Subject subject(limits({"100/s"}, 1000));
    EXPECT_EQ(subject.send(ask(50)), 50U);
    EXPECT_EQ(subject.take(ask(10)).recipients, 10U);
    subject.counter.set_limits(limits({"70/m", "1000B/h"}, {}, 65), subject.clock.at());
    EXPECT_EQ(subject.send(parts(100)), 5U) << "the new quota knows the day's use";
    subject.counter.set_limits(limits({"70/m"}), subject.clock.at());
    EXPECT_EQ(subject.send(parts(100)), 5U);
}

}  // namespace
}  // namespace outpost::limit

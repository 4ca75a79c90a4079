// A counter and its store: what it asks for, when, and what a restart finds.
#include <gtest/gtest.h>

#include "limit/counter.hpp"
#include "limit/test_time.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using For = Wait::For;

Limits hourly_rate(std::uint64_t count) {
    Limits limits;
    limits.rates = {{count, 1h, Unit::recipients}};
    return limits;
}

LeaseAnswer yes(const LeaseRequest& request) {
    return {.allowance = request.want, .ask_again = {}, .error = {}};
}

class CounterLease : public testing::Test {
  protected:
    Instant now() const { return clock.at(); }
    Answer take(std::uint32_t recipients, bool divisible = false, double held_back = 0) {
        return counter.take(
            {.recipients = recipients, .divisible = divisible, .held_back = held_back}, now());
    }
    LeaseRequest request() { return counter.lease_request(now()).value(); }

    FakeClock clock;
    Counter counter{"upstream/a", hourly_rate(1200), clock.at()};
};

TEST_F(CounterLease, NothingGoesOutBeforeTheFirstAllowance) {
    const Answer answer = take(1);
    EXPECT_EQ(answer.recipients, 0U);
    EXPECT_EQ(answer.wait.what, For::lease);
    EXPECT_EQ(answer.wait.until, base::WallTime::max());
    EXPECT_EQ(counter.describe(answer.wait), "the store of limits");
    const LeaseRequest first = request();
    EXPECT_EQ(first.key, "upstream/a");
    EXPECT_EQ(first.want, (Usage{12, 0, 0})) << "1 %";
    EXPECT_TRUE(counter.leasing());
    EXPECT_FALSE(counter.lease_request(now())) << "only one is under way";
    EXPECT_EQ(take(1).recipients, 0U);
    counter.leased(yes(first), now());
    EXPECT_FALSE(counter.leasing());
    EXPECT_EQ(take(1).recipients, 1U);
}

TEST_F(CounterLease, MoreIsAskedForWhenLessThanHalfIsLeft) {
    counter.leased(yes(request()), now());
    EXPECT_EQ(take(6).recipients, 6U);
    EXPECT_FALSE(counter.lease_request(now()));
    EXPECT_EQ(take(1).recipients, 1U);
    const LeaseRequest second = request();
    EXPECT_EQ(second.taken.recipients, 7U);
    EXPECT_EQ(take(5).recipients, 5U) << "the rest of the first goes out meanwhile";
    EXPECT_EQ(take(1).wait.what, For::lease);
    counter.leased(yes(second), now());
    EXPECT_EQ(take(7).recipients, 7U) << "12 beyond the 7 of the request";
    EXPECT_EQ(take(1).wait.what, For::lease);
}

TEST_F(CounterLease, ALargeAskGetsAnAllowanceOfItsSize) {
    counter.leased(yes(request()), now());
    EXPECT_EQ(take(100, true).wait.what, For::lease) << "not 12 now and 88 later";
    const LeaseRequest larger = request();
    EXPECT_EQ(larger.want.recipients, 100U);
    counter.leased(yes(larger), now());
    EXPECT_EQ(take(100, true).recipients, 100U);
    EXPECT_EQ(take(5000, true).wait.what, For::lease);
    EXPECT_EQ(request().want.recipients, 1100U) << "no more than the rate has left";
}

TEST_F(CounterLease, AFailedStoreIsAskedAgainEverLater) {
    for (const auto pause : {1s, 2s, 4s, 8s, 16s, 30s, 30s}) {
        EXPECT_EQ(take(1).wait.what, For::lease);
        (void)request();
        counter.leased({.allowance = {}, .ask_again = {}, .error = "disk full"}, now());
        const Answer answer = take(1);
        EXPECT_EQ(answer.wait.what, For::lease);
        EXPECT_EQ(answer.wait.until, now().wall + pause);
        clock.advance(pause - 1ms);
        EXPECT_FALSE(counter.lease_request(now()));
        clock.advance(1ms);
    }
    counter.leased(yes(request()), now());
    EXPECT_EQ(take(12).recipients, 12U);
    (void)take(1);
    (void)request();
    counter.leased({.allowance = {}, .ask_again = {}, .error = "disk full"}, now());
    EXPECT_EQ(take(1).wait.until, now().wall + 1s) << "from the beginning";
}

TEST_F(CounterLease, ASharedLimitThatHasNoMoreSaysWhen) {
    (void)take(5, true);
    const LeaseRequest first = request();
    counter.leased({.allowance = {2, 0, 0}, .ask_again = now().wall + 40s, .error = {}}, now());
    EXPECT_EQ(take(5, true).recipients, 2U) << "what there is";
    EXPECT_EQ(take(5, true).wait.until, now().wall + 40s);
    EXPECT_FALSE(counter.lease_request(now()));
    clock.advance(40s);
    EXPECT_TRUE(counter.lease_request(now()));
}

TEST_F(CounterLease, MoreUrgentMailAsksAtOnce) {
    (void)take(1, false, 0.2);
    EXPECT_EQ(request().held_back, 0.2);
    counter.leased({.allowance = {}, .ask_again = now().wall + 40s, .error = {}}, now());
    (void)take(1, false, 0.2);
    EXPECT_FALSE(counter.lease_request(now()));
    (void)take(1);
    EXPECT_EQ(request().held_back, 0);
}

TEST_F(CounterLease, AnAllowanceIsNeverMoreThanWasWrittenDown) {
    const LeaseRequest first = request();
    counter.leased({.allowance = {1000, 0, 0}, .ask_again = {}, .error = {}}, now());
    EXPECT_EQ(take(100, true).wait.what, For::lease);
    EXPECT_EQ(take(13).wait.what, For::lease);
    EXPECT_EQ(take(12).recipients, 12U);
}

TEST_F(CounterLease, NearTheEndOfAQuotaOnlyTheRestIsAskedFor) {
    Limits limits;
    limits.quota.daily = 1000;
    Counter quota("account/a", limits, now());
    const auto supplied = [&](std::uint32_t recipients) {
        Answer answer = quota.take({.recipients = recipients}, now());
        if (answer.wait.what != For::lease) return answer;
        const LeaseRequest more = quota.lease_request(now()).value();
        quota.leased(yes(more), now());
        return quota.take({.recipients = recipients}, now());
    };
    EXPECT_EQ(supplied(996).recipients, 996U);
    EXPECT_EQ(quota.lease_request(now()).value().want.recipients, 4U);
}

TEST_F(CounterLease, ACrashCostsAtMostTheRestOfAnAllowance) {
    LeaseRequest last = request();
    counter.leased(yes(last), now());
    std::uint32_t given = 0;
    while (given < 100) {
        given += take(1).recipients;
        counter.settle({1, 1, 0}, {1, 1, 0}, now());
        if (const auto more = counter.lease_request(now())) {
            last = *more;
            counter.leased(yes(last), now());
        }
        Counter restarted("upstream/a", hourly_rate(1200), now());
        ASSERT_FALSE(restarted.restore(last.state, now()));
        const std::uint64_t counted = restarted.levels(now())[0].used;
        EXPECT_GE(counted, given);
        EXPECT_LE(counted, given + 12);
    }
}

TEST_F(CounterLease, ARequestAccountsForWhatIsStillThereOfTheLast) {
    Limits limits = hourly_rate(1200);
    limits.rates.push_back({1'000'000, 1h, Unit::octets});
    Counter two("upstream/a", limits, now());
    (void)two.take({.recipients = 100}, now());
    two.leased(yes(two.lease_request(now()).value()), now());
    EXPECT_EQ(two.take({.octets = 6000}, now()).recipients, 1U);
    const LeaseRequest for_octets = two.lease_request(now()).value();
    EXPECT_EQ(for_octets.want, (Usage{99, 0, 10'000})) << "99 may go before the next is stored";
    Counter restarted("upstream/a", limits, now());
    ASSERT_FALSE(restarted.restore(for_octets.state, now()));
    EXPECT_EQ(restarted.levels(now())[0].used, 100U);
}

TEST_F(CounterLease, AnOrderlyEndCostsNothing) {
    counter.leased(yes(request()), now());
    EXPECT_EQ(take(5).recipients, 5U);
    counter.settle({3, 1, 0}, {2, 1, 0}, now());
    const LeaseRequest last = counter.final_state(now());
    EXPECT_EQ(last.want, Usage{});
    EXPECT_EQ(last.taken.recipients, 5U);
    EXPECT_EQ(last.used.recipients, 2U);
    EXPECT_EQ(last.returned.recipients, 1U);
    EXPECT_EQ(take(1).recipients, 0U);
    EXPECT_FALSE(counter.lease_request(now()));
    Counter restarted("upstream/a", hourly_rate(1200), now());
    ASSERT_FALSE(restarted.restore(last.state, now()));
    EXPECT_EQ(restarted.levels(now())[0].used, 4U) << "two used, two in flight";
}

TEST_F(CounterLease, WhatWasGivenOutAheadCountsAtTheRestartAndInItsPeriod) {
    Limits limits = hourly_rate(1200);
    limits.quota.hourly = 1000;
    Counter before("upstream/a", limits, now());
    const LeaseRequest first = before.lease_request(now()).value();  // 10
    clock.advance(2h);
    Counter after("upstream/a", limits, now());
    ASSERT_FALSE(after.restore(first.state, now()));
    for (const Level& level : after.levels(now())) EXPECT_EQ(level.used, 10U) << level.limit;
}

TEST_F(CounterLease, AStateThatCannotBeReadIsReported) {
    EXPECT_EQ(counter.restore("abc", now()),
              "the kept state of upstream/a cannot be read: it has only 3 octets; it counts as "
              "unused");
    EXPECT_EQ(counter.levels(now())[0].used, 0U);
}

TEST_F(CounterLease, AUnitThatANewLimitCountsNeedsAnAllowanceFirst) {
    counter.leased(yes(request()), now());
    EXPECT_EQ(counter.take({.octets = 5000}, now()).recipients, 1U) << "nothing counts octets";
    Limits limits = hourly_rate(1200);
    limits.rates.push_back({1'000'000, 1h, Unit::octets});
    counter.set_limits(limits, now());
    EXPECT_EQ(counter.take({.octets = 1}, now()).wait.what, For::lease);
    const LeaseRequest more = request();
    EXPECT_EQ(more.want.octets, 10'000U);
    counter.leased(yes(more), now());
    EXPECT_EQ(counter.take({.octets = 10'001}, now()).wait.what, For::lease);
    EXPECT_EQ(counter.take({.octets = 10'000}, now()).recipients, 1U);
}

TEST_F(CounterLease, MoreUrgentMailWaitsForTheAnswerToItsOwnRequest) {
    const Instant now{base::MonoTime{std::chrono::hours(1)},
                      base::WallTime{std::chrono::milliseconds(1'800'000'000'000)}};
    Counter counter("upstream/out", {.rates = {{100, 1h}}, .smooth = false, .quota = {}}, now);
    ASSERT_TRUE(counter.lease_request(now));
    counter.leased({.allowance = {.recipients = 1}, .ask_again = {}, .error = ""}, now);
    const Ask bulk{.held_back = 0.1};
    ASSERT_EQ(counter.take(bulk, now).recipients, 1U);
    ASSERT_EQ(counter.take(bulk, now).recipients, 0U);
    ASSERT_TRUE(counter.lease_request(now));
    counter.leased({.allowance = {}, .ask_again = now.wall + std::chrono::minutes(30), .error = ""},
                   now);
    const Answer urgent = counter.take({.held_back = 0}, now);
    EXPECT_EQ(urgent.wait.what, Wait::For::lease);
    EXPECT_EQ(urgent.wait.until, base::WallTime::max());
    EXPECT_TRUE(counter.lease_request(now));
}

}  // namespace
}  // namespace outpost::limit

#include "delivery/forecast.hpp"

#include <gmock/gmock.h>

namespace outpost::delivery {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// Monday, 2027-01-18 12:00 UTC.
constexpr base::WallTime noon{std::chrono::sys_days(std::chrono::year(2027) / 1 / 18) + 12h};

limit::Level level(std::uint64_t used, std::uint64_t most) {
    return {.limit = {}, .used = used, .most = most, .resets = {}};
}

Supply rate(std::uint64_t count, std::chrono::milliseconds period, std::uint64_t used,
            limit::Unit unit = limit::Unit::recipients) {
    Supply supply;
    supply.limits.push_back({.limits = {.rates = {{count, period, unit}}, .quota = {}},
                             .levels = {level(used, count)}});
    return supply;
}

Supply daily(std::uint64_t count, std::uint64_t used) {
    Supply supply;
    supply.limits.push_back({.limits = {}, .levels = {level(used, count)}});
    supply.limits[0].limits.quota.daily = count;
    return supply;
}

Supply fast(double speed) {
    Supply supply;
    supply.speed = speed;
    return supply;
}

Demand mail(std::uint64_t recipients, std::vector<std::size_t> by = {0}) {
    return {.messages = recipients, .recipients = recipients, .octets = 0, .by = std::move(by)};
}

Outlook one(Supply supply, Demand demand) {
    const auto all = forecast({std::move(supply)}, {std::move(demand)}, noon);
    EXPECT_THAT(all, SizeIs(1));
    return all.front();
}

std::chrono::milliseconds wait(const Outlook& outlook) {
    EXPECT_TRUE(outlook.at) << outlook.why;
    return outlook.at.value_or(noon - 1ms) - noon;
}

TEST(Forecast, NothingIsDoneNow) {
    EXPECT_EQ(wait(one(rate(10, 1s, 10), mail(0))), 0ms);
    EXPECT_EQ(wait(one(Supply{.stopped = "while it is paused"}, mail(0))), 0ms);
}

TEST(Forecast, ARateIsUsedInFull) {
    EXPECT_EQ(wait(one(rate(1200, 1h, 1200), mail(3600))), 3h);
    EXPECT_EQ(wait(one(rate(1200, 1h, 600), mail(600))), 0ms) << "what is left goes at once";
    EXPECT_EQ(wait(one(rate(1200, 1h, 600), mail(1200))), 30min);
}

TEST(Forecast, AnEvenlySpacedRateGivesNothingAtOnce) {
    Supply supply = rate(3600, 1h, 0);
    supply.limits[0].limits.smooth = true;
    EXPECT_EQ(wait(one(supply, mail(60))), 1min);
}

TEST(Forecast, AllRatesHold) {
    Supply supply = rate(10, 1s, 10);
    supply.limits[0].limits.rates.push_back({.count = 3600, .period = 1h});
    supply.limits[0].levels.push_back(level(0, 3600));
    // 3,600 are left of the hour and go by 10 less 1 a second; then 1 a second.
    EXPECT_EQ(wait(one(supply, mail(4000))), 400s);
    EXPECT_EQ(wait(one(supply, mail(4100))), 500s);
}

TEST(Forecast, RatesByMessagesAndOctetsCountTheseOfTheMailThatWaits) {
    const Demand demand{.messages = 100, .recipients = 400, .octets = 1'000'000, .by = {0}};
    EXPECT_EQ(wait(one(rate(10, 1s, 10, limit::Unit::messages), demand)), 10s);
    EXPECT_EQ(wait(one(rate(100'000, 1s, 100'000, limit::Unit::octets), demand)), 10s);
}

TEST(Forecast, AQuotaIsRenewedWithTheCalendar) {
    EXPECT_EQ(wait(one(daily(1000, 400), mail(600))), 0ms);
    EXPECT_EQ(wait(one(daily(1000, 400), mail(601))), 12h) << "at midnight";
    EXPECT_EQ(wait(one(daily(1000, 1000), mail(2500))), 12h + 48h);
    Supply slow = daily(1000, 1000);
    slow.speed = 10;
    EXPECT_EQ(wait(one(slow, mail(1100))), 12h + 24h + 10s);
}

TEST(Forecast, QuotaAndRateHoldTogether) {
    Supply supply = rate(100, 1h, 100);
    supply.limits[0].limits.quota.daily = 2000;
    supply.limits[0].levels.push_back(level(0, 2000));
    // 100 an hour for 12 hours, and on.
    EXPECT_EQ(wait(one(supply, mail(3000))), 30h);
}

TEST(Forecast, WhatNoRateBoundsGoesAsFastAsItWentLately) {
    EXPECT_EQ(wait(one(fast(50), mail(5000))), 100s);
    const Outlook unknown = one({}, mail(1));
    EXPECT_FALSE(unknown.at);
    EXPECT_THAT(unknown.why, HasSubstr("not known"));
}

TEST(Forecast, WhatTakesNoMailIsNamed) {
    const Outlook outlook =
        one({.speed = 5, .stopped = "while upstream office is paused"}, mail(1));
    EXPECT_FALSE(outlook.at);
    EXPECT_EQ(outlook.why, "not while upstream office is paused");
}

TEST(Forecast, MembersOfAGroupShare) {
    const std::vector<Supply> members{fast(10), fast(30)};
    EXPECT_EQ(wait(forecast(members, {mail(400, {0, 1})}, noon)[0]), 10s);
    std::vector<Supply> one_paused = members;
    one_paused[1].stopped = "while upstream b is paused";
    EXPECT_EQ(wait(forecast(one_paused, {mail(400, {0, 1})}, noon)[0]), 40s);
}

TEST(Forecast, AMemberIsSharedWithItsOwnMail) {
    // Its own 50 take half of the first for 10 s, the group the rest and all of the second.
    const auto all = forecast({fast(10), fast(10)}, {mail(50, {0}), mail(250, {0, 1})}, noon);
    EXPECT_EQ(wait(all[0]), 10s);
    EXPECT_EQ(wait(all[1]), 15s);
}

TEST(Forecast, ARetryThatIsFarAwayIsTheEnd) {
    Demand demand = mail(10);
    demand.not_before = noon + 2h;
    EXPECT_EQ(wait(one(fast(10), demand)), 2h);
}

TEST(Forecast, AnUpstreamThatAskedForAPauseBeginsAfterIt) {
    Supply supply = fast(10);
    supply.from = noon + 5min;
    EXPECT_EQ(wait(one(supply, mail(100))), 5min + 10s);
}

TEST(Forecast, DeliveryHoursStopAndGoOn) {
    Supply supply;
    supply.unlimited = true;
    supply.hours = limit::DeliveryHours{.days = 0x1f, .from = 13h, .to = 17h, .zone = {}};
    EXPECT_EQ(wait(one(supply, mail(5))), 1h);
    supply.speed = 1;
    EXPECT_EQ(wait(one(supply, mail(4 * 3600 + 60))), 25h + 60s) << "on Tuesday";
    supply.hours->days = 0x01;
    EXPECT_EQ(wait(one(supply, mail(4 * 3600 + 60))), 7 * 24h + 1h + 60s) << "next Monday";
}

TEST(Forecast, BeyondAYearNothingIsSaid) {
    const Outlook outlook = one(daily(1, 1), mail(10'000));
    EXPECT_FALSE(outlook.at);
    EXPECT_EQ(outlook.why, "not within a year");
    EXPECT_TRUE(one(daily(1, 1), mail(300)).at);
}

TEST(Forecast, BothHaveToComeAbout) {
    const Outlook soon{.at = noon};
    const Outlook late{.at = noon + 1h};
    const Outlook never{.why = "not while it is paused"};
    EXPECT_EQ(later(soon, late), late);
    EXPECT_EQ(later(late, soon), late);
    EXPECT_EQ(later(soon, never), never);
    EXPECT_EQ(later(never, late), never);
}

}  // namespace
}  // namespace outpost::delivery

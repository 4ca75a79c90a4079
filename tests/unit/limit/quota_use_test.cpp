#include "limit/quota_use.hpp"

#include <gtest/gtest.h>

#include "limit/test_time.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

const base::WallTime ten = utc(2026, 11, 23, 10);

QuotaUse hourly() {
    return {CalendarUnit::hour, TimeZone(), ten};
}

TEST(QuotaUse, BeginsAnewWithEachPeriod) {
    QuotaUse use = hourly();
    use.at(ten).charged += 7;
    EXPECT_EQ(use.at(ten + 59min).used(), 7U);
    EXPECT_EQ(use.at(ten + 1h).used(), 0U);
    EXPECT_EQ(use.at(ten + 1h).period.end, ten + 2h);
}

TEST(QuotaUse, AClockPutBackGivesNothingTwice) {
    QuotaUse use = hourly();
    use.at(ten).charged = 7;
    use.at(ten + 1h).charged = 5;
    EXPECT_EQ(use.at(ten + 59min).used(), 12U) << "its own, and what went out meanwhile";
    use.at(ten + 59min).charged += 1;
    EXPECT_EQ(use.at(ten + 1h).used(), 5U) << "what was used in the later hour is remembered";
    EXPECT_EQ(use.at(ten + 59min).used(), 13U) << "going to and fro does not count it twice";
    EXPECT_EQ(use.at(ten + 2h).used(), 0U);
}

TEST(QuotaUse, AClockThatWasFarAheadDoesNotBindForLong) {
    QuotaUse use = hourly();
    use.at(ten + 24h * 365).charged = 100;
    EXPECT_EQ(use.at(ten).used(), 100U) << "used, whatever the clock said";
    EXPECT_EQ(use.at(ten + 1h).used(), 0U);
    for (int hour = 2; hour < 30; ++hour) EXPECT_EQ(use.at(ten + hour * 1h).used(), 0U);
    EXPECT_LE(use.periods().size(), 4U);
}

TEST(QuotaUse, AnotherTimeZoneKeepsWhatWasUsedInThePeriodThatIsNow) {
    QuotaUse use(CalendarUnit::day, TimeZone(), ten);
    use.at(ten).charged = 9;
    use.set_zone(zone("Europe/Amsterdam"), ten);
    EXPECT_EQ(use.at(ten).used(), 9U);
    EXPECT_EQ(use.at(ten).period.end, utc(2026, 11, 23, 23));
    EXPECT_EQ(use.at(utc(2026, 11, 23, 23)).used(), 0U);
}

TEST(QuotaUse, Restores) {
    QuotaUse before = hourly();
    before.at(ten).charged = 3;
    before.at(ten + 1h).charged = 4;
    before.at(ten + 1h).warned = 80;

    QuotaUse same = hourly();
    same.restore(before.periods(), ten + 90min);
    EXPECT_EQ(same.at(ten + 90min), before.at(ten + 90min));
    QuotaUse later = hourly();
    later.restore(before.periods(), ten + 3h);
    EXPECT_EQ(later.at(ten + 3h).used(), 0U);
    QuotaUse earlier = hourly();
    earlier.restore(before.periods(), ten);
    EXPECT_EQ(earlier.at(ten).used(), 7U);
    QuotaUse elsewhere(CalendarUnit::hour, zone("Asia/Kolkata"), ten);
    elsewhere.restore(before.periods(), ten + 70min);
    EXPECT_EQ(elsewhere.at(ten + 70min).used(), 4U);
    EXPECT_EQ(elsewhere.at(ten + 70min).period.start, ten + 30min);
}

}  // namespace
}  // namespace outpost::limit

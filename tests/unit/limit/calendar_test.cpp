#include "limit/calendar.hpp"

#include <gtest/gtest.h>

#include "limit/test_time.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

/// Start and end in the zone's own time.
std::string shown(const TimeZone& zone, CalendarUnit unit, base::WallTime time) {
    const CalendarPeriod period = period_at(zone, unit, time);
    EXPECT_TRUE(period.contains(time)) << local_text(zone, time);
    return local_text(zone, period.start) + " " + local_text(zone, period.end);
}

TEST(TimeZone, IsFoundByItsName) {
    EXPECT_EQ(zone("Europe/Amsterdam").name(), "Europe/Amsterdam");
    EXPECT_EQ(zone("UTC"), TimeZone());
    EXPECT_EQ(TimeZone().name(), "UTC");
    for (const char* name : {"", "Amsterdam", "europe/amsterdam", "../../etc/passwd", "Europe"}) {
        EXPECT_FALSE(TimeZone::find(name)) << name;
    }
}

TEST(TimeZone, HintsAtANearName) {
    EXPECT_EQ(near_zone("Europe/Amsterdm"), "Europe/Amsterdam");
    EXPECT_EQ(near_zone("europe/amsterdam"), "Europe/Amsterdam");
    EXPECT_EQ(near_zone("amsterdam"), "Europe/Amsterdam");
    EXPECT_EQ(near_zone("Europe/Ams"), "Europe/Amsterdam");
    EXPECT_EQ(near_zone("xxxxxxxxxxxxxxxx"), "");
}

TEST(Calendar, KnowsPlainPeriods) {
    const TimeZone utc_zone;
    const auto time = utc(2026, 2, 14, 13, 37) + 999ms;
    EXPECT_EQ(shown(utc_zone, CalendarUnit::hour, time),
              "2026-02-14T13:00:00Z 2026-02-14T14:00:00Z");
    EXPECT_EQ(shown(utc_zone, CalendarUnit::day, time),
              "2026-02-14T00:00:00Z 2026-02-15T00:00:00Z");
    EXPECT_EQ(shown(utc_zone, CalendarUnit::month, time),
              "2026-02-01T00:00:00Z 2026-03-01T00:00:00Z");
    EXPECT_EQ(shown(zone("America/New_York"), CalendarUnit::month, utc(2027, 1, 1, 3)),
              "2026-12-01T00:00:00-05:00 2027-01-01T00:00:00-05:00");
    // A leap year, and the last instant of a month.
    EXPECT_EQ(shown(utc_zone, CalendarUnit::month, utc(2028, 2, 29, 23, 59, 59) + 999ms),
              "2028-02-01T00:00:00Z 2028-03-01T00:00:00Z");
}

TEST(Calendar, KnowsHalfHourZones) {
    const TimeZone kolkata = zone("Asia/Kolkata");
    EXPECT_EQ(shown(kolkata, CalendarUnit::hour, utc(2026, 6, 1, 12, 15)),
              "2026-06-01T17:00:00+05:30 2026-06-01T18:00:00+05:30");
    EXPECT_EQ(shown(kolkata, CalendarUnit::day, utc(2026, 6, 1, 18, 29, 59)),
              "2026-06-01T00:00:00+05:30 2026-06-02T00:00:00+05:30");
    EXPECT_EQ(shown(kolkata, CalendarUnit::month, utc(2026, 5, 31, 18, 30)),
              "2026-06-01T00:00:00+05:30 2026-07-01T00:00:00+05:30");
}

TEST(Calendar, AMarchDayHas23Hours) {
    const TimeZone amsterdam = zone("Europe/Amsterdam");
    EXPECT_EQ(shown(amsterdam, CalendarUnit::day, utc(2026, 3, 29, 12)),
              "2026-03-29T00:00:00+01:00 2026-03-30T00:00:00+02:00");
    const auto day = period_at(amsterdam, CalendarUnit::day, utc(2026, 3, 29, 12));
    EXPECT_EQ(day.end - day.start, 23h);
    EXPECT_EQ(shown(amsterdam, CalendarUnit::hour, utc(2026, 3, 29, 0, 59)),
              "2026-03-29T01:00:00+01:00 2026-03-29T03:00:00+02:00");
    EXPECT_EQ(shown(amsterdam, CalendarUnit::hour, utc(2026, 3, 29, 1)),
              "2026-03-29T03:00:00+02:00 2026-03-29T04:00:00+02:00");
    const auto month = period_at(amsterdam, CalendarUnit::month, utc(2026, 3, 1, 12));
    EXPECT_EQ(month.end - month.start, 31 * 24h - 1h);
}

TEST(Calendar, AnOctoberDayHas25HoursAndTheHourThatComesTwiceIsTwo) {
    const TimeZone amsterdam = zone("Europe/Amsterdam");
    const auto day = period_at(amsterdam, CalendarUnit::day, utc(2026, 10, 25, 12));
    EXPECT_EQ(day.end - day.start, 25h);
    EXPECT_EQ(shown(amsterdam, CalendarUnit::hour, utc(2026, 10, 25, 0, 30)),
              "2026-10-25T02:00:00+02:00 2026-10-25T02:00:00+01:00");
    EXPECT_EQ(shown(amsterdam, CalendarUnit::hour, utc(2026, 10, 25, 1, 30)),
              "2026-10-25T02:00:00+01:00 2026-10-25T03:00:00+01:00");
    const TimeZone new_york = zone("America/New_York");
    const auto autumn = period_at(new_york, CalendarUnit::day, utc(2026, 11, 1, 12));
    EXPECT_EQ(autumn.end - autumn.start, 25h);
    const auto spring = period_at(new_york, CalendarUnit::day, utc(2026, 3, 8, 12));
    EXPECT_EQ(spring.end - spring.start, 23h);
}

TEST(Calendar, ADayWhoseMidnightIsSkippedBeginsAtItsFirstInstant) {
    const TimeZone sao_paulo = zone("America/Sao_Paulo");
    EXPECT_EQ(shown(sao_paulo, CalendarUnit::day, utc(2018, 11, 4, 12)),
              "2018-11-04T01:00:00-02:00 2018-11-05T00:00:00-02:00");
    EXPECT_EQ(shown(sao_paulo, CalendarUnit::day, utc(2018, 11, 4, 2, 59, 59)),
              "2018-11-03T00:00:00-03:00 2018-11-04T01:00:00-02:00");
    EXPECT_EQ(shown(zone("Asia/Beirut"), CalendarUnit::day, utc(2022, 3, 27, 12)),
              "2022-03-27T01:00:00+03:00 2022-03-28T00:00:00+03:00");
}

TEST(Calendar, ClocksPutBackOverMidnightDivideTheTimeAllTheSame) {
    // At midnight of 2018-02-18 the clocks of Sao Paulo show 23:00 once more.
    const TimeZone sao_paulo = zone("America/Sao_Paulo");
    const auto saturday = period_at(sao_paulo, CalendarUnit::day, utc(2018, 2, 18, 2, 30));
    EXPECT_EQ(saturday.end - saturday.start, 25h);
    EXPECT_EQ(local_text(sao_paulo, saturday.end), "2018-02-18T00:00:00-03:00");
    // St. John's did that at 00:01: one minute shows the new date, then the old comes again.
    const TimeZone st_johns = zone("America/St_Johns");
    const auto change = utc(2010, 11, 7, 2, 31);
    EXPECT_EQ(period_at(st_johns, CalendarUnit::day, change - 1s),
              period_at(st_johns, CalendarUnit::day, change + 1s));
}

// Every unit of a zone divides all of time: no gap, no overlap, whatever the clocks do.
TEST(Calendar, PeriodsFollowEachOther) {
    for (const char* name : {"UTC", "Europe/Amsterdam", "America/New_York", "America/Sao_Paulo",
                             "Asia/Beirut", "Asia/Kolkata", "America/St_Johns",
                             "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca"}) {
        const TimeZone here = zone(name);
        for (const CalendarUnit unit : all_calendar_units) {
            CalendarPeriod period = period_at(here, unit, utc(2010, 1, 1));
            while (period.end < utc(2013, 1, 1)) {
                const CalendarPeriod next = period_at(here, unit, period.end);
                ASSERT_EQ(next.start, period.end) << name << " " << local_text(here, period.end);
                ASSERT_LT(next.start, next.end) << name;
                ASSERT_EQ(period_at(here, unit, next.end - 1ms), next)
                    << name << " " << local_text(here, next.end);
                period = next;
            }
        }
    }
}

TEST(Calendar, WritesLocalTime) {
    EXPECT_EQ(local_text(zone("Europe/Amsterdam"), utc(2026, 11, 22, 23)),
              "2026-11-23T00:00:00+01:00");
    EXPECT_EQ(local_text(zone("America/St_Johns"), utc(2026, 1, 1)), "2025-12-31T20:30:00-03:30");
    EXPECT_EQ(local_text(TimeZone(), utc(2026, 1, 1) + 999ms), "2026-01-01T00:00:00Z");
}

}  // namespace
}  // namespace outpost::limit

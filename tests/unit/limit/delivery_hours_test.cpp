#include "limit/delivery_hours.hpp"

#include <gtest/gtest.h>

#include "limit/test_time.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

DeliveryHours hours(std::string_view days, std::string_view of_day, std::string_view name) {
    const HoursOfDay range = parse_hours(of_day).value();
    return {parse_days(days).value(), range.from, range.to, zone(name)};
}

/// The next opening in the zone's own time.
std::string opens(const DeliveryHours& hours, base::WallTime time) {
    return local_text(hours.zone, hours.next_open(time));
}

TEST(ParseDays, ReadsEveryForm) {
    const std::pair<const char*, unsigned> cases[] = {
        {"daily", 0x7f},
        {"mon-fri", 0x1f},
        {"Monday", 0x01},
        {"mon,wed,sat-sun", 0x65},
        {" SAT - Sunday , tue ", 0x62},
        {"fri-mon", 0x71},
        {"mon-sun", 0x7f},
    };
    for (const auto& [text, bits] : cases) {
        const auto days = parse_days(text);
        ASSERT_TRUE(days) << text;
        EXPECT_EQ(*days, bits) << text;
    }
    for (const char* text : {"", ",", "mo", "mon-", "-fri", "mon-tue-wed", "weekdays", "mond"}) {
        const auto days = parse_days(text);
        ASSERT_FALSE(days) << text;
        EXPECT_EQ(days.error(), "\"" + std::string(text) +
                                    "\" is not a list of days; write daily, or days such as "
                                    "mon-fri or mon,wed,sat-sun");
    }
}

TEST(ParseHours, ReadsEveryForm) {
    EXPECT_EQ(parse_hours("08:00-18:00"), (HoursOfDay{8h, 18h}));
    EXPECT_EQ(parse_hours("8:30 - 18:15"), (HoursOfDay{8h + 30min, 18h + 15min}));
    EXPECT_EQ(parse_hours("22:00-06:00"), (HoursOfDay{22h, 6h}));
    EXPECT_EQ(parse_hours("00:00-24:00"), (HoursOfDay{0h, 24h}));
    EXPECT_EQ(parse_hours("22:00-00:00"), (HoursOfDay{22h, 0h}));
    for (const char* text : {"", "8-18", "08:00", "08:60-18:00", "24:00-08:00", "08:00-24:01",
                             "08:00-18:0", "+8:00-18:00", "08:00-18:00-20:00", "8:+1-9:00"}) {
        EXPECT_FALSE(parse_hours(text)) << text;
    }
    EXPECT_EQ(parse_hours("8-18").error(),
              "\"8-18\" is not a range of hours; write FROM-TO, such as 08:00-18:00");
    EXPECT_EQ(parse_hours("08:00-8:00").error(),
              "\"08:00-8:00\" is empty: it ends when it begins; for the whole day write "
              "00:00-24:00");
}

TEST(DeliveryHours, WritesItself) {
    EXPECT_EQ(hours("mon-fri", "8:00-18:00", "Europe/Amsterdam").text(),
              "mon-fri 08:00-18:00 Europe/Amsterdam");
    EXPECT_EQ(hours("sun,wed,mon,sat", "22:00-06:30", "UTC").text(),
              "mon,wed,sat-sun 22:00-06:30 UTC");
    EXPECT_EQ(DeliveryHours{}.text(), "daily 00:00-24:00 UTC");
}

TEST(DeliveryHours, AreOpenAtAnyTimeByDefault) {
    for (const auto time : {utc(2026, 1, 1), utc(2026, 12, 31, 23, 59, 59) + 999ms}) {
        EXPECT_EQ(DeliveryHours{}.next_open(time), time);
    }
}

TEST(DeliveryHours, OpenOnTheNextWorkingDay) {
    const DeliveryHours office = hours("mon-fri", "08:00-18:00", "Europe/Amsterdam");
    const auto friday_noon = utc(2026, 11, 20, 11);
    EXPECT_EQ(office.next_open(friday_noon), friday_noon);
    EXPECT_EQ(opens(office, utc(2026, 11, 20, 6, 59)), "2026-11-20T08:00:00+01:00");
    EXPECT_EQ(opens(office, utc(2026, 11, 20, 17)), "2026-11-23T08:00:00+01:00");
    const auto last = utc(2026, 11, 20, 17) - 1ms;
    EXPECT_EQ(office.next_open(last), last);
}

TEST(DeliveryHours, CloseAfterTheyHaveOpened) {
    const DeliveryHours office = hours("mon-fri", "08:00-18:00", "Europe/Amsterdam");
    EXPECT_EQ(office.closes(utc(2026, 11, 20, 11)), utc(2026, 11, 20, 17));
    EXPECT_EQ(office.closes(utc(2026, 11, 20, 17)), utc(2026, 11, 23, 17)) << "on Monday";
    EXPECT_EQ(DeliveryHours{}.closes(utc(2026, 11, 20, 11)), utc(2026, 11, 21));
}

TEST(DeliveryHours, PastMidnightBelongToTheDayOnWhichTheyBegin) {
    const DeliveryHours night = hours("fri", "22:00-06:00", "UTC");
    const auto saturday = utc(2026, 11, 21, 5, 59);
    EXPECT_EQ(night.next_open(saturday), saturday);
    EXPECT_EQ(opens(night, utc(2026, 11, 21, 6)), "2026-11-27T22:00:00Z");
    EXPECT_EQ(opens(night, utc(2026, 11, 20, 5)), "2026-11-20T22:00:00Z");
}

TEST(DeliveryHours, FollowTheClocksOfTheZone) {
    const DeliveryHours office = hours("daily", "08:00-18:00", "Europe/Amsterdam");
    EXPECT_EQ(opens(office, utc(2026, 3, 28, 20)), "2026-03-29T08:00:00+02:00");
    EXPECT_EQ(opens(office, utc(2026, 10, 24, 20)), "2026-10-25T08:00:00+01:00");
    // 02:30 does not exist on that night; the hours begin with what comes after it.
    const DeliveryHours early = hours("daily", "02:30-04:00", "Europe/Amsterdam");
    EXPECT_EQ(opens(early, utc(2026, 3, 29, 0)), "2026-03-29T03:00:00+02:00");
    // And hours that do not exist at all are left out.
    const DeliveryHours skipped = hours("sun", "02:10-02:50", "Europe/Amsterdam");
    EXPECT_EQ(opens(skipped, utc(2026, 3, 28, 12)), "2026-04-05T02:10:00+02:00");
    // Midnight to midnight has no gap, even where midnight does not exist.
    const DeliveryHours all = hours("daily", "00:00-24:00", "America/Sao_Paulo");
    const auto change = utc(2018, 11, 4, 3);
    for (const auto time : {change - 1ms, change, change + 1h}) {
        EXPECT_EQ(all.next_open(time), time);
    }
}

TEST(DeliveryHours, WithoutAnyDayNeverOpen) {
    DeliveryHours never;
    never.days = 0;
    EXPECT_EQ(never.next_open(utc(2026, 1, 1)), base::WallTime::max());
}

}  // namespace
}  // namespace outpost::limit

#include "config/units.hpp"

#include <gtest/gtest.h>

namespace outpost::config {
namespace {

using namespace std::chrono_literals;

TEST(Units, ReadsDurations) {
    EXPECT_EQ(parse_duration("500ms"), 500ms);
    EXPECT_EQ(parse_duration("30s"), 30s);
    EXPECT_EQ(parse_duration("5m"), 5min);
    EXPECT_EQ(parse_duration("4h"), 4h);
    EXPECT_EQ(parse_duration("5d"), Duration(std::chrono::days(5)));
    EXPECT_EQ(parse_duration("0"), 0ms);
    EXPECT_EQ(parse_duration("0s"), 0ms);
    for (const char* bad : {"", "5", "m", "5 m", "-5m", "1.5h", "5M", "5min", "5mm", "1h30m", "+5m",
                            "99999999999999999999s", "3654d"}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
    EXPECT_EQ(parse_duration("5x").error(),
              "\"5x\" is not a duration; write a number and ms, s, m, h or d, such as 30s");
}

TEST(Units, ReadsSizes) {
    EXPECT_EQ(parse_size("0MB"), 0U);
    EXPECT_EQ(parse_size("100"), 100U);
    EXPECT_EQ(parse_size("100B"), 100U);
    EXPECT_EQ(parse_size("512KB"), 512U << 10);
    EXPECT_EQ(parse_size("25mb"), 25U << 20);
    EXPECT_EQ(parse_size("2GB"), 2ULL << 30);
    EXPECT_EQ(parse_size("1TB"), 1ULL << 40);
    for (const char* bad :
         {"", "MB", "25 MB", "-1MB", "1.5MB", "25MiB", "25M", "1025TB", "99999999999999999999"}) {
        EXPECT_FALSE(parse_size(bad)) << bad;
    }
}

TEST(Units, ReadsCountsPerPeriod) {
    EXPECT_EQ(parse_count_per_period("20/10m"), (CountPerPeriod{20, 10min}));
    EXPECT_EQ(parse_count_per_period("14/s"), (CountPerPeriod{14, 1s}));
    EXPECT_EQ(parse_count_per_period("20/hour"), (CountPerPeriod{20, 1h}));
    EXPECT_EQ(parse_count_per_period("20/minute"), (CountPerPeriod{20, 1min}));
    EXPECT_EQ(parse_count_per_period("20/d"), (CountPerPeriod{20, std::chrono::days(1)}));
    for (const char* bad : {"", "20", "20/", "/h", "20/x", "1200/10", "20 / h", "0/h", "20/0m",
                            "20/hours", "-1/h", "1/h/h"}) {
        EXPECT_FALSE(parse_count_per_period(bad)) << bad;
    }
    EXPECT_EQ(parse_count_per_period("1200/x").error(),
              "\"1200/x\" is not a rate; write COUNT/PERIOD, such as 1200/h or 20/10m");
}

TEST(Units, ReadsPorts) {
    EXPECT_EQ(parse_ports("25"), (PortRange{25, 25}));
    EXPECT_EQ(parse_ports("1025-5000"), (PortRange{1025, 5000}));
    EXPECT_EQ(parse_ports("65535"), (PortRange{65535, 65535}));
    for (const char* bad :
         {"", "0", "65536", "5000-1025", "25-", "-25", "25-26-27", "a", "25 - 26", "smtp"}) {
        EXPECT_FALSE(parse_ports(bad)) << bad;
    }
}

TEST(Units, ReadsNumbersAndFractions) {
    EXPECT_EQ(parse_number("010"), 10U);
    EXPECT_FALSE(parse_number("1.0"));
    EXPECT_FALSE(parse_number("0x10"));
    EXPECT_EQ(parse_fraction("0.25"), 0.25);
    EXPECT_EQ(parse_fraction("2"), 2);
    for (const char* bad : {"", "-1", "1e3", "nan", "inf", "1,5", "2x"}) {
        EXPECT_FALSE(parse_fraction(bad)) << bad;
    }
}

}  // namespace
}  // namespace outpost::config

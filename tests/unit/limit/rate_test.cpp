#include "limit/rate.hpp"

#include <gtest/gtest.h>

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

TEST(ParseRate, ReadsEveryForm) {
    struct Case {
        const char* text;
        Rate rate;
    };
    const Case cases[] = {
        {"14/s", {14, 1s, Unit::recipients}},
        {"1200/h", {1200, 1h, Unit::recipients}},
        {"1200/hour", {1200, 1h, Unit::recipients}},
        {"600/min", {600, 1min, Unit::recipients}},
        {"500/5m", {500, 5min, Unit::recipients}},
        {" 500 / 5 minutes ", {500, 5min, Unit::recipients}},
        {"3/1500ms", {3, 1500ms, Unit::recipients}},
        {"10/2 days", {10, 48h, Unit::recipients}},
        {"10/31d", {10, 31 * 24h, Unit::recipients}},
        {"20 recipients/s", {20, 1s, Unit::recipients}},
        {"1 recipient/sec", {1, 1s, Unit::recipients}},
        {"500 messages/5m", {500, 5min, Unit::messages}},
        {"80MB/5m", {80U << 20, 5min, Unit::octets}},
        {"80 mb/5m", {80U << 20, 5min, Unit::octets}},
        {"1024TB/d", {std::uint64_t{1} << 50, 24h, Unit::octets}},
        {"17B/second", {17, 1s, Unit::octets}},
    };
    for (const Case& each : cases) {
        const auto rate = parse_rate(each.text);
        ASSERT_TRUE(rate) << each.text << ": " << rate.error();
        EXPECT_EQ(*rate, each.rate) << each.text;
    }
}

TEST(ParseRate, SaysWhatIsWrong) {
    const std::pair<const char*, const char*> cases[] = {
        {"1200/x", "\"1200/x\" is not a rate; write COUNT/PERIOD, such as 1200/h"},
        {"", "\"\" is not a rate; write COUNT/PERIOD, such as 1200/h"},
        {"1200", "\"1200\" is not a rate; write COUNT/PERIOD, such as 1200/h"},
        {"-1/s", "\"-1/s\" is not a rate; write COUNT/PERIOD, such as 1200/h"},
        {"1.5/s", "\"1.5/s\" is not a rate; write COUNT/PERIOD, such as 1200/h"},
        {"1/2/s", "\"1/2/s\" is not a rate; write COUNT/PERIOD, such as 1200/h"},
        {"5 apples/s", "\"5 apples/s\" is not a rate; write COUNT/PERIOD, such as 1200/h"},
        {"99999999999999999999/s",
         "\"99999999999999999999/s\" is not a rate; write COUNT/PERIOD, such as 1200/h"},
        {"0/s", "\"0/s\" has a 0; both numbers must be more"},
        {"5/0s", "\"5/0s\" has a 0; both numbers must be more"},
        {"1025TB/d", "\"1025TB/d\" counts too much; the most is 1024TB"},
        {"5/32d", "\"5/32d\" has a period over 31 days; write a shorter one, or a quota"},
        {"5/999ms", "\"5/999ms\" has a period under a second; write one of 1s or more"},
    };
    for (const auto& [text, error] : cases) {
        const auto rate = parse_rate(text);
        ASSERT_FALSE(rate) << text;
        EXPECT_EQ(rate.error(), error);
    }
}

TEST(Rate, WritesItsShortestForm) {
    const std::pair<const char*, const char*> cases[] = {
        {"14/s", "14/s"},         {"14/60s", "14/m"},    {"14/90s", "14/90s"},
        {"1/1500ms", "1/1500ms"}, {"7/24h", "7/d"},      {"500 messages/5m", "500 messages/5m"},
        {"80MB/5m", "80MB/5m"},   {"1024KB/s", "1MB/s"}, {"1025B/s", "1025B/s"},
        {"2048 b/2h", "2KB/2h"},
    };
    for (const auto& [text, shortest] : cases) {
        const Rate rate = parse_rate(text).value();
        EXPECT_EQ(rate.text(), shortest);
        EXPECT_EQ(parse_rate(rate.text()), rate) << "must read what it writes";
    }
}

}  // namespace
}  // namespace outpost::limit

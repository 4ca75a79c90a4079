#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace outpost::base {
namespace {

TEST(Clock, WritesDatesOfMailAndOfLogs) {
    const WallTime time{std::chrono::milliseconds(1'795'298'213'045)};
    EXPECT_EQ(rfc5322_date(time), "Sat, 21 Nov 2026 21:56:53 +0000");
    EXPECT_EQ(rfc3339(time), "2026-11-21T21:56:53.045Z");
    EXPECT_EQ(rfc3339_seconds(time), "2026-11-21T21:56:53Z");
}

TEST(Clock, ReadsDatesOfRfc3339) {
    const WallTime time{std::chrono::milliseconds(1'795'298'213'000)};
    using std::chrono::milliseconds;
    const std::pair<std::string_view, WallTime> cases[] = {
        {"2026-11-21T21:56:53Z", time},
        {"2026-11-21t21:56:53z", time},
        {"2026-11-21T21:56:53.5Z", time + milliseconds(500)},
        {"2026-11-21T21:56:53.045Z", time + milliseconds(45)},
        {"2026-11-21T21:56:53.0450000Z", time + milliseconds(45)},
        {"2026-11-21T21:56:53.0450001Z", time + milliseconds(46)},
        {"2026-11-21T21:56:53.9999Z", time + milliseconds(1000)},
        {"2026-11-21T22:56:53+01:00", time},
        {"2026-11-22T03:26:53+05:30", time},
        {"2026-11-21T13:56:53-08:00", time},
        {"2026-11-21T21:56:53-00:00", time},
        {"2024-02-29T00:00:00Z", WallTime(milliseconds(1'709'164'800'000))},
        {"2016-12-31T23:59:60Z", WallTime(milliseconds(1'483'228'800'000))},
        {"1969-12-31T23:59:59Z", WallTime(milliseconds(-1000))},
        {"0000-01-01T00:00:00Z", WallTime(milliseconds(-62'167'219'200'000))},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(parse_rfc3339(text), expected) << text;
    EXPECT_EQ(parse_rfc3339(rfc3339(time)), time);
}

TEST(Clock, RefusesWhatIsNoDateOfRfc3339) {
    for (const std::string_view text : {"",
                                        "tomorrow",
                                        "2026-11-21",
                                        "2026-11-21T21:56:53",
                                        "2026-11-21T21:56Z",
                                        "2026-11-21 21:56:53Z",
                                        "26-11-21T21:56:53Z",
                                        "2026-13-21T21:56:53Z",
                                        "2026-00-21T21:56:53Z",
                                        "2026-02-29T21:56:53Z",
                                        "2026-11-31T21:56:53Z",
                                        "2026-11-00T21:56:53Z",
                                        "2026-11-21T24:00:00Z",
                                        "2026-11-21T21:60:53Z",
                                        "2026-11-21T21:56:61Z",
                                        "2026-11-21T21:56:53.Z",
                                        "2026-11-21T21:56:53,5Z",
                                        "2026-11-21T21:56:53+0100",
                                        "2026-11-21T21:56:53+24:00",
                                        "2026-11-21T21:56:53+01:60",
                                        "2026-11-21T21:56:53Zx",
                                        " 2026-11-21T21:56:53Z",
                                        "+026-11-21T21:56:53Z",
                                        "2026-11-21T21:56:53UTC"})
        EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
}

}  // namespace
}  // namespace outpost::base

#include "control/about_time.hpp"

#include <gtest/gtest.h>

namespace outpost::control {
namespace {

using namespace std::chrono_literals;

/// 2026-11-22T13:32:10Z
constexpr base::WallTime now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 13h +
                             32min + 10s};

TEST(AboutTime, SaysNoMoreThanAnEstimateKnows) {
    EXPECT_EQ(about(now, now), "now");
    EXPECT_EQ(about(now - 1h, now), "now");
    EXPECT_EQ(about(now + 30s, now), "within a minute");
    EXPECT_EQ(about(now + 60min, now), "about 14:33 UTC");
    EXPECT_EQ(about(now + 23h, now), "about 12:33 UTC");
    EXPECT_EQ(about(now + 24h, now), "about 1 day, 2026-11-23");
    EXPECT_EQ(about(now + 70h, now), "about 3 days, 2026-11-25");
}

}  // namespace
}  // namespace outpost::control

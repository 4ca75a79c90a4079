#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace outpost::base {
namespace {

TEST(Clock, WritesDatesOfMailAndOfLogs) {
    const WallTime time{std::chrono::milliseconds(1'795'298'213'045)};
    EXPECT_EQ(rfc5322_date(time), "Sat, 21 Nov 2026 21:56:53 +0000");
    EXPECT_EQ(rfc3339(time), "2026-11-21T21:56:53.045Z");
}

}  // namespace
}  // namespace outpost::base

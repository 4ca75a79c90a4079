#include "delivery/attempt_speed.hpp"

#include <gtest/gtest.h>

namespace outpost::delivery {
namespace {

using namespace std::chrono_literals;

TEST(AttemptSpeed, IsThatOfTheLastAttempts) {
    AttemptSpeed speed;
    EXPECT_FALSE(speed.per_second());
    speed.ended(10, 2s);
    EXPECT_DOUBLE_EQ(*speed.per_second(), 5);
    for (int i = 0; i < 1000; ++i) speed.ended(1, 100ms);
    EXPECT_NEAR(*speed.per_second(), 10, 0.01) << "what was long ago counts no more";
}

TEST(AttemptSpeed, IsFiniteByACoarseClock) {
    AttemptSpeed speed;
    speed.ended(1, 0s);
    EXPECT_DOUBLE_EQ(*speed.per_second(), 1e6);
}

}  // namespace
}  // namespace outpost::delivery

#include <gtest/gtest.h>

#include <cstdlib>

#include "simulated_nodes.hpp"

namespace outpost::store {
namespace {

constexpr unsigned groups = 4;

/// How many worlds; OUTPOST_WORLDS asks for more than a run of all tests has time for.
unsigned worlds() {
    const char* const asked = std::getenv("OUTPOST_WORLDS");
    return asked != nullptr ? static_cast<unsigned>(std::stoul(asked)) : 800;
}

struct RedisSimulation : testing::TestWithParam<unsigned> {};

// Whatever happens, no window and no period ever holds more than its count, in sum over all nodes.
TEST_P(RedisSimulation, NoLimitIsEverExceeded) {
    std::uint64_t sent = 0;
    for (unsigned seed = GetParam(); seed < worlds(); seed += groups) {
        SimulatedNodes nodes(seed);
        for (int i = 0; i < 150; ++i) nodes.step();
        sent += nodes.sent();
        const std::string excess = nodes.excess();
        ASSERT_EQ(excess, "") << "seed " << seed;
        ASSERT_FALSE(nodes.replaced()) << "seed " << seed;
    }
    EXPECT_GT(sent, worlds() / groups * 20);  // of 20 to 200 at a time
}

// And once all is well again, they are used.
TEST_P(RedisSimulation, WhenAllIsWellAgainTheMailGoesOn) {
    for (unsigned seed = GetParam(); seed < worlds() / 16; seed += groups) {
        SimulatedNodes nodes(seed);
        if (nodes.period() > 10'000 || nodes.has_quota()) continue;
        for (int i = 0; i < 60; ++i) nodes.step();
        nodes.calm(2 * nodes.period() + 10'000);
        const std::int64_t begin = nodes.now();
        nodes.calm(10'000);
        // Shares of 60 % leave the rest unused after a loss; a permit in hand counts twice as long.
        EXPECT_GT(3 * nodes.sent(begin), nodes.most(10'000)) << "seed " << seed;
        ASSERT_EQ(nodes.excess(), "") << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RedisSimulation, testing::Range(0U, groups));

}  // namespace
}  // namespace outpost::store

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "redis_harness.hpp"

namespace outpost::store {
namespace {

using namespace std::chrono_literals;

/// Three nodes, each behind a proxy of its own, and everything that can go wrong in a random order:
/// a sample in real life of what redis_simulation_test.cpp does a thousand times.
struct RedisStorm : RedisTest, testing::WithParamInterface<unsigned> {
    static constexpr std::uint64_t count = 60;
    static constexpr auto period = 400ms;
    static constexpr std::uint64_t quota = 1500;
    static constexpr int events = 10;

    RedisStorm() {
        limits.rates.push_back({count, period, limit::Unit::recipients});
        limits.quota.hourly = quota;
        for (auto& proxy : proxies) proxy = std::make_unique<Proxy>(redis.port());
        for (std::size_t i = 0; i < nodes.size(); ++i) start(i);
    }
    void start(std::size_t i) {
        constexpr std::array share{0.4, 0.35, 0.25};
        nodes[i] = std::make_unique<Eater>(
            options(std::string(1, static_cast<char>('a' + i)), share[i], proxies[i]->port()),
            limits, 5, observer);
    }
    void strike(unsigned kind, std::size_t i) {
        switch (kind) {
            case 0: proxies[i]->cut(); break;
            case 1: proxies[i]->lose_answers(3); break;
            case 2:
                nodes[i]->kill();
                start(i);
                break;
            case 3:
                redis.kill();
                redis.start();
                break;
            case 4:
                nodes[i]->stop();
                start(i);
                break;
            default:
                for (auto& proxy : proxies) {
                    proxy->mend();
                    proxy->lose_answers(0);
                }
        }
    }

    RedisServer redis;
    limit::Limits limits;
    std::array<std::unique_ptr<Proxy>, 3> proxies;
    std::array<std::unique_ptr<Eater>, 3> nodes;
};

TEST_P(RedisStorm, NeverExceedsALimit) {
    for (const auto& node : nodes) node->wait_for_more(5);
    std::mt19937 random(GetParam());
    const auto begin = std::chrono::floor<std::chrono::hours>(base::SystemClock().wall());
    for (int event = 0; event < events; ++event) {
        const unsigned kind = random() % 8;
        const std::size_t node = random() % nodes.size();
        strike(kind, node);
        // How long it lasts is part of the storm, nothing is expected to have happened by then.
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 400));
    }
    strike(7, 0);
    for (const auto& node : nodes) node->wait_for_away(false);
    const auto hours = (std::chrono::floor<std::chrono::hours>(base::SystemClock().wall()) - begin);
    EXPECT_LE(observer.worst(period), count);
    EXPECT_LE(observer.total(), quota * (static_cast<std::uint64_t>(hours / 1h) + 1));
    EXPECT_GT(observer.total(), count);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RedisStorm, testing::Values(1U));

}  // namespace
}  // namespace outpost::store

#include "submission/admission.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace outpost::submission {
namespace {

config::IpAddress address(std::string_view text) {
    return *config::IpAddress::parse(text);
}

TEST(Admission, LimitsAllConnections) {
    const auto admission = Admission::make({.connections = 2, .per_address = 10});
    auto first = admission->admit();
    auto second = admission->admit();
    ASSERT_TRUE(first && second);
    EXPECT_FALSE(admission->admit());
    first.reset();
    EXPECT_TRUE(admission->admit());
}

TEST(Admission, LimitsConnectionsOfOneAddress) {
    const auto admission = Admission::make({.connections = 10, .per_address = 1});
    auto first = *admission->admit();
    auto second = *admission->admit();
    EXPECT_TRUE(first.claim(address("192.0.2.1")));
    EXPECT_FALSE(second.claim(address("192.0.2.1")));
    EXPECT_TRUE(second.claim(address("192.0.2.2")));
    first = Admission::Ticket();
    auto third = *admission->admit();
    EXPECT_TRUE(third.claim(address("192.0.2.1")));
}

TEST(Admission, ForgetsTicketsThatWereMovedFrom) {
    const auto admission = Admission::make({.connections = 2, .per_address = 2});
    {
        auto first = *admission->admit();
        ASSERT_TRUE(first.claim(address("::1")));
        const auto moved = std::move(first);
        EXPECT_EQ(admission->connections(), 1U);
    }
    EXPECT_EQ(admission->connections(), 0U);
}

TEST(Admission, NeverAdmitsMoreFromManyThreads) {
    const auto admission = Admission::make({.connections = 50, .per_address = 20});
    std::atomic<int> inside{0};
    std::atomic<bool> exceeded{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int round = 0; round < 2000; ++round) {
                auto ticket = admission->admit();
                if (!ticket || !ticket->claim(address("192.0.2.1"))) continue;
                if (++inside > 20) exceeded = true;
                --inside;
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_FALSE(exceeded);
    EXPECT_EQ(admission->connections(), 0U);
}

}  // namespace
}  // namespace outpost::submission

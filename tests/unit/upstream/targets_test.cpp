#include "upstream/targets.hpp"

#include <gtest/gtest.h>

#include <set>

#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

TEST(MxOrder, SortsByPreferenceAndShufflesEquals) {
    std::set<std::vector<std::string>> orders;
    std::minstd_rand random(1);
    for (int i = 0; i < 100; ++i) {
        const auto hosts = mx_order({{20, "c"}, {10, "a"}, {10, "b"}, {30, "d"}}, random);
        ASSERT_EQ(hosts.size(), 4U);
        EXPECT_EQ(hosts[2], "c");
        EXPECT_EQ(hosts[3], "d");
        orders.insert(hosts);
    }
    EXPECT_EQ(orders.size(), 2U);
}

TEST(MxOrder, IsEmptyForANullMx) {
    std::minstd_rand random(1);
    EXPECT_TRUE(mx_order({{0, ""}}, random).empty());
}

TEST(Target, IsShownWithNameAddressAndPort) {
    const Target target{"mx.test", {boost::asio::ip::make_address("192.0.2.1"), 587}};
    EXPECT_EQ(target.text(), "mx.test [192.0.2.1]:587");
}

TEST(FindTargets, TakesAnAddressAndALocalNameAsTheHostItself) {
    test::Loop loop;
    net::OffloadPool pool(1, 10);
    net::Resolver resolver(pool);
    std::minstd_rand random(1);
    for (const auto* host : {"127.0.0.1", "::1", "localhost"}) {
        const SmtpSettings settings{.context = loop.context,
                                    .pool = pool,
                                    .host = host,
                                    .port = 2525,
                                    .client = {},
                                    .tls = nullptr,
                                    .username = {},
                                    .password = {}};
        const auto targets = loop.run(find_targets(settings, resolver, random));
        ASSERT_TRUE(targets.has_value()) << host;
        EXPECT_TRUE(targets->front().endpoint.address().is_loopback());
        EXPECT_EQ(targets->front().endpoint.port(), 2525);
        EXPECT_EQ(targets->front().host, host);
    }
}

}  // namespace
}  // namespace outpost::upstream

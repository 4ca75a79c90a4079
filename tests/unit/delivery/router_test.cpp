#include "delivery/router.hpp"

#include <gtest/gtest.h>

namespace outpost::delivery {
namespace {

config::Config sample() {
    config::Config config;
    config.upstreams["bulk"].name = "bulk";
    config.upstreams["office"].name = "office";
    config.accounts["news"].route = "bulk";
    config.accounts["shop"].route = "office";
    return config;
}

TEST(Router, FollowsTheAccountsRoute) {
    const Router router(sample());
    EXPECT_EQ(router.route("news"), 0);
    EXPECT_EQ(router.route("shop"), 1);
}

TEST(Router, KnowsNoWayForAnUnknownAccount) {
    EXPECT_FALSE(Router(sample()).route("gone"));
}

TEST(Router, ReportsGoVia) {
    auto config = sample();
    EXPECT_FALSE(Router(config).reports()) << "each takes its message's way";
    config.dsn.via = "office";
    EXPECT_EQ(Router(config).reports(), 1);
}

TEST(Router, ReportsTakeTheOnlyWay) {
    config::Config config;
    config.upstreams["office"].name = "office";
    EXPECT_EQ(Router(config).reports(), 0);
}

}  // namespace
}  // namespace outpost::delivery

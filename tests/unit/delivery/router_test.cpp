#include "delivery/router.hpp"

#include <gtest/gtest.h>

namespace outpost::delivery {
namespace {

using Ways_ = std::vector<WayIndex>;

/// Ways: 0 bulk, 1 eu, 2 office, 3 the group spread.
config::Config sample() {
    config::Config config;
    for (const char* name : {"bulk", "eu", "office"}) config.upstreams[name].name = name;
    config.groups["spread"] = {"spread", config::Strategy::failover, {{"eu"}, {"bulk"}}};
    config.accounts["news"].route = "bulk";
    config.accounts["shop"];
    return config;
}

config::Route via(const std::string& name) {
    config::Route route;
    route.via = name;
    return route;
}

class RouterTest : public ::testing::Test {
  protected:
    [[nodiscard]] Router router() const { return {config, Ways(config)}; }
    [[nodiscard]] Ways_ routes(const std::string& sender, std::vector<std::string> recipients,
                               const std::string& header = {},
                               const std::string& account = "shop") const {
        smtp::Envelope envelope;
        envelope.account = account;
        envelope.reverse_path = sender;
        envelope.priority = 3;
        for (auto& address : recipients)
            envelope.recipients.push_back(
                {.address = std::move(address), .notify = {}, .orcpt = {}});
        return router().routes(account, envelope, message::read_header(header));
    }

    config::Config config = sample();
};

TEST_F(RouterTest, AnAccountsOwnRouteComesFirst) {
    config.routes = {via("office")};
    EXPECT_EQ(router().route("news", 3), 0);
    EXPECT_EQ(router().route("shop", 3), 2);
    EXPECT_EQ(routes("a@example.com", {"b@example.org"}, {}, "news"), Ways_{0});
}

TEST_F(RouterTest, KnowsNoWayForAnUnknownAccount) {
    config.routes = {via("office")};
    EXPECT_FALSE(router().knows("gone"));
    EXPECT_FALSE(router().route("gone", 3));
}

TEST_F(RouterTest, GoesByAccountAndPriorityWithoutTheMessage) {
    auto urgent = via("eu");
    urgent.priorities = {1, 2};
    auto other = via("bulk");
    other.accounts = {"crm"};
    config.accounts["crm"];
    config.routes = {urgent, other, via("spread")};
    EXPECT_EQ(router().route("shop", 1), 1);
    EXPECT_EQ(router().route("crm", 3), 0);
    EXPECT_EQ(router().route("shop", 3), 3);
}

TEST_F(RouterTest, ReadsTheMessageOnlyIfARouteThatMayFitAsksForIt) {
    auto urgent = via("eu");
    urgent.priorities = {1};
    auto brands = via("bulk");
    brands.sender_domains = {"brands.example"};
    config.routes = {urgent, brands, via("office")};
    EXPECT_EQ(router().route("shop", 1), 1);
    EXPECT_FALSE(router().route("shop", 3)) << "the sender's domain decides";
    EXPECT_FALSE(router().reads_header());
}

TEST_F(RouterTest, MatchesDomainsInAnyFormAndCase) {
    auto brands = via("eu");
    brands.sender_domains = {"xn--mnchen-3ya.example", ".brands.example"};
    config.routes = {brands, via("office")};
    EXPECT_EQ(routes("a@MÜNCHEN.example", {"b@example.org"}), Ways_{1});
    EXPECT_EQ(routes("a@brands.example", {"b@example.org"}), Ways_{1});
    EXPECT_EQ(routes("a@x.Brands.Example", {"b@example.org"}), Ways_{1});
    EXPECT_EQ(routes("a@notbrands.example", {"b@example.org"}), Ways_{2});
    EXPECT_EQ(routes("", {"b@example.org"}), Ways_{2}) << "a report has no sender";
}

TEST_F(RouterTest, EachRecipientHasAWay) {
    auto google = via("eu");
    google.recipient_domains = {"gmail.com", "googlemail.com"};
    config.routes = {google, via("office")};
    EXPECT_EQ(routes("a@example.com", {"x@gmail.com", "y@example.org", "z@GoogleMail.com"}),
              (Ways_{1, 2, 1}));
}

TEST_F(RouterTest, AllConditionsOfARouteMustHold) {
    auto route = via("eu");
    route.sender_domains = {"example.com"};
    route.recipient_domains = {"gmail.com"};
    config.routes = {route, via("office")};
    EXPECT_EQ(routes("a@example.com", {"x@gmail.com", "x@example.org"}), (Ways_{1, 2}));
    EXPECT_EQ(routes("a@example.net", {"x@gmail.com"}), Ways_{2});
}

TEST_F(RouterTest, MatchesHeaderFields) {
    auto stream = via("bulk");
    stream.headers = {{"X-Stream", "Bulk mail"}, {"List-Unsubscribe", std::nullopt}};
    config.routes = {stream, via("office")};
    EXPECT_TRUE(router().reads_header());
    EXPECT_EQ(routes("a@example.com", {"x@example.org"}, "x-stream: bulk\r\n MAIL\r\n\r\n"),
              Ways_{0});
    EXPECT_EQ(routes("a@example.com", {"x@example.org"}, "List-Unsubscribe: <x>\r\n\r\n"),
              Ways_{0});
    EXPECT_EQ(routes("a@example.com", {"x@example.org"}, "X-Stream: other\r\n\r\n"), Ways_{2});
}

TEST_F(RouterTest, ReportsGoViaOrTheOnlyWay) {
    EXPECT_FALSE(router().reports()) << "each takes its message's way";
    config.dsn.via = "spread";
    EXPECT_EQ(router().reports(), 3);
    config::Config single;
    single.upstreams["office"].name = "office";
    EXPECT_EQ(Router(single, Ways(single)).reports(), 0);
}

}  // namespace
}  // namespace outpost::delivery

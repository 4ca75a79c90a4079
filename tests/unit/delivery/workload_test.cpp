#include "delivery/workload.hpp"

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>

#include "dispatcher_fixture.hpp"

/// When the queue will be empty, as operators are told.
namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

class WorkloadTest : public DispatcherTest {
  protected:
    QueueOutlook look() {
        std::optional<Workload> seen;
        boost::asio::co_spawn(
            io,
            [&]() -> boost::asio::awaitable<void> {
                seen.emplace(co_await dispatcher->desk().workload());
            },
            [](const std::exception_ptr& error) {
                if (error) std::rethrow_exception(error);
            });
        run();
        EXPECT_TRUE(seen);
        return outlook(std::move(*seen));
    }
    [[nodiscard]] std::chrono::milliseconds wait(const WayOutlook& way) const {
        EXPECT_TRUE(way.empty.at) << way.empty.why;
        return way.empty.at.value_or(base::WallTime()) - clock.wall();
    }
    void hourly(const std::string& upstream, std::uint64_t count) {
        config.upstreams[upstream].limits.rates = {{.count = count, .period = 1h}};
    }
};

TEST_F(WorkloadTest, AnEmptyQueueIsEmptyNow) {
    start();
    const QueueOutlook seen = look();
    EXPECT_THAT(seen.ways, IsEmpty());
    EXPECT_EQ(wait(seen.total), 0ms);
}

TEST_F(WorkloadTest, ARateThatIsUsedUpTellsWhen) {
    hourly("office", 2);
    start();
    for (int i = 0; i < 4; ++i) submit();
    submit(envelope({"a@example.org", "b@example.org"}));
    const QueueOutlook seen = look();
    ASSERT_EQ(seen.ways.size(), 1U);
    EXPECT_EQ(seen.ways[0].way, "office");
    EXPECT_EQ(seen.ways[0].ready, 3U);
    EXPECT_EQ(seen.ways[0].recipients, 4U);
    EXPECT_EQ(wait(seen.ways[0]), 2h);
    EXPECT_EQ(wait(seen.total), 2h);
    EXPECT_EQ(seen.total.oldest, seen.ways[0].oldest);
}

TEST_F(WorkloadTest, WhatIsHeldDoesNotCount) {
    hourly("office", 1);
    start();
    submit();
    const auto id = submit();
    submit();
    boost::asio::co_spawn(
        io,
        [&]() -> boost::asio::awaitable<void> {
            co_await dispatcher->desk().change({.ids = {id}}, {.what = QueueChange::What::hold});
        },
        [](const std::exception_ptr&) {});
    run();
    const QueueOutlook seen = look();
    EXPECT_EQ(seen.ways[0].ready, 1U);
    EXPECT_EQ(seen.ways[0].held, 1U);
    EXPECT_EQ(wait(seen.ways[0]), 1h);
}

TEST_F(WorkloadTest, APausedUpstreamIsNamedAndTheTotalWithIt) {
    add_upstream("other");
    add_account("crm", "other");
    hourly("other", 1);
    start();
    dispatcher->desk().pause("office");
    submit();
    submit(envelope({"a@example.org"}, "crm"));
    submit(envelope({"a@example.org"}, "crm"));
    const QueueOutlook seen = look();
    ASSERT_EQ(seen.ways.size(), 2U);
    EXPECT_EQ(seen.ways[0].empty.why, "not while upstream office is paused");
    EXPECT_EQ(wait(seen.ways[1]), 1h);
    EXPECT_EQ(seen.total.empty.why, "not while upstream office is paused");
    EXPECT_EQ(seen.total.ready, 2U);
}

TEST_F(WorkloadTest, ARetryIsWaitedFor) {
    start();
    office().always(deferred());
    submit();
    const QueueOutlook seen = look();
    EXPECT_EQ(seen.ways[0].waiting, 1U);
    EXPECT_EQ(wait(seen.ways[0]), 1min);
}

TEST_F(WorkloadTest, AnAccountsRateBindsItsWay) {
    config.accounts["shop"].limits.rates = {{.count = 1, .period = 1h}};
    start();
    for (int i = 0; i < 4; ++i) submit();
    EXPECT_EQ(wait(look().ways[0]), 3h);
}

TEST_F(WorkloadTest, AnAccountsHoursBindItsWay) {
    using std::chrono::floor;
    const auto into_the_day = clock.wall() - floor<std::chrono::days>(clock.wall());
    const auto minutes = floor<std::chrono::minutes>(into_the_day);
    config.accounts["shop"].deliver =
        limit::DeliveryHours{.from = minutes + 30min, .to = minutes + 60min, .zone = {}};
    add_account("crm", "office");
    start();
    submit(envelope({"a@example.org"}, "crm"));  // tells how fast the upstream is
    advance(1ms);
    submit();
    EXPECT_EQ(wait(look().ways[0]), minutes + 30min - into_the_day - 1ms);
}

TEST_F(WorkloadTest, MembersOfAGroupShareUnlessOneStandsInForAnother) {
    add_upstream("second");
    hourly("office", 2);
    hourly("second", 1);
    config::Group group;
    group.name = "both";
    group.members = {{.upstream = "office", .weight = 1}, {.upstream = "second", .weight = 1}};
    group.strategy = config::Strategy::overflow;
    config.groups["both"] = group;
    config.accounts["shop"].route = "both";
    start();
    for (int i = 0; i < 9; ++i) submit();
    EXPECT_EQ(wait(look().ways[0]), 2h) << "six that wait, three an hour";
    dispatcher->desk().pause("office");
    EXPECT_EQ(wait(look().ways[0]), 6h);
}

}  // namespace
}  // namespace outpost::delivery::testing

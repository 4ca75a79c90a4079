#include <gmock/gmock.h>

#include "dispatcher_fixture.hpp"

/// What the metrics show of the queue.
namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

using DeskTotalsTest = DispatcherTest;

TEST_F(DeskTotalsTest, AddUpTheAccountsOfAnUpstream) {
    add_account("crm", "office");
    start();
    dispatcher->desk().pause("office");
    submit();
    submit();
    submit(envelope({"a@example.org"}, "crm"));
    auto urgent = envelope();
    urgent.priority = 1;
    submit(std::move(urgent));
    const auto rows = dispatcher->desk().totals();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].way, "office");
    EXPECT_EQ(rows[0].priority, 1);
    EXPECT_EQ(rows[0].ready, 1U);
    EXPECT_EQ(rows[1].priority, 3);
    EXPECT_EQ(rows[1].ready, 3U);
    EXPECT_THAT(dispatcher->desk().waiting_for_limits(), IsEmpty()) << "it is paused";
}

TEST_F(DeskTotalsTest, MailThatWaitsForAnUpstreamsLimitIsThatUpstreams) {
    config.upstreams["office"].limits.rates = {{.count = 1, .period = 1h}};
    start();
    for (int i = 0; i < 4; ++i) submit();
    const auto queues = dispatcher->desk().waiting_for_limits();
    ASSERT_EQ(queues.size(), 1U);
    EXPECT_EQ(queues[0].owner, "upstream");
    EXPECT_EQ(queues[0].name, "office");
    EXPECT_EQ(queues[0].messages, 3U);
    advance(5h);
    EXPECT_THAT(dispatcher->desk().waiting_for_limits(), IsEmpty());
}

TEST_F(DeskTotalsTest, MailThatWaitsForItsAccountsLimitIsThatAccounts) {
    config.accounts["shop"].limits.rates = {{.count = 1, .period = 1h}};
    add_account("crm", "office");
    start();
    for (int i = 0; i < 3; ++i) submit();
    submit(envelope({"a@example.org"}, "crm"));
    const auto queues = dispatcher->desk().waiting_for_limits();
    ASSERT_EQ(queues.size(), 1U);
    EXPECT_EQ(queues[0].owner, "account");
    EXPECT_EQ(queues[0].name, "shop");
    EXPECT_EQ(queues[0].messages, 2U);
}

}  // namespace
}  // namespace outpost::delivery::testing

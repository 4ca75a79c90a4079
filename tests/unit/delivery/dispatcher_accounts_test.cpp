#include <gtest/gtest.h>

#include "dispatcher_fixture.hpp"

namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;

/// Accounts that change while the dispatcher runs.
class DispatcherAccountsTest : public DispatcherTest {
  protected:
    void change_accounts() {
        dispatcher->replace_accounts(config, Permits::define(limiter, config.accounts));
        run();
    }
    void rate_of_shop(std::string_view text) {
        config.accounts["shop"].limits.rates = {limit::parse_rate(text).value()};
    }
    [[nodiscard]] std::size_t sent() { return office().sent.size(); }
};

TEST_F(DispatcherAccountsTest, MailOfANewAccountIsRouted) {
    start();
    add_account("new", "office");
    change_accounts();
    submit(envelope({"a@example.org"}, "new"));
    EXPECT_EQ(sent(), 1U);
}

TEST_F(DispatcherAccountsTest, MailWhoseAccountWasNotConfiguredGoesOnceItIs) {
    start();
    submit(envelope({"a@example.org"}, "new"));
    EXPECT_EQ(sent(), 0U);
    add_account("new", "office");
    change_accounts();
    EXPECT_EQ(sent(), 1U);
}

TEST_F(DispatcherAccountsTest, AWiderRateLetsMailThatWaitsGoAtOnceAndKeepsWhatWasUsed) {
    rate_of_shop("2/h");
    start();
    for (int i = 0; i < 5; ++i) submit();
    EXPECT_EQ(sent(), 2U);
    rate_of_shop("3/h");
    change_accounts();
    EXPECT_EQ(sent(), 3U);
    config.accounts["shop"].limits.rates.clear();
    change_accounts();
    EXPECT_EQ(sent(), 5U);
}

TEST_F(DispatcherAccountsTest, ANewRateHoldsForMailThatIsInTheQueue) {
    office().hold = true;
    start();
    for (int i = 0; i < 20; ++i) submit();
    EXPECT_EQ(sent(), 5U);  // as many as its concurrency
    rate_of_shop("3/h");
    change_accounts();
    office().release();
    run();
    advance(50min);
    EXPECT_EQ(sent(), 8U);
}

TEST_F(DispatcherAccountsTest, ARemovedAccountsMailGoesByItsRouteWithinItsRate) {
    rate_of_shop("1/h");
    start();
    submit();
    submit();
    config.accounts["shop"].removed = true;
    change_accounts();
    advance(30min);
    EXPECT_EQ(sent(), 1U);
    advance(31min);
    EXPECT_EQ(sent(), 2U);
    // What came in with the last breath of the account.
    submit();
    advance(61min);
    EXPECT_EQ(sent(), 3U);
}

TEST_F(DispatcherAccountsTest, AnotherRouteIsForMailThatArrivesFromNowOn) {
    add_upstream("other");
    start();
    config.accounts["shop"].route = "other";
    change_accounts();
    submit();
    EXPECT_EQ(sent(), 0U);
    EXPECT_EQ(transports.at("other")->sent.size(), 1U);
}

}  // namespace
}  // namespace outpost::delivery::testing

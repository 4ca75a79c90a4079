#include "submission/recipient_permits.hpp"

#include <gtest/gtest.h>

#include "limit/memory_store.hpp"
#include "limit/test_time.hpp"

namespace outpost::submission {
namespace {

using namespace std::chrono_literals;
using By = RecipientPermits::Denial::By;

class Permits : public testing::Test {
  protected:
    config::Account& account() { return accounts_["shop"]; }
    const AccountLimits& limits() {
        if (!limits_) {
            limits_.emplace(limiter_, accounts_);
            store_.run();
        }
        return *limits_;
    }
    /// As a session does it, with a store that answers.
    std::optional<RecipientPermits::Denial> take_one(RecipientPermits& permits) {
        auto denial = permits.take_one();
        while (denial && denial->undecided() && store_.run() > 0) denial = permits.take_one();
        return denial;
    }
    RecipientPermits permits() { return {limiter_, limits().of("shop")}; }

    limit::FakeClock clock_;
    limit::MemoryStore store_;
    limit::Limiter limiter_{store_, clock_, limit::Limiter::Events{}};

  private:
    std::map<std::string, config::Account> accounts_;
    std::optional<AccountLimits> limits_;
};

TEST_F(Permits, AreUnlimitedWithoutLimits) {
    (void)account();
    RecipientPermits some = permits();
    for (int i = 0; i < 1000; ++i) EXPECT_FALSE(some.take_one());
    EXPECT_FALSE(limits().of("shop").submit_rate);
    EXPECT_FALSE(limits().of("shop").quota);
    EXPECT_FALSE(limits().of("nobody").quota);
}

TEST_F(Permits, OfARateComeBackAPeriodAfterTheyWereTaken) {
    account().submit_rate = {{2, 1s, limit::Unit::recipients}};
    RecipientPermits open = permits();
    EXPECT_FALSE(take_one(open));
    EXPECT_FALSE(take_one(open));
    EXPECT_EQ(take_one(open).value().by, By::submit_rate);
    clock_.advance(2s);
    // The transaction that took them goes on.
    EXPECT_FALSE(take_one(open));
    EXPECT_FALSE(take_one(open));
    EXPECT_TRUE(take_one(open));
}

TEST_F(Permits, OfAQuotaComeBackWithTheTransactionOrTheNextPeriod) {
    account().limits.quota.hourly = 2;
    {
        RecipientPermits open = permits();
        EXPECT_FALSE(take_one(open));
        EXPECT_FALSE(take_one(open));
        const auto denial = take_one(open);
        ASSERT_TRUE(denial);
        EXPECT_EQ(denial->by, By::quota);
        EXPECT_EQ(denial->wait.what, limit::Wait::For::quota);
        EXPECT_EQ(denial->wait.until, limit::utc(2026, 11, 23, 13));
    }
    {
        RecipientPermits open = permits();
        EXPECT_FALSE(take_one(open));
        EXPECT_FALSE(take_one(open));
        open.used();
    }
    RecipientPermits last = permits();
    EXPECT_TRUE(take_one(last));
    clock_.advance(1h);
    EXPECT_FALSE(take_one(last));
}

TEST_F(Permits, AwaitAnAllowance) {
    account().submit_rate = {{1000, 1h, limit::Unit::recipients}};
    const AccountLimits limits(limiter_, {{"shop", account()}});
    RecipientPermits open(limiter_, limits.of("shop"));
    ASSERT_TRUE(open.take_one());
    EXPECT_TRUE(open.take_one()->undecided());
    store_.fail("disk full");
    store_.run();
    const auto denial = open.take_one();
    ASSERT_TRUE(denial);
    EXPECT_TRUE(denial->undecided());
    EXPECT_LT(denial->wait.until, base::WallTime::max()) << "asked again after a while";
}

}  // namespace
}  // namespace outpost::submission

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "dispatcher_fixture.hpp"

namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using spool::RecipientStatus;

limit::Rate rate(std::string_view text) {
    return limit::parse_rate(text).value();
}

/// What permits cost, and who gets them when several limits meet.
class DispatcherPermitsTest : public DispatcherTest {
  protected:
    config::Upstream& office_limits() { return config.upstreams["office"]; }
    config::Account& shop() { return config.accounts["shop"]; }

    std::vector<base::MessageId> submit_many(int count, int recipients = 1,
                                             const std::string& account = "shop") {
        std::vector<std::string> to;
        for (int i = 0; i < recipients; ++i) to.push_back(std::to_string(i) + "@example.org");
        std::vector<base::MessageId> ids;
        for (int i = 0; i < count; ++i) ids.push_back(spool.keep(envelope(to, account)));
        spool.announce(ids);
        run();
        return ids;
    }
    base::MessageId submit_sized(std::size_t octets, std::uint8_t priority) {
        auto one = envelope();
        one.priority = priority;
        const auto id = spool.keep(one);
        spool.messages.at(id).octets.resize(octets, 'x');
        spool.announce({id});
        run();
        return id;
    }
    [[nodiscard]] std::size_t delivered_of(const std::vector<base::MessageId>& ids) {
        return static_cast<std::size_t>(std::ranges::count_if(
            ids, [&](auto id) { return status(id) == RecipientStatus::delivered; }));
    }
    [[nodiscard]] std::size_t recipients_of(const std::string& account) {
        std::size_t count = 0;
        for (const auto& one : office().sent)
            if (spool.messages.at(one.id).envelope.account == account)
                count += one.recipients.size();
        return count;
    }
    /// What a restart would find used of the first limit of this counter, were it killed now.
    std::uint64_t used_after_a_crash(const std::string& key, const limit::Limits& limits) {
        limit::Limiter after(limit_store, clock, {});
        return after.levels(after.define(key, limits)).front().used;
    }
};

TEST_F(DispatcherPermitsTest, ASlowUpstreamCostsAnAccountNoLease) {
    limit::Limits quota;
    quota.quota.monthly = 10'000;
    shop().limits = quota;
    shop().when_exceeded = config::WhenExceeded::hold;
    office_limits().limits.rates = {rate("14/s")};
    start();
    submit_many(20, 3000);
    advance(7s);
    const auto used = used_after_a_crash("account/shop/quota", quota);
    EXPECT_LE(used, recipients_of("shop") + 100 + 14) << "a block of 1 % at most is lost";
}

TEST_F(DispatcherPermitsTest, ASmoothAccountKeepsItsPaceBehindALimitedUpstream) {
    shop().limits = {.rates = {rate("3600/h")}, .smooth = true, .quota = {}};
    office_limits().limits.rates = {rate("10/s")};
    add_account("other", "office");
    start();
    submit_many(20'000, 1, "other");
    submit_many(5, 500);
    advance(600s);
    EXPECT_GE(recipients_of("shop"), 550U);
}

TEST_F(DispatcherPermitsTest, UnusedTurnsOfASmoothRateComeBack) {
    office_limits().limits = {.rates = {rate("60/h")}, .smooth = true, .quota = {}};
    office().always(unreachable());
    start();
    const auto ids = submit_many(2);
    advance(10min);
    office().always(delivered());
    advance(2min);
    EXPECT_EQ(delivered_of(ids), 2U);
}

TEST_F(DispatcherPermitsTest, ARetryNeedsNothingOfAQuotaThatIsUsedUp) {
    shop().limits.quota.daily = 5;
    shop().when_exceeded = config::WhenExceeded::hold;
    base::MessageId greylisted{};
    bool refuse = true;
    office().transfer = 1ms;
    office().answer = [&](base::MessageId id, const std::string&) {
        return id == greylisted && refuse ? deferred() : delivered();
    };
    start();
    greylisted = spool.keep(envelope());
    spool.announce({greylisted});
    run();
    EXPECT_EQ(delivered_of(submit_many(4)), 4U);
    const auto over = submit_many(1);
    refuse = false;
    advance(1h);
    EXPECT_EQ(status(greylisted), RecipientStatus::delivered);
    EXPECT_EQ(delivered_of(over), 0U);
}

TEST_F(DispatcherPermitsTest, SmallUrgentMailIsNotHeldUpByLargeMailThatWaits) {
    office_limits().limits.rates = {rate("10KB/5m")};
    start();
    submit_sized(6000, 3);
    const auto large = submit_sized(8000, 3);
    EXPECT_EQ(status(submit_sized(100, 1)), RecipientStatus::delivered);
    EXPECT_EQ(status(large), RecipientStatus::pending);
}

TEST_F(DispatcherPermitsTest, NorByItsOwnAccountsLargeMail) {
    shop().limits.rates = {rate("10KB/5m")};
    start();
    submit_sized(6000, 3);
    const auto large = submit_sized(8000, 3);
    EXPECT_EQ(status(submit_sized(100, 1)), RecipientStatus::delivered);
    EXPECT_EQ(status(large), RecipientStatus::pending);
}

TEST_F(DispatcherPermitsTest, AWallClockThatIsPutBackStopsNothing) {
    office_limits().limits.rates = {rate("5/s")};
    shop().limits.rates = {rate("7/s")};
    start();
    const auto ids = submit_many(20);
    clock.put_wall_back(24h);
    advance(3min);
    EXPECT_EQ(delivered_of(ids), 20U);
}

class DispatcherPermitsAt : public DispatcherPermitsTest,
                            public ::testing::WithParamInterface<int> {};
INSTANTIATE_TEST_SUITE_P(Milliseconds, DispatcherPermitsAt, ::testing::Range(985, 1003));

TEST_P(DispatcherPermitsAt, AWaitThatEndsWhileOthersAreLookedAtIsNotMissed) {
    office_limits().limits.rates = {rate("5/s")};
    start();
    submit_many(5);
    advance(std::chrono::milliseconds(GetParam()));
    clock.tick = 1ms;
    const auto last = submit_many(1);
    clock.tick = 0ms;
    advance(1100ms);
    EXPECT_EQ(delivered_of(last), 1U);
}

}  // namespace
}  // namespace outpost::delivery::testing

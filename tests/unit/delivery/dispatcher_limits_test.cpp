#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <vector>

#include "dispatcher_fixture.hpp"

namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using spool::RecipientStatus;

limit::Rate rate(std::string_view text) {
    return limit::parse_rate(text).value();
}

class DispatcherLimitsTest : public DispatcherTest {
  protected:
    config::Upstream& office_limits() { return config.upstreams["office"]; }
    config::Account& shop() { return config.accounts["shop"]; }

    std::vector<base::MessageId> submit_many(int count, std::uint8_t priority = 3,
                                             const std::string& account = "shop") {
        std::vector<base::MessageId> ids;
        for (int i = 0; i < count; ++i) {
            auto one = envelope({"a@example.org"}, account);
            one.priority = priority;
            ids.push_back(spool.keep(one));
        }
        spool.announce(ids);
        run();
        return ids;
    }
    [[nodiscard]] std::size_t delivered_of(const std::vector<base::MessageId>& ids) {
        return static_cast<std::size_t>(std::ranges::count_if(
            ids, [&](auto id) { return status(id) == RecipientStatus::delivered; }));
    }
    /// Lets time pass and returns the most recipients that any window of `period` saw.
    std::size_t worst_window(std::chrono::milliseconds time, std::chrono::milliseconds period) {
        std::vector<base::MonoTime> sent;
        office().answer = [&](base::MessageId, const std::string&) {
            sent.push_back(clock.mono());
            return delivered();
        };
        advance(time);
        office().always(delivered());
        std::size_t worst = 0;
        for (std::size_t first = 0, last = 0; last < sent.size(); ++last) {
            while (sent[last] - sent[first] > period) ++first;
            worst = std::max(worst, last - first + 1);
        }
        return worst;
    }
    [[nodiscard]] std::size_t recipients_sent() {
        std::size_t count = 0;
        for (const auto& one : office().sent) count += one.recipients.size();
        return count;
    }
};

TEST_F(DispatcherLimitsTest, AnUpstreamsRateHoldsInEveryWindowAndIsUsed) {
    office_limits().limits.rates = {rate("14/s")};
    start();
    submit_many(1000);
    EXPECT_EQ(worst_window(20s, 1s), 14U);
    EXPECT_GE(recipients_sent(), 14U * 20 * 98 / 100);
}

TEST_F(DispatcherLimitsTest, ASmoothRateIsSpreadEvenly) {
    office_limits().limits = {.rates = {rate("600/m")}, .smooth = true, .quota = {}};
    start();
    submit_many(1000);
    EXPECT_LE(worst_window(30s, 1s), 11U);
    EXPECT_NEAR(static_cast<double>(recipients_sent()), 300, 6);
}

TEST_F(DispatcherLimitsTest, WaitingForALimitBurnsNoAttemptAndWakesNobody) {
    office_limits().limits.rates = {rate("5/h")};
    start();
    const auto ids = submit_many(6);
    EXPECT_EQ(delivered_of(ids), 5U);
    rings = 0;
    advance(59min);
    EXPECT_LE(rings, 60) << "once a minute, and that is not for the limit";
    EXPECT_EQ(delivered_of(ids), 5U);
    EXPECT_EQ(spool.recipient(ids.back()).attempts, 0);
    advance(2min);
    EXPECT_EQ(delivered_of(ids), 6U);
    EXPECT_EQ(spool.recipient(ids.back()).attempts, 1);
}

TEST_F(DispatcherLimitsTest, UrgentMailTakesTheNextSlotOfALimitedUpstream) {
    office_limits().limits.rates = {rate("10/s")};
    start();
    submit_many(100'000);
    advance(3s);
    const std::size_t before = office().sent.size();
    const auto urgent = submit_many(1, 1);
    advance(2s);
    ASSERT_GT(office().sent.size(), before);
    EXPECT_EQ(office().sent[before].id, urgent.front());
}

TEST_F(DispatcherLimitsTest, MailToManyGoesInParts) {
    office_limits().limits.rates = {rate("5/s")};
    start();
    std::vector<std::string> many;
    for (int i = 0; i < 12; ++i) many.push_back(std::to_string(i) + "@example.org");
    const auto id = submit(envelope(many));
    EXPECT_EQ(worst_window(4s, 1s), 5U);
    EXPECT_EQ(office().sent.size(), 3U);
    for (std::size_t i = 0; i < many.size(); ++i) {
        EXPECT_EQ(status(id, i), RecipientStatus::delivered);
        EXPECT_EQ(spool.recipient(id, i).attempts, 1);
    }
}

TEST_F(DispatcherLimitsTest, AnAttemptThatReachedNobodyGivesItsPermitsBack) {
    office_limits().limits.rates = {rate("5/h")};
    office().always(unreachable());
    start();
    const auto ids = submit_many(5);
    advance(10min);
    EXPECT_GT(office().sent.size(), 10U);
    office().always(delivered());
    advance(1min);
    EXPECT_EQ(delivered_of(ids), 5U);
}

TEST_F(DispatcherLimitsTest, WhatWasRefusedWentOutAndCounts) {
    office_limits().limits.rates = {rate("5/h")};
    config.dsn.to = config::Dsn::To::none;
    office().always(refused());
    start();
    submit_many(8);
    EXPECT_EQ(office().sent.size(), 5U);
}

TEST_F(DispatcherLimitsTest, AnAccountsRateShapesThatAccountAlone) {
    add_account("other", "office");
    shop().limits.rates = {rate("2/s")};
    start();
    const auto mine = submit_many(10);
    const auto others = submit_many(50, 5, "other");
    EXPECT_EQ(delivered_of(mine), 2U);
    EXPECT_EQ(delivered_of(others), 50U);
    advance(2s + 50ms);
    EXPECT_EQ(delivered_of(mine), 6U);
}

TEST_F(DispatcherLimitsTest, AnAccountsTurnComesWhileADeliveryOfAnotherTakesLong) {
    add_account("other", "office");
    shop().limits.rates = {rate("1/s")};
    start();
    const auto mine = submit_many(2);
    ASSERT_EQ(delivered_of(mine), 1U);
    office().hold = true;  // from now on deliveries take long
    submit_many(2, 3, "other");
    ASSERT_EQ(office().active, 2);
    advance(1100ms);
    EXPECT_EQ(office().active, 3) << "and the next of the first account";
    office().release();
    run();
}

TEST_F(DispatcherLimitsTest, AnAccountsRateHoldsAcrossItsUpstreams) {
    add_upstream("second");
    shop().limits.rates = {rate("4/s")};
    add_account("guest", "second");
    start();
    submit_many(20);
    EXPECT_EQ(office().sent.size(), 4U);
    EXPECT_EQ(delivered_of(submit_many(3, 3, "guest")), 3U);
}

TEST_F(DispatcherLimitsTest, AQuotaThatHoldsLetsTheRestGoAfterItsReset) {
    shop().limits.quota.daily = 5;
    shop().when_exceeded = config::WhenExceeded::hold;
    start();
    const auto ids = submit_many(8);
    EXPECT_EQ(delivered_of(ids), 5U);
    const auto midnight = std::chrono::ceil<std::chrono::days>(clock.wall());
    advance(midnight - clock.wall() - 1s);
    EXPECT_EQ(delivered_of(ids), 5U);
    advance(2s);
    EXPECT_EQ(delivered_of(ids), 8U);
}

TEST_F(DispatcherLimitsTest, ARetryIsNotChargedToTheQuotaAgain) {
    shop().limits.quota.daily = 5;
    shop().when_exceeded = config::WhenExceeded::hold;
    office().always(deferred());
    start();
    const auto first = submit_many(1);
    advance(20min);
    EXPECT_GT(office().sent.size(), 3U);
    office().always(delivered());
    const auto more = submit_many(4);
    advance(1h);
    EXPECT_EQ(delivered_of(first), 1U);
    EXPECT_EQ(delivered_of(more), 4U);
}

TEST_F(DispatcherLimitsTest, AQuotaThatRejectsIsNoConcernOfDelivery) {
    shop().limits.quota.daily = 1;
    start();
    EXPECT_EQ(delivered_of(submit_many(3)), 3U);
}

TEST_F(DispatcherLimitsTest, AnUpstreamsQuotaWaitsForItsReset) {
    office_limits().limits.quota.hourly = 3;
    start();
    const auto ids = submit_many(7);
    EXPECT_EQ(delivered_of(ids), 3U);
    advance(1h);
    EXPECT_EQ(delivered_of(ids), 6U);
}

TEST_F(DispatcherLimitsTest, AReserveLeavesRoomForUrgentMail) {
    office_limits().limits.rates = {rate("10/h")};
    office_limits().reserve = config::Reserve{.priority = 1, .share = 0.2};
    start();
    const auto bulk = submit_many(100);
    EXPECT_EQ(delivered_of(bulk), 8U);
    const auto urgent = submit_many(5, 1);
    EXPECT_EQ(delivered_of(urgent), 2U);
    EXPECT_EQ(delivered_of(bulk), 8U);
    advance(61min);
    EXPECT_EQ(delivered_of(urgent), 5U);
}

TEST_F(DispatcherLimitsTest, AReserveIsFoundByUrgentMailBehindOthersWhereSharesAreWeighted) {
    office_limits().limits.rates = {rate("10/h")};
    office_limits().reserve = config::Reserve{.priority = 1, .share = 0.2};
    office_limits().priority = config::PriorityOrder::weighted;
    start();
    submit_many(100);
    const auto urgent = submit_many(1, 1);
    EXPECT_EQ(delivered_of(urgent), 1U);
}

TEST_F(DispatcherLimitsTest, WeightedPrioritiesAllGetTheirShare) {
    office_limits().limits.rates = {rate("10/s")};
    office_limits().priority = config::PriorityOrder::weighted;
    office_limits().share = {6, 1, 1, 1, 1};
    start();
    const auto high = submit_many(500, 1);
    const auto low = submit_many(500, 5);
    advance(30s);
    EXPECT_NEAR(static_cast<double>(delivered_of(high)), 260, 15);
    EXPECT_NEAR(static_cast<double>(delivered_of(low)), 45, 10);
}

TEST_F(DispatcherLimitsTest, AnAccountOfTwiceTheWeightGetsTwiceAsMuch) {
    office_limits().limits.rates = {rate("9/s")};
    add_account("other", "office");
    shop().weight = 2;
    start();
    const auto mine = submit_many(500);
    const auto others = submit_many(500, 3, "other");
    advance(20s);
    EXPECT_NEAR(static_cast<double>(delivered_of(mine)), 124, 12);
    EXPECT_NEAR(static_cast<double>(delivered_of(others)), 58, 8);
}

TEST_F(DispatcherLimitsTest, NothingLeavesOutsideAnAccountsDeliveryHours) {
    // The clock begins on a Friday at 08:00 UTC.
    shop().deliver = limit::DeliveryHours{
        .days = limit::parse_days("mon-fri").value(), .from = 9h, .to = 17h, .zone = {}};
    start();
    const auto ids = submit_many(3);
    EXPECT_EQ(delivered_of(ids), 0U);
    advance(59min);
    EXPECT_EQ(delivered_of(ids), 0U);
    advance(2min);
    EXPECT_EQ(delivered_of(ids), 3U);
    advance(8h);
    const auto late = submit_many(1);
    advance(60h);
    EXPECT_EQ(delivered_of(late), 0U) << "the weekend";
    advance(5h);
    EXPECT_EQ(delivered_of(late), 1U);
}

TEST_F(DispatcherLimitsTest, AMessageTooLargeForALimitHoldsUpNobody) {
    office_limits().limits.rates = {rate("20KB/s")};
    start();
    auto large = envelope();
    const auto big = spool.keep(large);
    spool.messages.at(big).octets.assign(30'000, 'x');
    spool.announce({big});
    const auto small = submit_many(3);
    advance(2s);
    EXPECT_EQ(delivered_of(small), 3U);
    EXPECT_EQ(status(big), RecipientStatus::pending);
    EXPECT_EQ(spool.recipient(big).attempts, 0);
}

TEST_F(DispatcherLimitsTest, SizesCountWhatIsStored) {
    office_limits().limits.rates = {rate("100KB/m")};
    start();
    std::vector<base::MessageId> ids;
    for (int i = 0; i < 5; ++i) {
        ids.push_back(spool.keep(envelope()));
        spool.messages.at(ids.back()).octets.assign(40 * 1024, 'x');
    }
    spool.announce(ids);
    run();
    EXPECT_EQ(delivered_of(ids), 2U);
    advance(61s);
    EXPECT_EQ(delivered_of(ids), 4U);
}

TEST_F(DispatcherLimitsTest, MailThatOnlyWaitsItsTurnIsNotReportedAsLate) {
    config.spool.delay_notice = 1h;
    office_limits().limits.rates = {rate("1/h")};
    start();
    submit_many(50);
    auto asked = envelope();
    asked.recipients[0].notify = {.given = true, .delay = true};
    const auto wanted = spool.keep(asked);
    spool.announce({wanted});
    run();
    const auto records = spool.journal.size();
    advance(3h);
    ASSERT_EQ(reports().size(), 1U) << "for the one who asked";
    EXPECT_TRUE(spool.recipient(wanted).delay_notified);
    EXPECT_LE(spool.journal.size() - records, 10U) << "the others are left alone";
    EXPECT_EQ(dispatcher->queue().size(), 51U + 1 - office().sent.size());
}

TEST_F(DispatcherLimitsTest, AnOutageAfterAWaitIsReportedAll) {
    config.spool.delay_notice = 4h;
    office_limits().limits.rates = {rate("1/h")};
    start();
    submit_many(100);
    advance(4h + 30min);
    office().always(login_refused());
    advance(24h);
    EXPECT_GE(reports().size(), 94U);
}

TEST_F(DispatcherLimitsTest, MailThatWaitsItsTurnStillExpires) {
    config.spool.max_age = 5h;
    config.spool.delay_notice = 1h;
    office_limits().limits.rates = {rate("1/h")};
    start();
    submit_many(20);
    advance(6h);
    EXPECT_GE(reports().size(), 13U);
}

TEST_F(DispatcherLimitsTest, ReportsAreCountedAgainstNoAccount) {
    shop().limits.quota.daily = 1;
    shop().when_exceeded = config::WhenExceeded::hold;
    office().answer = [](base::MessageId, const std::string& to) {
        return to == "sender@example.com" ? delivered() : refused();
    };
    start();
    submit_many(1);
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_EQ(status(spool.appended.front()), RecipientStatus::delivered);
}

TEST_F(DispatcherLimitsTest, NothingGoesOutOnALeaseThatIsNotStored) {
    office_limits().limits.rates = {rate("100/h")};
    limit_store.fail("the disk is full");
    start();
    const auto ids = submit_many(10);
    advance(1min);
    EXPECT_EQ(delivered_of(ids), 0U);
    limit_store.fail("");
    advance(1min);
    EXPECT_EQ(delivered_of(ids), 10U);
}

TEST_F(DispatcherLimitsTest, AThrottledUpstreamIsSlowerAfterwards) {
    office().always(deferred());
    start();
    config.retry.first = 5s;
    office().always(delivered());
    std::vector<base::MessageId> ids;
    for (int i = 0; i < 50; ++i) {  // 40 a second
        for (const auto id : submit_many(4)) ids.push_back(id);
        advance(100ms);
    }
    ASSERT_EQ(delivered_of(ids), 200U);
    office().always(throttled());
    submit_many(1);
    office().always(delivered());
    const auto after = submit_many(2000);
    advance(30s);
    const std::size_t before = delivered_of(after);
    advance(5s);
    EXPECT_NEAR(static_cast<double>(delivered_of(after) - before), 5 * 22, 30)
        << "half of what was going out lately";
}

}  // namespace
}  // namespace outpost::delivery::testing

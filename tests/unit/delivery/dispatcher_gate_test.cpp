#include <gtest/gtest.h>

#include "dispatcher_fixture.hpp"

namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using spool::RecipientStatus;

class DispatcherGateTest : public DispatcherTest {
  protected:
    std::vector<base::MessageId> submit_many(int count) {
        std::vector<base::MessageId> ids;
        for (int i = 0; i < count; ++i) ids.push_back(spool.keep(envelope()));
        spool.announce(ids);
        run();
        return ids;
    }
    [[nodiscard]] std::size_t delivered_of(const std::vector<base::MessageId>& ids) {
        return static_cast<std::size_t>(std::ranges::count_if(
            ids, [&](auto id) { return status(id) == RecipientStatus::delivered; }));
    }
};

TEST_F(DispatcherGateTest, AnOutageCostsNoAttemptAndEndsAtOnce) {
    office().always(unreachable());
    start();
    const auto ids = submit_many(1000);
    advance(1h);
    EXPECT_LE(office().sent.size(), 135U) << "one try each 30 s, after a quick start";
    EXPECT_GE(office().sent.size(), 115U);
    office().always(delivered());
    advance(30s);
    EXPECT_EQ(delivered_of(ids), 1000U);
    for (const auto id : ids) EXPECT_EQ(spool.recipient(id).attempts, 1);
}

TEST_F(DispatcherGateTest, AShortOutageIsNoticedToBeOverWithinASecond) {
    office().always(unreachable());
    start();
    const auto ids = submit_many(100);
    office().always(delivered());
    advance(1s);
    EXPECT_EQ(delivered_of(ids), 100U);
}

TEST_F(DispatcherGateTest, WhileAnUpstreamIsDownOneAttemptProbesIt) {
    office().always(unreachable());
    start();
    submit_many(100);
    office().hold = true;
    advance(10min);
    EXPECT_EQ(office().active, 1);
}

TEST_F(DispatcherGateTest, AnUpstreamThatIsDownWithNoMailKeepsNobodyAwake) {
    config.spool.max_age = 1min;
    config.dsn.to = config::Dsn::To::none;
    office().always(unreachable());
    start();
    submit();
    advance(2min);
    ASSERT_EQ(dispatcher->queue().size(), 0U);
    rings = 0;
    advance(1h);
    EXPECT_LE(rings, 61);
}

TEST_F(DispatcherGateTest, MailThatArrivesAfterAnOutageProbesAtOnce) {
    office().always(unreachable());
    auto quiet = envelope();
    quiet.recipients[0].notify = {.given = true, .never = true};
    config.spool.max_age = 1min;
    start();
    submit(quiet);
    advance(1h);
    EXPECT_EQ(dispatcher->queue().size(), 0U) << "expired meanwhile";
    office().always(delivered());
    const auto id = submit();
    EXPECT_EQ(status(id), RecipientStatus::delivered);
}

TEST_F(DispatcherGateTest, AnotherUpstreamIsNotConcerned) {
    add_upstream("bulk");
    add_account("news", "bulk");
    office().always(unreachable());
    start();
    submit();
    submit(envelope({"a@example.org"}, "news"));
    EXPECT_EQ(transports["bulk"]->sent.size(), 1U);
}

TEST_F(DispatcherGateTest, AThrottleStopsTheUpstreamForTheStatedTime) {
    auto wait = throttled();
    wait.retry_after = 90s;
    office().always(wait);
    start();
    const auto ids = submit_many(50);
    const auto tried = office().sent.size();
    EXPECT_LE(tried, 5U);
    office().always(delivered());
    advance(89s);
    EXPECT_EQ(office().sent.size(), tried);
    advance(1s);
    EXPECT_GE(delivered_of(ids), 1U);
    advance(10s);  // it is slower now
    EXPECT_EQ(delivered_of(ids), 50U);
}

TEST_F(DispatcherGateTest, AWrongPasswordKeepsTheMailAndALoginBringsItOut) {
    office().always(login_refused());
    office().probe_answer = std::unexpected("535 Bad password");
    start();
    const auto ids = submit_many(100);
    const auto tried = office().sent.size();
    EXPECT_LE(tried, 5U);
    advance(15min);
    EXPECT_EQ(office().probes, 1);
    EXPECT_EQ(office().sent.size(), tried) << "a login, no mail";
    for (const auto id : ids) {
        EXPECT_EQ(status(id), RecipientStatus::pending);
        EXPECT_EQ(spool.recipient(id).attempts, 0);
    }
    office().always(delivered());
    office().probe_answer = {};
    advance(15min);
    EXPECT_EQ(office().probes, 2);
    EXPECT_EQ(delivered_of(ids), 100U);
}

TEST_F(DispatcherGateTest, ASuspendedUpstreamStillGivesNoticeAndExpires) {
    office().always(login_refused());
    office().probe_answer = std::unexpected("535 Bad password");
    start();
    const auto id = submit();
    advance(4h);
    EXPECT_TRUE(spool.recipient(id).delay_notified);
    advance(5 * 24h - 4h);
    EXPECT_EQ(status(id), RecipientStatus::failed);
}

TEST_F(DispatcherGateTest, AnOutageInTheMidstOfMessagesIsNotTheirFault) {
    office().transfer = 1ms;
    office().always(unreachable());
    start();
    const auto ids = submit_many(100);
    office().transfer = 0ms;
    advance(10min);
    office().always(delivered());
    advance(30s);
    EXPECT_EQ(delivered_of(ids), 100U);
}

TEST_F(DispatcherGateTest, AMessageThatBreaksTheConnectionDoesNotHoldUpTheOthers) {
    office().transfer = 1ms;
    base::MessageId poison;
    office().answer = [&](base::MessageId id, const std::string&) {
        return id == poison ? unreachable() : delivered();
    };
    start();
    auto urgent = envelope();
    urgent.priority = 1;
    poison = spool.keep(urgent);
    auto ids = std::vector{poison};
    for (int i = 0; i < 500; ++i) ids.push_back(spool.keep(envelope()));
    spool.announce(ids);
    run();
    advance(10s);
    EXPECT_EQ(delivered_of(ids), 500U);
    EXPECT_EQ(status(poison), RecipientStatus::pending);
    EXPECT_EQ(spool.recipient(poison).attempts, 1);
    EXPECT_EQ(spool.recipient(poison).next_attempt > clock.wall(), true);
}

TEST_F(DispatcherGateTest, ALoginThatMailNeedsSuspendsEachTimeAndCostsTheMessageNothing) {
    office().transfer = 1ms;
    office().always(login_refused());
    start();
    const auto id = submit();
    for (int times = 0; times < 3; ++times) {
        EXPECT_EQ(office().sent.size(), static_cast<std::size_t>(times + 1));
        EXPECT_EQ(spool.recipient(id).attempts, 0);
        advance(14min);
        EXPECT_EQ(office().sent.size(), static_cast<std::size_t>(times + 1)) << "suspended";
        advance(1min);  // the login by itself succeeds
    }
    office().always(delivered());
    advance(15min);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
}

TEST_F(DispatcherGateTest, AMessageWhoseRecipientAloneWantsALoginSuspendsOnlyOnce) {
    office().transfer = 1ms;
    base::MessageId odd;
    office().answer = [&](base::MessageId id, const std::string&) {
        return id == odd ? login_wanted() : delivered();
    };
    start();
    odd = spool.keep(envelope());
    spool.announce({odd});
    run();
    const auto ids = submit_many(10);
    EXPECT_EQ(delivered_of(ids), 0U);
    advance(15min);
    EXPECT_EQ(delivered_of(ids), 10U);
    advance(1h);
    EXPECT_EQ(delivered_of(submit_many(10)), 10U);
    EXPECT_EQ(status(odd), RecipientStatus::pending);
}

}  // namespace
}  // namespace outpost::delivery::testing

#include <gmock/gmock.h>

#include <boost/asio/use_future.hpp>

#include "delivery/slices.hpp"
#include "dispatcher_fixture.hpp"

/// A dispatcher of another configuration takes the place of one that runs.
namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::IsEmpty;

using SuccessionTest = DispatcherTest;

TEST_F(SuccessionTest, WhatWaitsGoesByTheNewRoute) {
    start();
    office().always(deferred());
    const auto id = submit();
    add_upstream("second");
    config.accounts["shop"].route = "second";
    reload();
    EXPECT_THAT(at("second").sent, IsEmpty()) << "its time has not come";
    advance(61s);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(at("second").sent.size(), 1U);
    EXPECT_EQ(before.at("office")->sent.size(), 1U);
    EXPECT_EQ(spool.recipient(id).attempts, 2U);
}

TEST_F(SuccessionTest, WhatIsStoredAfterwardsGoesByTheNewOne) {
    start();
    reload();
    const auto id = submit();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(office().sent.size(), 1U);
    EXPECT_THAT(before.at("office")->sent, IsEmpty());
}

TEST_F(SuccessionTest, AnAttemptUnderWayEndsWhereItBeganAndItsMailComesAfterwards) {
    start();
    office().hold = true;
    office().always(deferred());
    const auto id = submit();
    reload();
    EXPECT_THAT(office().sent, IsEmpty());
    before.at("office")->release();
    run();
    EXPECT_EQ(spool.recipient(id).attempts, 1U);
    EXPECT_THAT(office().sent, IsEmpty());
    advance(61s);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(SuccessionTest, BothTogetherKeepToTheConcurrency) {
    config.upstreams["office"].concurrency = 2;
    start();
    office().hold = true;
    submit();
    submit();
    submit();
    reload();
    EXPECT_THAT(office().sent, IsEmpty()) << "two are under way already";
    before.at("office")->release();
    run();
    EXPECT_EQ(before.at("office")->sent.size(), 2U);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(SuccessionTest, TheSecondReloadFindsWhatTheFirstLeftUnderWay) {
    config.upstreams["office"].concurrency = 1;
    start();
    office().hold = true;
    office().always(deferred());
    const auto id = submit();
    FakeTransport& first = office();
    reload();
    reload();
    const auto later = submit();
    EXPECT_THAT(office().sent, IsEmpty());
    first.release();
    run();
    EXPECT_EQ(status(later), spool::RecipientStatus::delivered);
    advance(61s);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(office().sent.size(), 2U);
}

TEST_F(SuccessionTest, AnUpstreamThatGoesAndComesBackKeepsItsAttemptsAndItsPause) {
    config.upstreams["office"].concurrency = 1;
    start();
    office().hold = true;
    office().always(deferred());
    submit();
    FakeTransport& first = office();
    const config::Upstream settings = config.upstreams["office"];
    config.upstreams.erase("office");
    add_upstream("second");
    config.accounts["shop"].route = "second";
    reload();
    config.upstreams["office"] = settings;
    config.accounts["shop"].route = "office";
    reload();
    const auto later = submit();
    EXPECT_THAT(office().sent, IsEmpty()) << "one is under way already";
    first.release();
    run();
    EXPECT_EQ(status(later), spool::RecipientStatus::delivered);
    dispatcher->desk().pause("office");
    config.upstreams.erase("office");
    config.accounts["shop"].route = "second";
    reload();
    config.upstreams["office"] = settings;
    config.accounts["shop"].route = "office";
    reload();
    office().sent.clear();
    submit();
    EXPECT_THAT(office().sent, IsEmpty());
}

TEST_F(SuccessionTest, WhatAnUpstreamSaysToTheLastAttemptsIsHeard) {
    config.upstreams["office"].concurrency = 1;
    start();
    office().hold = true;
    office().always(login_refused());
    submit();
    submit();
    reload({"office"});
    before.at("office")->release();
    run();
    EXPECT_THAT(office().sent, IsEmpty()) << "it is suspended";
}

TEST_F(SuccessionTest, PermitsThatComeBackWakeTheNewOne) {
    config.upstreams["office"].limits.rates = {{.count = 1, .period = 24h}};
    start();
    office().hold = true;
    office().always(unreachable());
    submit();
    const auto later = submit();
    reload();
    EXPECT_THAT(office().sent, IsEmpty());
    before.at("office")->release();
    run();
    EXPECT_EQ(office().sent.size(), 1U);
    (void)later;
}

TEST_F(SuccessionTest, PartsOfAMessageAreRoutedAnew) {
    add_upstream("second");
    config.accounts["shop"].route.clear();
    config.routes = {route("second", {"two.example"}), route("office")};
    start();
    office().hold = true;
    at("second").always(deferred());
    const auto id = submit(envelope({"a@one.example", "b@two.example"}));
    ASSERT_EQ(office().sent.size(), 1U) << "the other part waits for this one";
    config.routes = {route("second")};
    reload();
    before.at("office")->always(deferred());
    before.at("office")->release();
    run();
    advance(2min);
    EXPECT_EQ(status(id, 0), spool::RecipientStatus::delivered);
    EXPECT_EQ(status(id, 1), spool::RecipientStatus::delivered);
    std::size_t recipients = 0;
    for (const auto& sent : at("second").sent) recipients += sent.recipients.size();
    EXPECT_EQ(recipients, 2U);
    EXPECT_THAT(office().sent, IsEmpty());
}

TEST_F(SuccessionTest, AMessageOfWhichAPartIsDoneIsNotSentAgain) {
    add_upstream("second");
    config.accounts["shop"].route.clear();
    config.routes = {route("second", {"two.example"}), route("office")};
    start();
    at("second").always(deferred());
    const auto id = submit(envelope({"a@one.example", "b@two.example"}));
    ASSERT_EQ(status(id, 0), spool::RecipientStatus::delivered);
    config.routes = {route("office")};
    reload();
    advance(61s);
    EXPECT_EQ(status(id, 1), spool::RecipientStatus::delivered);
    ASSERT_EQ(office().sent.size(), 1U);
    EXPECT_EQ(office().sent.front().recipients, std::vector<std::string>{"b@two.example"});
}

TEST_F(SuccessionTest, ASuspendedUpstreamStaysSoUnlessItsSettingsChanged) {
    start();
    office().always(login_refused());
    submit();
    reload({"office"});
    submit();
    EXPECT_THAT(office().sent, IsEmpty());
    reload();
    EXPECT_EQ(office().sent.size(), 2U);
}

TEST_F(SuccessionTest, AStatedWaitIsKept) {
    start();
    office().answer = [](base::MessageId, const std::string&) {
        auto wait = throttled();
        wait.retry_after = 1h;
        return wait;
    };
    submit();
    reload({"office"});
    advance(30min);
    EXPECT_THAT(office().sent, IsEmpty());
    advance(31min);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(SuccessionTest, WhatTheOperatorPausedStaysPaused) {
    start();
    dispatcher->desk().pause("office");
    const auto id = submit();
    reload();
    EXPECT_THAT(office().sent, IsEmpty());
    dispatcher->desk().resume("office");
    run();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
}

TEST_F(SuccessionTest, DeadlinesStay) {
    config.spool.max_age = 2h;
    config.spool.delay_notice = 0ms;
    start();
    office().always(deferred());
    const auto id = submit();
    advance(1h);
    reload();
    office().always(deferred());
    advance(59min);
    EXPECT_EQ(status(id), spool::RecipientStatus::pending);
    advance(5min);
    EXPECT_NE(status(id), spool::RecipientStatus::pending);
    EXPECT_EQ(reports().size(), 1U);
}

TEST_F(SuccessionTest, ALimitKeepsWhatWasUsed) {
    config.upstreams["office"].limits.rates = {{.count = 2, .period = 1h}};
    start();
    submit();
    submit();
    submit();
    config.upstreams["office"].limits.rates = {{.count = 3, .period = 1h}};
    reload();
    submit();
    EXPECT_EQ(office().sent.size(), 1U);
    advance(61min);
    EXPECT_EQ(office().sent.size(), 2U);
}

TEST_F(SuccessionTest, MailOfAnAccountThatComesBackIsSent) {
    start();
    office().always(deferred());
    const auto id = submit();
    const config::Account shop = config.accounts["shop"];
    config.accounts.erase("shop");
    reload();
    advance(2min);
    EXPECT_THAT(office().sent, IsEmpty());
    config.accounts["shop"] = shop;
    reload();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
}

TEST_F(SuccessionTest, AnEnvelopeThatCannotBeReadDuringAReloadIsReadByTheNewOne) {
    add_upstream("second");
    config.accounts["shop"].route.clear();
    config.routes = {route("second", {"two.example"}), route("office")};
    start();
    spool.hold_reads(io.get_executor());
    const auto id = submit(envelope({"a@one.example"}));
    spool.read_failures[id] = {.damaged = false, .reason = "input/output error"};
    reload();
    spool.release_reads();
    run();
    EXPECT_THAT(office().sent, IsEmpty());
    spool.read_failures.clear();
    advance(10min);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(SuccessionTest, WhatAnOperatorHasInHandAtTwoReloadsReachesTheLastOne) {
    start();
    office().always(deferred());
    const auto id = submit();
    spool.hold_reads(io.get_executor());
    auto changed =
        boost::asio::co_spawn(io, dispatcher->desk().change({}, {}), boost::asio::use_future);
    run();
    reload();
    reload();
    EXPECT_THAT(office().sent, IsEmpty());
    spool.release_reads();
    run();
    EXPECT_EQ(changed.get()->done, std::vector{id});
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered) << "it was told to try at once";
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(SuccessionTest, ALongQueueChangesHandsWhileDeliveriesGoOn) {
    add_upstream("second");
    add_account("crm", "second");
    config.upstreams["office"].concurrency = 1;
    start();
    dispatcher->desk().pause("office");
    constexpr std::size_t count = 1000;
    std::vector<base::MessageId> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(spool.keep(envelope()));
    spool.announce(ids);
    run();
    begin_reload();
    io.restart();
    for (int steps = 0; dispatcher->queue().size() == 0; ++steps) {
        ASSERT_LT(steps, 100);
        io.poll_one();
    }
    ASSERT_LT(dispatcher->queue().size(), count) << "it is handed on in one go";
    const auto id = spool.submit(envelope({"a@example.org"}, "crm"));
    for (int steps = 0; status(id) != spool::RecipientStatus::delivered; ++steps) {
        ASSERT_LT(steps, 100);
        io.poll_one();
    }
    EXPECT_LT(dispatcher->queue().size(), count) << "it went while others were handed on";
    run();
    EXPECT_EQ(dispatcher->queue().size(), count);
    EXPECT_EQ(earlier.front()->queue().size(), 0U);
    dispatcher->desk().resume("office");
    run();
    ASSERT_EQ(office().sent.size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(office().sent[i].id, ids[i]);
}

TEST_F(SuccessionTest, WhatIsPausedAndNotConfiguredCanBePausedAgain) {
    start();
    dispatcher->desk().pause("office");
    const config::Upstream settings = config.upstreams["office"];
    config.upstreams.erase("office");
    add_upstream("second");
    config.accounts["shop"].route = "second";
    reload();
    EXPECT_TRUE(dispatcher->desk().pause("office", {.since = {}, .reason = "maintenance"}));
    EXPECT_FALSE(dispatcher->desk().pause("nowhere"));
    config.upstreams["office"] = settings;
    reload();
    EXPECT_EQ(wait(dispatcher->desk().list({}, 1)).size(), 0U);
    ASSERT_TRUE(dispatcher->desk().paused("office"));
    EXPECT_TRUE(*dispatcher->desk().paused("office"));
}

/// After how many steps of the hand-over the attempt at a part ends.
class PartsTest : public SuccessionTest, public ::testing::WithParamInterface<int> {};

TEST_P(PartsTest, AreHandedOnTogether) {
    for (const char* const name : {"second", "third"}) add_upstream(name);
    add_account("bulk", "third");
    config.accounts["shop"].route.clear();
    config.routes = {route("second", {"two.example"}), route("office")};
    start();
    dispatcher->desk().pause("second");
    dispatcher->desk().pause("third");
    // One part takes a place at the beginning that has become free, the other one at the end.
    std::vector<base::MessageId> ids;
    for (std::uint32_t i = 0; i < places_a_slice + 10; ++i)
        ids.push_back(spool.keep(envelope({"x@example.org"}, "bulk")));
    spool.announce(ids);
    run();
    wait(dispatcher->desk().change({.ids = {ids.front()}}, {.what = QueueChange::What::cancel}));
    office().hold = true;
    office().always(deferred());
    const auto id = submit(envelope({"a@one.example", "b@two.example"}));
    ASSERT_EQ(office().sent.size(), 1U);
    config.routes = {route("office")};
    begin_reload();
    io.restart();
    for (int step = 0; step < GetParam(); ++step) io.poll_one();
    // An attempt that takes its time: a second one would go out beside it.
    office().hold = true;
    before.at("office")->release();
    run();
    advance(2min);
    office().release();
    run();
    std::map<std::string, int> sent;
    for (const auto& one : office().sent)
        for (const auto& recipient : one.recipients) ++sent[recipient];
    EXPECT_THAT(sent, ::testing::ElementsAre(::testing::Pair("a@one.example", 1),
                                             ::testing::Pair("b@two.example", 1)));
    EXPECT_EQ(status(id, 0), spool::RecipientStatus::delivered);
    EXPECT_EQ(status(id, 1), spool::RecipientStatus::delivered);
}

INSTANTIATE_TEST_SUITE_P(Steps, PartsTest, ::testing::Range(0, 8));

TEST_F(SuccessionTest, TheOneBeforeClosesWhenItsLastAttemptHasEnded) {
    start();
    office().hold = true;
    submit();
    reload();
    auto ended = boost::asio::co_spawn(io, earlier.front()->stop(24h), boost::asio::use_future);
    run();
    EXPECT_FALSE(before.at("office")->closed);
    before.at("office")->release();
    run();
    EXPECT_TRUE(before.at("office")->closed);
    EXPECT_EQ(ended.get(), 0U);
}

TEST_F(SuccessionTest, AnOperatorsTestEndsWhereItBeganAndKeepsItsPlaceUntilThen) {
    config.upstreams["office"].concurrency = 1;
    start();
    office().hold = true;
    std::optional<TestReport> report;
    boost::asio::co_spawn(io, dispatcher->desk().send_test("office", {.to = "ann@example.org"}),
                          [&](const std::exception_ptr& error, std::optional<TestReport> result) {
                              if (error) std::rethrow_exception(error);
                              report = std::move(result);
                          });
    run();
    reload({"office"});
    auto stopped = boost::asio::co_spawn(io, earlier.front()->stop(1h), boost::asio::use_future);
    const auto id = submit();
    EXPECT_THAT(office().sent, IsEmpty()) << "its place is taken";
    EXPECT_FALSE(before.at("office")->closed);
    before.at("office")->release();
    run();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->outcome->verdict, upstream::Verdict::delivered);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_TRUE(before.at("office")->closed);
    EXPECT_EQ(stopped.wait_for(0s), std::future_status::ready);
    EXPECT_TRUE(earlier.front()->idle());
}

}  // namespace
}  // namespace outpost::delivery::testing

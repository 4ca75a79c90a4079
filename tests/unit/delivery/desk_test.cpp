#include <gmock/gmock.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "dispatcher_fixture.hpp"

/// What operators see of the queue and do with it.
namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using What = QueueChange::What;

class DeskTest : public DispatcherTest {
  protected:
    Desk& desk() { return dispatcher->desk(); }
    std::string why(base::MessageId id) {
        const auto views = wait(desk().show(id));
        EXPECT_EQ(views.size(), 1U);
        return views.empty() ? "" : views.front().reason;
    }
    QueueChanged change(What what, MessageFilter filter = {}) {
        return *wait(desk().change(std::move(filter), {.what = what}));
    }
};

TEST_F(DeskTest, SaysWhyAMessageWaitsForItsUpstream) {
    start();
    office().always(login_refused());
    const auto id = submit();
    EXPECT_THAT(why(id), HasSubstr("upstream office suspended since"));
    EXPECT_THAT(why(id), HasSubstr("535 Bad password"));
    office().always(unreachable());
    ASSERT_TRUE(desk().resume("office"));
    run();
    EXPECT_THAT(why(id), HasSubstr("upstream office unreachable since"));
    EXPECT_THAT(why(id), HasSubstr("connection refused"));
}

TEST_F(DeskTest, SaysWhichLimitAMessageWaitsForAndUntilWhen) {
    config.upstreams["office"].limits.rates = {{.count = 1, .period = 1h}};
    start();
    submit();
    submit();
    const auto third = submit();
    EXPECT_THAT(why(third), HasSubstr("waits for rate 1/h of upstream office: used up, next slot"));
    EXPECT_THAT(why(third), HasSubstr(", 1 message ahead of it"));
    const auto views = desk().upstreams();
    ASSERT_EQ(views.size(), 1U);
    EXPECT_EQ(views[0].ready, 2U);
    EXPECT_THAT(views[0].waits_for, HasSubstr("1/h"));
    ASSERT_EQ(views[0].limits.size(), 1U);
    EXPECT_EQ(views[0].limits[0].used, 1U);
}

TEST_F(DeskTest, SaysWhichLimitOfItsAccountAMessageWaitsFor) {
    config.accounts["shop"].limits.rates = {{.count = 1, .period = 1h}};
    start();
    submit();
    const auto id = submit();
    EXPECT_THAT(why(id), HasSubstr("waits for rate 1/h of account shop: used up, free again"));
}

TEST_F(DeskTest, SaysWhenTheDeliveryHoursOfItsAccountBegin) {
    // The clock begins on a Friday at 08:00 UTC.
    config.accounts["shop"].deliver = limit::DeliveryHours{
        .days = limit::parse_days("mon-fri").value(), .from = 10h, .to = 17h, .zone = {}};
    start();
    const auto id = submit();
    EXPECT_THAT(why(id),
                AllOf(HasSubstr("outside the delivery hours mon-fri 10:00-17:00"),
                      HasSubstr(" of account shop; they begin at "), HasSubstr("T10:00:00Z")));
}

TEST_F(DeskTest, SaysWhomTheRestOfALimitIsKeptFor) {
    auto& office = config.upstreams["office"];
    office.limits.rates = {{.count = 10, .period = 1h}};
    office.reserve = config::Reserve{.priority = 1, .share = 0.2};
    start();
    for (int i = 0; i < 8; ++i) submit();
    const auto id = submit();
    EXPECT_THAT(why(id), HasSubstr("waits for rate 10/h of upstream office: 8 of 10 used and 2 "
                                   "kept for priority 1, next slot at"));
    for (int i = 0; i < 3; ++i) {
        auto urgent = envelope();
        urgent.priority = 1;
        submit(urgent);
    }
    EXPECT_THAT(why(id), HasSubstr("rate 10/h of upstream office: used up, next slot"));
}

TEST_F(DeskTest, MailThatItsAccountsLimitKeepsBackIsAheadOfNoOther) {
    config.upstreams["office"].limits.rates = {{.count = 2, .period = 1h}};
    config.accounts["shop"].limits.rates = {{.count = 1, .period = 1h}};
    add_account("desk", "office");
    start();
    submit();
    const auto limited = submit();
    const auto behind = submit();
    submit(envelope({"a@example.org"}, "desk"));
    const auto one = submit(envelope({"a@example.org"}, "desk"));
    const auto two = submit(envelope({"a@example.org"}, "desk"));
    EXPECT_THAT(why(limited), Not(HasSubstr("ahead of it")));
    EXPECT_THAT(why(behind), HasSubstr(", 1 message of account shop ahead of it"));
    EXPECT_THAT(why(one), Not(HasSubstr("ahead of it")));
    EXPECT_THAT(why(two), HasSubstr(", 1 message ahead of it"));
    EXPECT_THAT(wait(desk().list({.state = "limited"}, 9)), SizeIs(2));
    EXPECT_THAT(wait(desk().list({.state = "ready"}, 9)), SizeIs(2));
    const auto views = desk().upstreams();
    EXPECT_EQ(views[0].ready, 2U);
    EXPECT_EQ(views[0].limited, 2U);
    EXPECT_THAT(views[0].limited_accounts, ElementsAre("shop"));
    const auto load = wait(desk().workload());
    ASSERT_EQ(load.ways.size(), 1U);
    EXPECT_EQ(load.ways[0].shown.limited, 2U);
}

TEST_F(DeskTest, SaysWhatTheUpstreamSaidAndWhenItIsTriedAgain) {
    start();
    office().always(deferred());
    const auto id = submit();
    EXPECT_THAT(why(id), HasSubstr("deferred by upstream office after 1 attempt: 450 Mailbox "
                                   "busy; next attempt in 60 s"));
    const auto view = wait(desk().show(id)).front();
    EXPECT_EQ(view.state, "waiting");
    EXPECT_EQ(view.sender, "sender@example.com");
    EXPECT_THAT(view.recipients, ElementsAre("a@example.org"));
}

TEST_F(DeskTest, SaysThatAMessageIsOnItsWay) {
    start();
    office().hold = true;
    const auto id = submit();
    EXPECT_THAT(why(id), HasSubstr("is being sent by upstream office since"));
    using enum QueueChanged::Why;
    EXPECT_THAT(change(What::cancel).skipped, ElementsAre(QueueChanged::Skipped{id, sending}))
        << "not in the middle of it";
    office().release();
    run();
    EXPECT_THAT(wait(desk().show(id)), IsEmpty());
}

TEST_F(DeskTest, FiltersBySenderRecipientAccountStateAndAge) {
    add_account("crm", "office");
    start();
    desk().pause("office");
    const auto one = submit(envelope({"a@gmail.com"}));
    const auto two = submit(envelope({"b@example.org"}, "crm"));
    const auto ids = [&](MessageFilter filter) {
        std::vector<base::MessageId> result;
        for (const auto& view : wait(desk().list(std::move(filter), 10))) result.push_back(view.id);
        return result;
    };
    EXPECT_THAT(ids({}), ElementsAre(one, two));
    EXPECT_THAT(ids({.recipient = "@gmail.com"}), ElementsAre(one));
    EXPECT_THAT(ids({.recipient = "B@example.org"}), ElementsAre(two));
    EXPECT_THAT(ids({.account = "crm"}), ElementsAre(two));
    EXPECT_THAT(ids({.sender = "@elsewhere.example"}), IsEmpty());
    EXPECT_THAT(ids({.way = "office", .state = "ready"}), ElementsAre(one, two));
    EXPECT_THAT(ids({.state = "held"}), IsEmpty());
    EXPECT_THAT(ids({.ids = {two}}), ElementsAre(two));
    EXPECT_EQ(wait(desk().list({}, 1)).size(), 1U);
    EXPECT_EQ(desk().queue().size(), 2U);
}

TEST_F(DeskTest, FiltersByTheReasonAndTheLastReply) {
    add_upstream("other");
    add_account("desk", "other");
    start();
    office().always(deferred());
    const auto busy = submit();
    desk().pause("other", {.since = clock.wall(), .reason = "Maintenance"});
    const auto stopped = submit(envelope({"a@example.org"}, "desk"));
    const auto ids = [&](std::string why) {
        std::vector<base::MessageId> result;
        for (const auto& view : wait(desk().list({.why = std::move(why)}, 9)))
            result.push_back(view.id);
        return result;
    };
    EXPECT_THAT(ids("mailbox BUSY"), ElementsAre(busy));
    EXPECT_THAT(ids("maintenance"), ElementsAre(stopped));
    EXPECT_THAT(ids("unheard of"), IsEmpty());
    // Whatever keeps it now, that is what was said last.
    change(What::hold, {.ids = {busy}});
    EXPECT_THAT(ids("mailbox busy"), ElementsAre(busy));
    EXPECT_THAT(change(What::cancel, {.why = "maintenance"}).done, ElementsAre(stopped));
}

TEST_F(DeskTest, ARecipientWhoHasItAlreadyIsNotMeant) {
    start();
    office().answer = [](base::MessageId, const std::string& recipient) {
        return recipient == "a@gmail.com" ? delivered() : deferred();
    };
    const auto id = submit(envelope({"a@gmail.com", "b@example.org"}));
    EXPECT_THAT(wait(desk().list({.recipient = "@gmail.com"}, 10)), IsEmpty());
    EXPECT_EQ(wait(desk().list({.recipient = "b@example.org"}, 10)).size(), 1U);
    EXPECT_THAT(change(What::hold, {.recipient = "a@gmail.com"}).done, IsEmpty());
    EXPECT_THAT(change(What::hold, {.recipient = "@example.org"}).done, ElementsAre(id));
}

TEST_F(DeskTest, HoldsAcrossARestartAndReleases) {
    start();
    desk().pause("office");
    const auto id = submit();
    EXPECT_THAT(change(What::hold).done, ElementsAre(id));
    EXPECT_THAT(why(id), HasSubstr("held by the operator"));
    desk().resume("office");
    advance(std::chrono::days(6));
    EXPECT_THAT(office().sent, IsEmpty());
    EXPECT_THAT(reports(), IsEmpty()) << "what is held does not expire";
    EXPECT_EQ(spool.recipient(id).next_attempt, base::WallTime::max());
    EXPECT_THAT(change(What::release).done, ElementsAre(id));
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
}

TEST_F(DeskTest, RecoveredMailThatIsHeldStaysHeld) {
    auto state = spool::untried(envelope());
    state.recipients[0].next_attempt = base::WallTime::max();
    const auto id = spool.keep(envelope(), state);
    start();
    advance(std::chrono::days(6));
    EXPECT_THAT(office().sent, IsEmpty());
    EXPECT_EQ(wait(desk().show(id)).front().state, "held");
}

TEST_F(DeskTest, RetriesNow) {
    start();
    office().always(deferred());
    const auto id = submit();
    office().always(delivered());
    EXPECT_THAT(change(What::retry).done, ElementsAre(id));
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
}

TEST_F(DeskTest, CancelsWithAndWithoutABounce) {
    start();
    desk().pause("office");
    const auto quiet = submit();
    const auto loud = submit();
    EXPECT_THAT(change(What::cancel, {.ids = {quiet}}).done, ElementsAre(quiet));
    EXPECT_EQ(status(quiet), spool::RecipientStatus::cancelled);
    EXPECT_THAT(reports(), IsEmpty());
    EXPECT_EQ(
        wait(desk().change({.ids = {loud}}, {.what = What::cancel, .bounce = true}))->done.size(),
        1U);
    EXPECT_EQ(status(loud), spool::RecipientStatus::failed);
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_THAT(reports()[0].octets, HasSubstr("cancelled"));
}

TEST_F(DeskTest, ADryRunChangesNothing) {
    start();
    desk().pause("office");
    const auto id = submit();
    const auto changed = wait(desk().change({}, {.what = What::cancel, .dry_run = true}));
    EXPECT_THAT(changed->done, ElementsAre(id));
    EXPECT_EQ(status(id), spool::RecipientStatus::pending);
}

TEST_F(DeskTest, WhatIsAlreadySoIsNotChanged) {
    add_upstream("other");
    start();
    desk().pause("office");
    desk().pause("other");
    const auto id = submit();
    using Skipped = QueueChanged::Skipped;
    const auto twice = [&](QueueChange wanted) {
        EXPECT_THAT(wait(desk().change({}, wanted))->done, ElementsAre(id));
        const auto written = history.entries.size();
        const auto again = *wait(desk().change({}, wanted));
        EXPECT_THAT(again.done, IsEmpty());
        EXPECT_THAT(again.skipped, ElementsAre(Skipped{id, QueueChanged::Why::already}));
        EXPECT_EQ(history.entries.size(), written);
    };
    twice({.what = What::hold});
    twice({.what = What::release});
    twice({.what = What::priority, .level = 1});
    twice({.what = What::move, .to = "other"});
}

TEST_F(DeskTest, AnIdThatIsNotInTheQueueIsNamed) {
    start();
    desk().pause("office");
    const auto id = submit();
    const base::MessageId nobody{1};
    const auto changed = change(What::hold, {.ids = {nobody, id, id}});
    EXPECT_THAT(changed.done, ElementsAre(id));
    EXPECT_THAT(changed.skipped,
                ElementsAre(QueueChanged::Skipped{nobody, QueueChanged::Why::absent}));
    // It is there, but does not fit.
    EXPECT_THAT(change(What::hold, {.ids = {id}, .account = "nobody"}).skipped, IsEmpty());
}

TEST_F(DeskTest, MovesToAnotherUpstream) {
    add_upstream("backup");
    start();
    desk().pause("office");
    const auto id = submit();
    EXPECT_FALSE(wait(desk().change({}, {.what = What::move, .to = "nowhere"})));
    EXPECT_TRUE(wait(desk().change({}, {.what = What::move, .to = "backup"})));
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(transports.at("backup")->sent.size(), 1U);
}

TEST_F(DeskTest, APriorityIsChanged) {
    config.upstreams["office"].concurrency = 1;
    start();
    desk().pause("office");
    const auto first = submit();
    const auto second = submit();
    EXPECT_TRUE(wait(desk().change({.ids = {second}}, {.what = What::priority, .level = 1})));
    desk().resume("office");
    run();
    ASSERT_EQ(office().sent.size(), 2U);
    EXPECT_EQ(office().sent[0].id, second);
    EXPECT_EQ(office().sent[1].id, first);
}

TEST_F(DeskTest, AMoveAndAPriorityAreStoredWithoutReadingTheMessage) {
    add_upstream("backup");
    start();
    desk().pause("office");
    desk().pause("backup");
    const auto id = submit(envelope({"a@example.org", "b@example.org"}));
    spool.read_failures[id] = {.reason = "nobody has to read it"};
    EXPECT_TRUE(wait(desk().change({}, {.what = What::move, .to = "backup"})));
    EXPECT_TRUE(wait(desk().change({}, {.what = What::priority, .level = 5})));
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
        EXPECT_EQ(spool.recipient(id, i).moved_to, "backup");
        EXPECT_EQ(spool.recipient(id, i).priority, 5);
        EXPECT_EQ(spool.recipient(id, i).attempts, 0);
    }
    EXPECT_EQ(spool.messages.at(id).state.recipients.size(), 2U);
    spool.read_failures.clear();
    desk().resume("backup");
    run();
    EXPECT_EQ(status(id, 0), spool::RecipientStatus::delivered);
    EXPECT_EQ(status(id, 1), spool::RecipientStatus::delivered);
}

TEST_F(DeskTest, AMoveThatCannotBeStoredDoesNotHappen) {
    add_upstream("backup");
    start();
    desk().pause("office");
    const auto id = submit();
    EXPECT_THAT(change(What::hold).done, ElementsAre(id));
    spool.state_unreadable = true;
    const auto changed = wait(desk().change({}, {.what = What::move, .to = "backup"}));
    EXPECT_THAT(changed->skipped, ElementsAre(QueueChanged::Skipped{id, QueueChanged::Why::busy}));
    EXPECT_THAT(changed->done, IsEmpty());
    EXPECT_EQ(spool.recipient(id).moved_to, "");
    EXPECT_EQ(wait(desk().show(id)).front().way, "office");
    EXPECT_EQ(wait(desk().show(id)).front().state, "held");
}

TEST_F(DeskTest, AHeldOrLaterMessageStaysSoWhenItIsMoved) {
    add_upstream("backup");
    start();
    desk().pause("office");
    const auto held = submit();
    auto later = envelope();
    later.release_at = clock.wall() + 1h;
    const auto released = submit(std::move(later));
    EXPECT_THAT(change(What::hold, {.ids = {held}}).done, ElementsAre(held));
    EXPECT_TRUE(wait(desk().change({}, {.what = What::move, .to = "backup"})));
    EXPECT_EQ(spool.recipient(held).next_attempt, base::WallTime::max());
    EXPECT_EQ(spool.recipient(released).next_attempt, clock.wall() + 1h);
    EXPECT_THAT(transports.at("backup")->sent, IsEmpty());
    advance(1h);
    EXPECT_EQ(status(released), spool::RecipientStatus::delivered);
    EXPECT_EQ(status(held), spool::RecipientStatus::pending);
}

TEST_F(DeskTest, WhatWasDecidedStaysThroughATemporaryFailureAndAHold) {
    add_upstream("backup");
    start();
    desk().pause("office");
    const auto id = submit();
    transports.at("backup")->always(deferred());
    EXPECT_TRUE(wait(desk().change({}, {.what = What::priority, .level = 2})));
    EXPECT_TRUE(wait(desk().change({}, {.what = What::move, .to = "backup"})));
    EXPECT_EQ(spool.recipient(id).attempts, 1);
    EXPECT_THAT(change(What::hold).done, ElementsAre(id));
    EXPECT_THAT(change(What::release).done, ElementsAre(id));
    EXPECT_EQ(spool.recipient(id).attempts, 2);
    EXPECT_EQ(spool.recipient(id).moved_to, "backup");
    EXPECT_EQ(spool.recipient(id).priority, 2);
    EXPECT_THAT(office().sent, IsEmpty());
}

TEST_F(DeskTest, OnePartOfAMessageIsMoved) {
    add_upstream("second");
    add_upstream("backup");
    config.accounts["shop"].route.clear();
    config::Route two;
    two.recipient_domains = {"two.example"};
    two.via = "second";
    config::Route rest;
    rest.via = "office";
    config.routes = {two, rest};
    start();
    for (const char* name : {"office", "second", "backup"}) desk().pause(name);
    const auto id = submit(envelope({"a@one.example", "b@two.example"}));
    EXPECT_TRUE(wait(desk().change({.way = "office"}, {.what = What::move, .to = "backup"})));
    EXPECT_EQ(spool.recipient(id, 0).moved_to, "backup");
    EXPECT_EQ(spool.recipient(id, 1).moved_to, "");
    EXPECT_TRUE(wait(desk().change({.way = "second"}, {.what = What::priority, .level = 1})));
    EXPECT_EQ(spool.recipient(id, 0).priority, 0);
    EXPECT_EQ(spool.recipient(id, 1).priority, 1);
    // Onto the way of the other part: each still has its own recipients.
    EXPECT_TRUE(wait(desk().change({.way = "backup"}, {.what = What::move, .to = "second"})));
    for (const char* name : {"office", "second", "backup"}) desk().resume(name);
    run();
    EXPECT_EQ(status(id, 0), spool::RecipientStatus::delivered);
    EXPECT_EQ(status(id, 1), spool::RecipientStatus::delivered);
    ASSERT_EQ(transports.at("second")->sent.size(), 2U);
    EXPECT_THAT(transports.at("second")->sent[0].recipients, ElementsAre("b@two.example"));
    EXPECT_THAT(transports.at("second")->sent[1].recipients, ElementsAre("a@one.example"));
    EXPECT_THAT(wait(desk().show(id)), IsEmpty());
}

TEST_F(DeskTest, PausesAndTestsAnUpstream) {
    start();
    EXPECT_FALSE(desk().pause("nowhere"));
    ASSERT_TRUE(desk().pause("office", {.since = clock.wall(), .reason = "maintenance"}));
    const auto id = submit();
    EXPECT_THAT(why(id), HasSubstr("upstream office is paused since " +
                                   base::rfc3339_seconds(clock.wall()) + ": maintenance; "));
    EXPECT_EQ(desk().upstreams()[0].state, "paused");
    office().probe_answer = std::unexpected("535 wrong password");
    EXPECT_EQ(wait(desk().test("office"))->error, "535 wrong password");
    EXPECT_FALSE(wait(desk().test("nowhere")));
}

TEST_F(DeskTest, ALoginThatWorksEndsASuspension) {
    start();
    office().always(login_refused());
    const auto id = submit();
    EXPECT_EQ(desk().upstreams()[0].state, "suspended");
    office().always(delivered());
    office().probe_answer = std::unexpected("535 wrong password");
    EXPECT_FALSE(wait(desk().test("office"))->ended_suspension);
    EXPECT_EQ(desk().upstreams()[0].state, "suspended");
    office().probe_answer = {};
    const auto test = wait(desk().test("office"));
    EXPECT_TRUE(test->ended_suspension);
    EXPECT_EQ(test->state, "open");
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_FALSE(wait(desk().test("office"))->ended_suspension);
}

}  // namespace
}  // namespace outpost::delivery::testing

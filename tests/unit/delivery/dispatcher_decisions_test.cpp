#include <gmock/gmock.h>

#include "dispatcher_fixture.hpp"

/// What an operator has decided about mail, after a start and after a reload.
namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DecisionsTest : public DispatcherTest {
  protected:
    DecisionsTest() { add_upstream("backup"); }

    /// A message as an operator has left it before the start.
    base::MessageId keep(std::vector<std::string> recipients,
                         const std::vector<spool::RecipientState>& decided) {
        auto stored = envelope(std::move(recipients));
        return spool.keep(std::move(stored), {.recipients = decided});
    }
    static spool::RecipientState moved(const std::string& to, std::uint8_t priority = 0) {
        return {.last_reply = {}, .last_upstream = {}, .priority = priority, .moved_to = to};
    }
    /// By a queue change of the operator.
    void change(MessageFilter filter, QueueChange change) {
        EXPECT_TRUE(wait(dispatcher->desk().change(std::move(filter), std::move(change))));
    }
    std::vector<QueueRow> rows() { return dispatcher->desk().queue(); }
};

TEST_F(DecisionsTest, AMovedMessageComesBackOnTheWayItWasMovedTo) {
    const auto id = keep({"a@example.org"}, {moved("backup")});
    start();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(at("backup").sent.size(), 1U);
    EXPECT_THAT(office().sent, IsEmpty());
}

TEST_F(DecisionsTest, NoMessageIsReadForIt) {
    const auto id = keep({"a@example.org"}, {moved("backup", 5)});
    at("backup").hold = true;
    spool.read_failures[id] = {.reason = "nobody has to read it before its attempt"};
    config.upstreams["backup"].active = false;
    start();
    EXPECT_EQ(spool.reads, 0U);
    ASSERT_EQ(rows().size(), 1U);
    EXPECT_EQ(rows()[0].way, "backup");
    EXPECT_EQ(rows()[0].priority, 5);
}

TEST_F(DecisionsTest, AWayThatIsGoneIsRoutedAnew) {
    const auto id = keep({"a@example.org"}, {moved("nowhere", 1)});
    start();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(DecisionsTest, OnlyWhatWasMovedOfAMessageGoesThere) {
    const auto id = keep({"a@example.org", "b@example.org"}, {moved(""), moved("backup")});
    start();
    EXPECT_EQ(status(id, 0), spool::RecipientStatus::delivered);
    EXPECT_EQ(status(id, 1), spool::RecipientStatus::delivered);
    ASSERT_EQ(office().sent.size(), 1U);
    EXPECT_THAT(office().sent[0].recipients, ElementsAre("a@example.org"));
    ASSERT_EQ(at("backup").sent.size(), 1U);
    EXPECT_THAT(at("backup").sent[0].recipients, ElementsAre("b@example.org"));
}

TEST_F(DecisionsTest, WhatIsDoneOfAMovedMessageStaysDone) {
    auto done = moved("backup");
    done.status = spool::RecipientStatus::delivered;
    keep({"a@example.org", "b@example.org"}, {done, moved("backup")});
    start();
    ASSERT_EQ(at("backup").sent.size(), 1U);
    EXPECT_THAT(at("backup").sent[0].recipients, ElementsAre("b@example.org"));
}

TEST_F(DecisionsTest, AMovedMessageOfAnAccountThatIsGoneWaitsForIt) {
    auto stored = envelope({"a@example.org"}, "former");
    spool.keep(std::move(stored), {.recipients = {moved("backup")}});
    start();
    EXPECT_THAT(at("backup").sent, IsEmpty());
    add_account("former", "office");
    dispatcher->replace_accounts(config, {});
    run();
    EXPECT_EQ(at("backup").sent.size(), 1U);
}

TEST_F(DecisionsTest, PartsKeepTheirPriorities) {
    config.accounts["shop"].route.clear();
    config.routes = {route("backup", {"two.example"}), route("office")};
    config.upstreams["office"].active = config.upstreams["backup"].active = false;
    keep({"a@one.example", "b@two.example"}, {moved(""), moved("", 1)});
    start();
    ASSERT_EQ(rows().size(), 2U);
    for (const auto& row : rows()) EXPECT_EQ(row.priority, row.way == "backup" ? 1 : 3) << row.way;
}

TEST_F(DecisionsTest, RoutesGoByTheOperatorsPriority) {
    config.accounts["shop"].route.clear();
    config::Route urgent = route("backup", {"example.org"});
    urgent.priorities = {1};
    config.routes = {urgent, route("office")};
    keep({"a@example.org"}, {moved("", 1)});
    keep({"b@example.org"}, {moved("", 2)});
    start();
    EXPECT_EQ(at("backup").sent.size(), 1U);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(DecisionsTest, AReloadKeepsMovesAndPriorities) {
    config.upstreams["office"].active = config.upstreams["backup"].active = false;
    start();
    const auto id = submit();
    change({}, {.what = QueueChange::What::move, .to = "backup"});
    change({}, {.what = QueueChange::What::priority, .level = 5});
    reload();
    reload();
    ASSERT_EQ(rows().size(), 1U);
    EXPECT_EQ(rows()[0].way, "backup");
    EXPECT_EQ(rows()[0].priority, 5);
    config.upstreams["office"].active = config.upstreams["backup"].active = true;
    reload();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(at("backup").sent.size(), 1U);
}

TEST_F(DecisionsTest, AMovedMessageWhoseUpstreamGoesAtAReloadIsRoutedAnewAndGoesBackWithIt) {
    config.upstreams["office"].active = config.upstreams["backup"].active = false;
    start();
    const auto id = submit();
    change({}, {.what = QueueChange::What::move, .to = "backup"});
    const config::Upstream settings = config.upstreams["backup"];
    config.upstreams.erase("backup");
    reload();
    ASSERT_EQ(rows().size(), 1U);
    EXPECT_EQ(rows()[0].way, "office");
    config.upstreams["backup"] = settings;
    reload();
    ASSERT_EQ(rows().size(), 1U);
    EXPECT_EQ(rows()[0].way, "backup");
    config.upstreams.erase("backup");
    config.upstreams["office"].active = true;
    reload();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(DecisionsTest, AReloadJoinsPartsAndKeepsWhatWasDecidedAboutEach) {
    config.accounts["shop"].route.clear();
    config.routes = {route("backup", {"two.example"}), route("office")};
    config.upstreams["office"].active = config.upstreams["backup"].active = false;
    start();
    submit(envelope({"a@one.example", "b@two.example"}));
    change({.way = "backup"}, {.what = QueueChange::What::priority, .level = 1});
    reload();
    ASSERT_EQ(rows().size(), 2U);
    for (const auto& row : rows()) EXPECT_EQ(row.priority, row.way == "backup" ? 1 : 3) << row.way;
    config.routes = {route("office")};
    reload();
    ASSERT_EQ(rows().size(), 1U);
    EXPECT_EQ(rows()[0].priority, 1) << "the most urgent one of a message that is whole again";
}

TEST_F(DecisionsTest, AMemberOfAGroupThatRefusesPassesAMovedMessageOn) {
    add_upstream("third");
    config.groups["both"] = {.name = "both",
                             .strategy = config::Strategy::failover,
                             .members = {{.upstream = "backup"}, {.upstream = "third"}}};
    const auto id = keep({"a@example.org"}, {moved("both")});
    at("backup").always(unreachable());
    start();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(at("third").sent.size(), 1U);
    EXPECT_THAT(office().sent, IsEmpty());
}

class PausesTest : public DecisionsTest {
  protected:
    UpstreamView view(const std::string& name) {
        for (auto& each : dispatcher->desk().upstreams())
            if (each.name == name) return each;
        ADD_FAILURE() << "no " << name;
        return {};
    }
    Pause maintenance() const { return {.since = clock.wall() - 1h, .reason = "maintenance"}; }
};

TEST_F(PausesTest, WhatWasPausedBeforeTheStartTakesNoMail) {
    paused = {{"office", maintenance()}};
    start();
    const auto id = submit();
    EXPECT_THAT(office().sent, IsEmpty());
    EXPECT_EQ(view("office").state, "paused");
    EXPECT_EQ(view("office").reason, "maintenance");
    EXPECT_EQ(view("office").since, clock.wall() - 1h);
    EXPECT_EQ(view("backup").state, "open");
    EXPECT_TRUE(dispatcher->desk().resume("office"));
    run();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(view("office").reason, "");
}

TEST_F(PausesTest, PausedAgainItIsSoSinceTheFirstTime) {
    start();
    const auto since = clock.wall();
    dispatcher->desk().pause("office", {.since = since, .reason = "one"});
    dispatcher->desk().pause("office", {.since = since + 1h, .reason = "two"});
    EXPECT_EQ(view("office").since, since);
    EXPECT_EQ(view("office").reason, "two");
}

TEST_F(PausesTest, APauseWaitsForAnUpstreamThatIsNotConfiguredUntilItIsResumed) {
    paused = {{"third", maintenance()}, {"fourth", maintenance()}};
    start();
    EXPECT_EQ(dispatcher->desk().paused("office"), false);
    EXPECT_EQ(dispatcher->desk().paused("third"), true);
    EXPECT_EQ(dispatcher->desk().paused("fifth"), std::nullopt);
    EXPECT_TRUE(dispatcher->desk().resume("fourth"));
    EXPECT_FALSE(dispatcher->desk().resume("fourth"));
    add_upstream("third");
    add_upstream("fourth");
    reload();
    EXPECT_EQ(view("third").state, "paused");
    EXPECT_EQ(view("third").reason, "maintenance");
    EXPECT_EQ(view("fourth").state, "open");
}

}  // namespace
}  // namespace outpost::delivery::testing

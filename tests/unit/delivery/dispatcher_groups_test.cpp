#include <gmock/gmock.h>

#include "dispatcher_fixture.hpp"

/// Groups and routes with a dispatcher: which upstream each message went to.
namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

upstream::Outcome cannot_carry() {
    auto result = outcome(upstream::Verdict::failed, 0, "the message is signed");
    result.elsewhere = true;
    result.reply.status = {5, 6, 0};
    return result;
}
upstream::Outcome sender_unknown() {
    auto result =
        outcome(upstream::Verdict::deferred, 0, "sender not verified", upstream::Scope::sender);
    result.elsewhere = true;
    result.http_status = 403;
    result.retry_after = 1h;
    return result;
}

class GroupsTest : public DispatcherTest {
  protected:
    void group(config::Strategy strategy, std::vector<config::Group::Member> members) {
        for (const auto& member : members)
            if (!config.upstreams.contains(member.upstream)) add_upstream(member.upstream);
        config.groups["all"] = {"all", strategy, std::move(members)};
        config.accounts["shop"].route = "all";
    }
};

TEST_F(GroupsTest, FailoverGoesOnAtOnceAndComesBack) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    start();
    office().always(unreachable());
    const auto first = submit();
    EXPECT_EQ(status(first), spool::RecipientStatus::delivered) << "without any wait";
    EXPECT_EQ(at("backup").sent.size(), 1U);
    EXPECT_EQ(spool.recipient(first).attempts, 1U) << "the one that failed costs no retry";
    office().always(delivered());
    advance(31s);
    office().sent.clear();
    submit();
    submit();
    EXPECT_EQ(office().sent.size(), 2U);
    EXPECT_EQ(at("backup").sent.size(), 1U);
}

TEST_F(GroupsTest, WhatMayHaveArrivedIsAskedAboutWhereItMayBe) {
    group(config::Strategy::round_robin, {{"office"}, {"backup"}});
    start();
    FakeTransport* asked = nullptr;
    for (FakeTransport* each : {&office(), &at("backup")}) each->always(lost());
    const auto id = submit();
    asked = office().sent.empty() ? &at("backup") : &office();
    for (FakeTransport* each : {&office(), &at("backup")}) each->always(delivered());
    advance(2min);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(asked->sent.size(), 2U) << "the other one would deliver it a second time";
}

TEST_F(GroupsTest, FailoverSkipsTheSuspended) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    start();
    office().always(login_refused());
    const auto id = submit();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    submit();
    EXPECT_EQ(office().sent.size(), 1U);
    EXPECT_EQ(at("backup").sent.size(), 2U);
}

TEST_F(GroupsTest, FailoverWaitsForARateAndOverflowDoesNot) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    config.upstreams["office"].limits.rates = {{.count = 2, .period = 1h}};
    start();
    for (int i = 0; i < 5; ++i) submit();
    EXPECT_EQ(office().sent.size(), 2U);
    EXPECT_THAT(at("backup").sent, IsEmpty());
}

TEST_F(GroupsTest, OverflowGoesBackAtTheReset) {
    group(config::Strategy::overflow, {{"office"}, {"backup"}});
    config.upstreams["office"].limits.rates = {{.count = 2, .period = 1h}};
    start();
    for (int i = 0; i < 5; ++i) submit();
    EXPECT_EQ(office().sent.size(), 2U);
    EXPECT_EQ(at("backup").sent.size(), 3U);
    advance(61min);
    submit();
    EXPECT_EQ(office().sent.size(), 3U);
    EXPECT_EQ(at("backup").sent.size(), 3U);
}

TEST_F(GroupsTest, OverflowOfAllWaitsForTheFirstReset) {
    group(config::Strategy::overflow, {{"office"}, {"backup"}});
    config.upstreams["office"].limits.rates = {{.count = 1, .period = 1h}};
    config.upstreams["backup"].limits.rates = {{.count = 1, .period = 30min}};
    start();
    for (int i = 0; i < 3; ++i) submit();
    EXPECT_EQ(office().sent.size() + at("backup").sent.size(), 2U);
    advance(31min);
    EXPECT_EQ(at("backup").sent.size(), 2U);
}

TEST_F(GroupsTest, WeightedSharesExactly) {
    group(config::Strategy::weighted, {{"office", 3}, {"backup", 1}});
    start();
    for (int i = 0; i < 400; ++i) submit();
    EXPECT_EQ(office().sent.size(), 300U);
    EXPECT_EQ(at("backup").sent.size(), 100U);
}

TEST_F(GroupsTest, RoundRobinTakesTurnsAndLeavesOutWhoIsAway) {
    group(config::Strategy::round_robin, {{"office"}, {"second"}, {"third"}});
    start();
    for (int i = 0; i < 9; ++i) submit();
    for (const char* name : {"office", "second", "third"}) EXPECT_EQ(at(name).sent.size(), 3U);
    at("second").always(login_refused());
    for (int i = 0; i < 9; ++i) submit();
    EXPECT_EQ(at("second").sent.size(), 4U);
    EXPECT_EQ(office().sent.size() + at("third").sent.size(), 15U);
}

TEST_F(GroupsTest, AnInactiveUpstreamGetsNothing) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    config.upstreams["office"].active = false;
    start();
    submit();
    EXPECT_THAT(office().sent, IsEmpty());
    EXPECT_EQ(at("backup").sent.size(), 1U);
}

TEST_F(GroupsTest, WhatOneCannotCarryAnotherDoesAtNoCost) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    start();
    office().always(cannot_carry());
    const auto id = submit();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(spool.recipient(id).attempts, 1U);
    EXPECT_THAT(reports(), IsEmpty());
}

TEST_F(GroupsTest, WhatNobodyCanCarryFailsWithTheLastReason) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    start();
    office().always(cannot_carry());
    at("backup").always(cannot_carry());
    const auto id = submit();
    EXPECT_EQ(status(id), spool::RecipientStatus::failed);
    for (const char* name : {"office", "backup"})
        EXPECT_EQ(std::ranges::count(at(name).sent, id, &FakeTransport::Sent::id), 1) << name;
    EXPECT_EQ(reports().size(), 1U);
}

TEST_F(GroupsTest, NoBounceWhileOneOfThemMayTakeItLater) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    start();
    office().always(sender_unknown());
    at("backup").always(cannot_carry());
    const auto id = submit();
    EXPECT_EQ(status(id), spool::RecipientStatus::pending);
    office().always(delivered());
    advance(61min);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
}

TEST_F(GroupsTest, AMessageWaitsForTheOnlyOneThatCanCarryIt) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    start();
    office().always(cannot_carry());
    at("backup").always(unreachable());
    const auto id = submit();
    EXPECT_EQ(status(id), spool::RecipientStatus::pending);
    EXPECT_EQ(office().sent.size(), 1U) << "not asked again";
    at("backup").always(delivered());
    advance(31s);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(GroupsTest, TheRestOfAMessageStaysWithWhoTookSome) {
    group(config::Strategy::round_robin, {{"office"}, {"backup"}});
    start();
    const auto busy = [](base::MessageId, const std::string& recipient) {
        return recipient.starts_with("busy") ? deferred() : delivered();
    };
    office().answer = at("backup").answer = busy;
    for (int i = 0; i < 6; ++i) submit(envelope({"a@example.org", "busy@example.org"}));
    const auto names = [](const FakeTransport& transport) {
        std::set<base::MessageId> ids;
        for (const auto& one : transport.sent) ids.insert(one.id);
        return ids;
    };
    const auto before = std::pair(names(office()), names(at("backup")));
    advance(2min);
    EXPECT_EQ(names(office()), before.first);
    EXPECT_EQ(names(at("backup")), before.second);
    EXPECT_EQ(office().sent.size(), 6U);
}

TEST_F(GroupsTest, HigherPriorityOfAGroupGoesBeforeAnUpstreamsOwnMail) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    add_account("direct", "office");
    config.upstreams["office"].concurrency = 1;
    start();
    office().hold = true;
    submit(envelope({"first@example.org"}, "direct"));
    submit(envelope({"own@example.org"}, "direct"));
    auto urgent = envelope({"urgent@example.org"});
    urgent.priority = 1;
    submit(urgent);
    office().release();
    run();
    ASSERT_EQ(office().sent.size(), 3U);
    EXPECT_EQ(office().sent[1].recipients.front(), "urgent@example.org");
}

TEST_F(GroupsTest, OwnMailAndTheGroupsShareAnUpstream) {
    group(config::Strategy::failover, {{"office"}, {"backup"}});
    add_account("direct", "office");
    config.upstreams["office"].concurrency = 1;
    start();
    office().hold = true;
    submit(envelope({"first@example.org"}, "direct"));
    for (int i = 0; i < 20; ++i) submit(envelope({"own@example.org"}, "direct"));
    for (int i = 0; i < 20; ++i) submit(envelope({"group@example.org"}));
    office().release();
    run();
    int group_mail = 0;
    for (std::size_t i = 1; i <= 20; ++i)
        group_mail += office().sent[i].recipients.front() == "group@example.org" ? 1 : 0;
    EXPECT_EQ(group_mail, 10);
}

class RoutesTest : public GroupsTest {
  protected:
    RoutesTest() {
        add_upstream("google");
        config.accounts["shop"].route.clear();
        config::Route google;
        google.recipient_domains = {"gmail.com"};
        google.via = "google";
        config::Route rest;
        rest.via = "office";
        config.routes = {google, rest};
    }
    static std::vector<std::string> recipients(const FakeTransport& transport) {
        std::vector<std::string> all;
        for (const auto& one : transport.sent)
            all.insert(all.end(), one.recipients.begin(), one.recipients.end());
        return all;
    }
};

TEST_F(RoutesTest, RecipientsGoTheirOwnWays) {
    start();
    const auto id = submit(envelope({"a@gmail.com", "b@example.org", "c@gmail.com"}));
    EXPECT_THAT(recipients(at("google")), ElementsAre("a@gmail.com", "c@gmail.com"));
    EXPECT_THAT(recipients(office()), ElementsAre("b@example.org"));
    EXPECT_TRUE(spool.messages.at(id).state.finished());
    EXPECT_EQ(dispatcher->queue().size(), 0U);
}

TEST_F(RoutesTest, TroubleOnOneWayHoldsUpNoOther) {
    start();
    at("google").always(unreachable());
    const auto id = submit(envelope({"a@gmail.com", "b@example.org"}));
    EXPECT_EQ(status(id, 0), spool::RecipientStatus::pending);
    EXPECT_EQ(status(id, 1), spool::RecipientStatus::delivered);
    at("google").always(delivered());
    advance(31s);
    EXPECT_EQ(status(id, 0), spool::RecipientStatus::delivered);
    EXPECT_EQ(recipients(office()).size(), 1U) << "nobody gets it twice";
}

TEST_F(RoutesTest, PartsOfAMessageKeepEachOthersOutcomes) {
    start();
    at("google").hold = true;
    const auto id = submit(envelope({"a@gmail.com", "b@example.org"}));
    EXPECT_THAT(recipients(office()), IsEmpty()) << "one part at a time";
    at("google").release();
    run();
    EXPECT_EQ(status(id, 0), spool::RecipientStatus::delivered);
    EXPECT_EQ(status(id, 1), spool::RecipientStatus::delivered);
    EXPECT_EQ(dispatcher->queue().size(), 0U);
}

TEST_F(RoutesTest, RecoveredMailTakesItsWaysAgain) {
    const auto id = spool.keep(envelope({"a@gmail.com", "b@example.org"}));
    spool.recipient(id, 0).status = spool::RecipientStatus::delivered;
    start();
    EXPECT_THAT(recipients(at("google")), IsEmpty());
    EXPECT_THAT(recipients(office()), ElementsAre("b@example.org"));
}

TEST_F(RoutesTest, WhatCannotBeReadIsReadAgain) {
    const auto id = spool.keep(envelope({"a@gmail.com"}));
    spool.read_failures[id] = {.damaged = false, .reason = "input/output error"};
    start();
    EXPECT_THAT(recipients(at("google")), IsEmpty());
    spool.read_failures.clear();
    advance(2min);
    EXPECT_THAT(recipients(at("google")), ElementsAre("a@gmail.com"));
}

TEST_F(RoutesTest, AMessageThatExpiresTakesAllItsPartsAlong) {
    start();
    at("google").always(unreachable());
    office().always(unreachable());
    submit(envelope({"a@gmail.com", "b@example.org"}));
    advance(std::chrono::days(6));
    ASSERT_EQ(reports().size(), 2U) << "the delay and the end";
    EXPECT_EQ(dispatcher->queue().size(), 1U) << "the second report alone; the first is dropped";
}

TEST_F(RoutesTest, HeaderFieldsChooseTheWay) {
    config::Route stream;
    stream.headers = {{"Subject", "TEST"}};
    stream.via = "google";
    config.routes.insert(config.routes.begin(), stream);
    start();
    submit(envelope({"b@example.org"}));  // the fixture's messages have this subject
    EXPECT_THAT(recipients(at("google")), ElementsAre("b@example.org"));
}

}  // namespace
}  // namespace outpost::delivery::testing

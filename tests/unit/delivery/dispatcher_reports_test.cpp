#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher_fixture.hpp"

namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using spool::RecipientStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class DispatcherReportsTest : public DispatcherTest {};

TEST_F(DispatcherReportsTest, StoresTheBounceBeforeTheFailure) {
    office().answer = [](base::MessageId, const std::string& address) {
        return address == "a@example.org" ? refused() : delivered();
    };
    start();
    const auto id = submit();
    ASSERT_EQ(spool.appended.size(), 1U);
    const auto report = spool.appended[0];
    EXPECT_EQ(spool.journal[0], "append " + report.text());
    EXPECT_EQ(spool.journal[1], "record " + id.text());
    EXPECT_EQ(status(id), RecipientStatus::failed);
    const auto& message = spool.messages.at(report);
    EXPECT_EQ(message.envelope.reverse_path, "");
    EXPECT_EQ(message.envelope.account, "");
    EXPECT_EQ(message.envelope.recipients[0].address, "sender@example.com");
    EXPECT_THAT(message.octets, HasSubstr("a@example.org"));
    EXPECT_THAT(message.octets, HasSubstr("No such user"));
    EXPECT_THAT(message.octets, HasSubstr("Hello."));
    EXPECT_EQ(office().sent.size(), 2U) << "the report itself goes out";
    EXPECT_EQ(status(report), RecipientStatus::delivered);
}

TEST_F(DispatcherReportsTest, OneReportForAllThatFailedInAnAttempt) {
    office().answer = [](base::MessageId, const std::string& address) {
        return address.starts_with("bad") ? refused() : delivered();
    };
    start();
    submit(envelope({"bad1@example.org", "good@example.org", "bad2@example.org"}));
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_THAT(reports()[0].octets, HasSubstr("bad1@example.org"));
    EXPECT_THAT(reports()[0].octets, HasSubstr("bad2@example.org"));
    EXPECT_THAT(reports()[0].octets, Not(HasSubstr("good@example.org")));
}

TEST_F(DispatcherReportsTest, KeepsARecipientPendingWhileItsBounceCannotBeStored) {
    office().always(refused());
    spool.append_fails = true;
    start();
    const auto id = submit();
    EXPECT_EQ(status(id), RecipientStatus::pending);
    advance(1min);
    EXPECT_EQ(status(id), RecipientStatus::pending);
    spool.append_fails = false;
    advance(1min);
    EXPECT_EQ(status(id), RecipientStatus::failed);
    EXPECT_EQ(reports().size(), 1U);
}

TEST_F(DispatcherReportsTest, NeverBouncesABounce) {
    office().always(refused());
    start();
    auto report = envelope();
    report.reverse_path = "";
    const auto id = submit(report);
    EXPECT_EQ(status(id), RecipientStatus::failed);
    EXPECT_TRUE(reports().empty());
    EXPECT_EQ(dispatcher->queue().size(), 0U);
}

TEST_F(DispatcherReportsTest, ARefusedBounceEndsThere) {
    office().always(refused());
    start();
    submit();
    EXPECT_EQ(reports().size(), 1U);
    EXPECT_EQ(office().sent.size(), 2U);
    EXPECT_EQ(dispatcher->queue().size(), 0U);
}

TEST_F(DispatcherReportsTest, RespectsNotifyNever) {
    office().always(refused());
    start();
    auto quiet = envelope();
    quiet.recipients[0].notify = {.given = true, .never = true};
    const auto id = submit(quiet);
    EXPECT_EQ(status(id), RecipientStatus::failed);
    EXPECT_TRUE(reports().empty());
}

TEST_F(DispatcherReportsTest, SendsNoneWhereTheOperatorWantsNone) {
    config.dsn.to = config::Dsn::To::none;
    office().always(refused());
    start();
    const auto id = submit();
    EXPECT_EQ(status(id), RecipientStatus::failed);
    EXPECT_TRUE(reports().empty());
}

TEST_F(DispatcherReportsTest, SendsThemToTheOperatorsAddress) {
    config.dsn.to = config::Dsn::To::address;
    config.dsn.to_address = "bounces@example.com";
    office().always(refused());
    start();
    submit();
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_EQ(reports()[0].envelope.recipients[0].address, "bounces@example.com");
}

TEST_F(DispatcherReportsTest, ReportsRelayingWhereTheUpstreamHasNoDsn) {
    start();
    auto wants = envelope();
    wants.recipients[0].notify = {.given = true, .success = true};
    submit(wants);
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_THAT(reports()[0].octets, HasSubstr("Action: relayed"));
}

TEST_F(DispatcherReportsTest, LeavesTheSuccessReportToAnUpstreamWithDsn) {
    office().offers_dsn = true;
    start();
    auto wants = envelope();
    wants.recipients[0].notify = {.given = true, .success = true};
    submit(wants);
    EXPECT_TRUE(reports().empty());
}

TEST_F(DispatcherReportsTest, ReportsDeliveryByTheSandbox) {
    config.upstreams["office"].kind = config::SandboxUpstream{};
    start();
    auto wants = envelope();
    wants.recipients[0].notify = {.given = true, .success = true};
    submit(wants);
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_THAT(reports()[0].octets, HasSubstr("Action: delivered"));
}

TEST_F(DispatcherReportsTest, ALostSuccessReportDoesNotSendTheMailTwice) {
    spool.append_fails = true;
    start();
    auto wants = envelope();
    wants.recipients[0].notify = {.given = true, .success = true};
    const auto id = submit(wants);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
    advance(1h);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(DispatcherReportsTest, AReportGoesTheWayOfItsMessage) {
    add_upstream("bulk");
    add_account("news", "bulk");
    transports["bulk"]->answer = [&](base::MessageId id, const std::string&) {
        return spool.messages.at(id).envelope.account.empty() ? delivered() : refused();
    };
    start();
    submit(envelope({"a@example.org"}, "news"));
    EXPECT_TRUE(office().sent.empty());
    EXPECT_EQ(transports["bulk"]->sent.size(), 2U);
}

TEST_F(DispatcherReportsTest, ARecoveredReportGoesTheWayOfItsMessage) {
    add_upstream("bulk");
    add_account("news", "bulk");
    auto report = envelope({"sender@example.com"}, "");
    report.reverse_path = "";
    report.client = "news";
    spool.keep(report);
    start();
    EXPECT_EQ(transports["bulk"]->sent.size(), 1U);
}

TEST_F(DispatcherReportsTest, ReportsGoViaTheConfiguredUpstream) {
    add_upstream("bulk");
    config.dsn.via = "bulk";
    office().always(refused());
    start();
    submit();
    EXPECT_EQ(office().sent.size(), 1U);
    EXPECT_EQ(transports["bulk"]->sent.size(), 1U);
}

TEST_F(DispatcherReportsTest, RetriesAnUncertainDelivery) {
    office().always(lost());
    start();
    const auto id = submit();
    EXPECT_EQ(status(id), RecipientStatus::pending);
    office().always(delivered());
    advance(1min);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
    EXPECT_TRUE(reports().empty());
}

TEST_F(DispatcherReportsTest, ReportsAnUncertainDeliveryWhereAskedTo) {
    office_config().uncertain = config::Uncertain::report;
    office().answer = [&](base::MessageId, const std::string&) {
        return office().sent.size() == 1 ? lost() : delivered();
    };
    start();
    const auto id = submit();
    EXPECT_EQ(status(id), RecipientStatus::failed);
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_THAT(reports()[0].octets, HasSubstr("may or may not"));
}

TEST_F(DispatcherReportsTest, NeverSendsAnUncertainDeliveryTwiceEvenIfItsReportIsLost) {
    office_config().uncertain = config::Uncertain::report;
    office().always(lost());
    spool.append_fails = true;
    start();
    const auto id = submit();
    advance(1h);
    EXPECT_EQ(office().sent.size(), 1U);
    EXPECT_EQ(status(id), RecipientStatus::failed);
}

TEST_F(DispatcherReportsTest, GivesADelayNoticeOnce) {
    office().always(deferred());
    start();
    const auto id = submit();
    advance(4h - 1s);
    EXPECT_TRUE(reports().empty());
    advance(1s);
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_THAT(reports()[0].octets, HasSubstr("Action: delayed"));
    EXPECT_TRUE(spool.recipient(id).delay_notified);
    advance(24h);
    std::size_t about_original = 0;
    for (const auto& report : reports())
        about_original += report.octets.contains("a@example.org") ? 1 : 0;
    EXPECT_EQ(about_original, 1U);
}

TEST_F(DispatcherReportsTest, GivesNoDelayNoticeWhereSwitchedOff) {
    config.spool.delay_notice = 0ms;
    office().always(deferred());
    start();
    submit();
    advance(4 * 24h);
    EXPECT_TRUE(reports().empty());
}

TEST_F(DispatcherReportsTest, ADelayNoticeThatCannotBeStoredIsTriedAgain) {
    office().always(deferred());
    start();
    const auto id = submit();
    spool.append_fails = true;
    advance(4h + 30s);
    EXPECT_FALSE(spool.recipient(id).delay_notified);
    spool.append_fails = false;
    advance(2min);
    EXPECT_TRUE(spool.recipient(id).delay_notified);
    EXPECT_EQ(reports().size(), 1U);
}

TEST_F(DispatcherReportsTest, BouncesWhatIsTooOld) {
    config.spool.delay_notice = 0ms;
    office().always(deferred());
    start();
    const auto id = submit();
    advance(5 * 24h - 1s);
    EXPECT_EQ(status(id), RecipientStatus::pending);
    advance(1s);
    EXPECT_EQ(status(id), RecipientStatus::failed);
    ASSERT_EQ(reports().size(), 1U);
    EXPECT_THAT(reports()[0].octets, HasSubstr("Action: failed"));
    EXPECT_THAT(reports()[0].octets, HasSubstr("Mailbox busy"));
}

TEST_F(DispatcherReportsTest, CancelsWhatIsTooOldAndWantsNoReport) {
    config.dsn.to = config::Dsn::To::none;
    office().always(deferred());
    start();
    const auto id = submit();
    advance(5 * 24h);
    EXPECT_EQ(status(id), RecipientStatus::cancelled);
    EXPECT_EQ(dispatcher->queue().size(), 0U);
}

TEST_F(DispatcherReportsTest, TriesMailThatExpiredWhileDownOnceMore) {
    auto old = envelope();
    old.received = clock.wall() - 6 * 24h;
    const auto delivers = spool.keep(old);
    auto hopeless = old;
    hopeless.recipients[0].address = "busy@example.org";
    const auto expires = spool.keep(hopeless);
    office().answer = [](base::MessageId, const std::string& address) {
        return address == "busy@example.org" ? deferred() : delivered();
    };
    start();
    EXPECT_EQ(status(delivers), RecipientStatus::delivered);
    EXPECT_EQ(status(expires), RecipientStatus::failed);
    EXPECT_EQ(reports().size(), 1U);
}

TEST_F(DispatcherReportsTest, ManyOverdueMessagesAreAllAttendedTo) {
    office().always(unreachable());
    start();
    std::vector<base::MessageId> ids;
    for (int i = 0; i < 200; ++i) ids.push_back(submit());
    advance(4h);
    for (const auto id : ids) EXPECT_TRUE(spool.recipient(id).delay_notified);
    EXPECT_EQ(reports().size(), 200U);
}

}  // namespace
}  // namespace outpost::delivery::testing

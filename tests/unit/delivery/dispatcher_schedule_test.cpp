#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dispatcher_fixture.hpp"

namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using spool::RecipientStatus;
using ::testing::HasSubstr;
using Mode = smtp::DeliverBy::Mode;

/// Mail with a time before which (FUTURERELEASE) or by which (DELIVERBY) it is to be delivered.
class DispatcherScheduleTest : public DispatcherTest {
  protected:
    smtp::Envelope held(std::chrono::milliseconds wait) {
        smtp::Envelope result = envelope();
        result.release_at = clock.wall() + wait;
        return result;
    }
    smtp::Envelope by(std::chrono::milliseconds time, Mode mode) {
        smtp::Envelope result = envelope();
        result.deliver_by = {.by = clock.wall() + time, .mode = mode};
        return result;
    }
    /// The reports about a@example.org.
    std::vector<std::string> about_original() {
        std::vector<std::string> result;
        for (auto& report : reports())
            if (report.octets.contains("rfc822; a@example.org"))
                result.push_back(std::move(report.octets));
        return result;
    }
};

TEST_F(DispatcherScheduleTest, SendsNothingBeforeItsRelease) {
    start();
    const auto id = submit(held(1h));
    advance(1h - 1ms);
    EXPECT_TRUE(office().sent.empty());
    advance(1ms);
    EXPECT_EQ(office().sent.size(), 1U);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
}

TEST_F(DispatcherScheduleTest, SendsNothingBeforeItsReleaseAfterARestart) {
    const auto id = spool.keep(held(1h));
    start();
    advance(1h - 1ms);
    EXPECT_TRUE(office().sent.empty());
    advance(1ms);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
}

TEST_F(DispatcherScheduleTest, SendsAtOnceWhatHasItsReleaseBehindIt) {
    start();
    EXPECT_EQ(status(submit(held(-1h))), RecipientStatus::delivered);
}

TEST_F(DispatcherScheduleTest, CountsDelayAndAgeFromTheRelease) {
    office().always(deferred());
    start();
    const auto id = submit(held(10 * 24h));
    advance(10 * 24h + 4h - 1s);
    EXPECT_TRUE(reports().empty());
    advance(1s);
    ASSERT_EQ(about_original().size(), 1U);
    EXPECT_THAT(about_original()[0], HasSubstr("Action: delayed"));
    EXPECT_THAT(about_original()[0], HasSubstr("Future-Release-Request: until;"));
    advance(5 * 24h - 4h - 1s);
    EXPECT_EQ(status(id), RecipientStatus::pending);
    advance(1s);
    EXPECT_EQ(status(id), RecipientStatus::failed);
}

TEST_F(DispatcherScheduleTest, ReturnsWhatIsNotDeliveredInTime) {
    office().answer = [](base::MessageId, const std::string& address) {
        return address == "a@example.org" ? deferred() : delivered();
    };
    start();
    const auto id = submit(by(10min, Mode::return_mail));
    advance(10min - 1ms);
    EXPECT_EQ(status(id), RecipientStatus::pending);
    advance(1ms);
    EXPECT_EQ(status(id), RecipientStatus::failed);
    ASSERT_EQ(about_original().size(), 1U);
    EXPECT_THAT(about_original()[0], HasSubstr("Action: failed"));
    EXPECT_THAT(about_original()[0], HasSubstr("Status: 5.4.7"));
    EXPECT_THAT(about_original()[0], HasSubstr("Deliver-By-Date: "));
    EXPECT_THAT(about_original()[0], HasSubstr("Mailbox busy"));
    const auto attempts = office().sent.size();
    advance(24h);
    EXPECT_EQ(office().sent.size(), attempts);
}

TEST_F(DispatcherScheduleTest, NeverSendsWhatIsToBeReturnedAfterItsTime) {
    const auto id = spool.keep(by(-1s, Mode::return_mail));
    start();
    advance(1h);
    EXPECT_EQ(status(id), RecipientStatus::failed);
    for (const auto& sent : office().sent) EXPECT_NE(sent.id, id);
    EXPECT_EQ(about_original().size(), 1U);
}

TEST_F(DispatcherScheduleTest, TellsOfADelayAtTheSendersTimeAndGoesOn) {
    office().answer = [](base::MessageId, const std::string& address) {
        return address == "a@example.org" ? deferred() : delivered();
    };
    office().offers_deliver_by = true;
    start();
    const auto id = submit(by(10min, Mode::notify));
    advance(10min - 1ms);
    EXPECT_TRUE(reports().empty());
    advance(1ms);
    ASSERT_EQ(about_original().size(), 1U);
    EXPECT_THAT(about_original()[0], HasSubstr("Action: delayed"));
    EXPECT_THAT(about_original()[0], HasSubstr("Status: 4.4.7"));
    advance(24h);
    EXPECT_EQ(about_original().size(), 1U) << "once";
    office().always(delivered());
    advance(4h);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
}

TEST_F(DispatcherScheduleTest, ReportsThatATimeWasNotPassedOn) {
    start();
    submit(by(10min, Mode::notify));
    ASSERT_EQ(about_original().size(), 1U);
    EXPECT_THAT(about_original()[0], HasSubstr("Action: relayed"));
}

TEST_F(DispatcherScheduleTest, ReportsRelayingWhereATraceIsAskedForAlone) {
    office().offers_deliver_by = office().offers_dsn = true;
    start();
    submit(by(10min, Mode::notify));
    submit(by(10min, Mode::return_mail));
    EXPECT_TRUE(reports().empty());
    auto traced = by(10min, Mode::return_mail);
    traced.deliver_by->trace = true;
    submit(traced);
    ASSERT_EQ(about_original().size(), 1U);
    EXPECT_THAT(about_original()[0], HasSubstr("Action: relayed"));
    traced.recipients[0].notify = {.given = true, .never = true};
    submit(traced);
    EXPECT_EQ(reports().size(), 1U);
}

TEST_F(DispatcherScheduleTest, AFinalDeliveryNeedsNoReport) {
    config.upstreams["office"].kind = config::SandboxUpstream{};
    start();
    submit(by(10min, Mode::notify));
    EXPECT_TRUE(reports().empty());
}

}  // namespace
}  // namespace outpost::delivery::testing

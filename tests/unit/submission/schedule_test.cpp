#include "submission/schedule.hpp"

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "submission/harness.hpp"

namespace outpost::submission {
namespace {

using namespace std::chrono_literals;
using enum smtp::DeliverBy::Mode;
using test::Harness;
using test::TestClient;

constexpr base::WallTime now{std::chrono::milliseconds(1'800'000'000'000)};

smtp::MailCommand hold_for(std::chrono::seconds interval,
                           std::optional<smtp::ByParameter> by = std::nullopt) {
    smtp::MailCommand mail;
    mail.hold_for = interval;
    mail.by = by;
    return mail;
}

smtp::MailCommand hold_until(base::WallTime time,
                             std::optional<smtp::ByParameter> by = std::nullopt) {
    smtp::MailCommand mail;
    mail.hold_until = time;
    mail.by = by;
    return mail;
}

smtp::MailCommand deliver_by(smtp::ByParameter by) {
    smtp::MailCommand mail;
    mail.by = by;
    return mail;
}

smtp::Envelope scheduled(const smtp::MailCommand& mail) {
    smtp::Envelope envelope;
    EXPECT_TRUE(schedule(mail, now, envelope));
    return envelope;
}

std::string refusal(const smtp::MailCommand& mail) {
    smtp::Envelope envelope;
    const auto done = schedule(mail, now, envelope);
    return done ? "" : done.error().substr(0, 9);
}

TEST(Schedule, IsEmptyWhereNothingIsAsked) {
    const auto envelope = scheduled({});
    EXPECT_EQ(envelope, smtp::Envelope{});
}

TEST(Schedule, HoldsForAnIntervalOrUntilATime) {
    EXPECT_EQ(scheduled(hold_for(60s)).release_at, now + 60s);
    EXPECT_EQ(scheduled(hold_for(60s)).hold_for, 60s);
    EXPECT_EQ(scheduled(hold_until(now + 90s)).release_at, now + 90s);
    EXPECT_EQ(scheduled(hold_until(now + 90s)).hold_for, std::nullopt);
    EXPECT_EQ(scheduled(hold_until(now - 90s)).release_at, now - 90s);
}

TEST(Schedule, MakesATimeOfTheSecondsOfBy) {
    const smtp::ByParameter by{.time = 60s, .mode = return_mail, .trace = true};
    EXPECT_EQ(scheduled(deliver_by(by)).deliver_by,
              (smtp::DeliverBy{.by = now + 60s, .mode = return_mail, .trace = true}));
    EXPECT_EQ(scheduled(deliver_by(smtp::ByParameter{.time = -60s})).deliver_by->by, now - 60s);
}

TEST(Schedule, RefusesAReleaseOverThirtyDaysAhead) {
    EXPECT_EQ(refusal(hold_for(30 * 24h)), "");
    EXPECT_EQ(refusal(hold_for(30 * 24h + 1s)), "501 5.5.4");
    EXPECT_EQ(refusal(hold_until(now + 30 * 24h)), "");
    EXPECT_EQ(refusal(hold_until(now + 30 * 24h + 1ms)), "501 5.5.4");
    EXPECT_EQ(refusal(hold_until(*base::parse_rfc3339("9999-12-31T23:59:59Z"))), "501 5.5.4");
}

TEST(Schedule, RefusesADeliveryBeforeTheRelease) {
    EXPECT_EQ(refusal(hold_for(60s, smtp::ByParameter{.time = 61s})), "");
    EXPECT_EQ(refusal(hold_for(60s, smtp::ByParameter{.time = 60s})), "501 5.5.4");
    EXPECT_EQ(refusal(hold_until(now + 60s, smtp::ByParameter{.time = 59s, .mode = return_mail})),
              "501 5.5.4");
}

class SessionSchedule : public testing::Test {
  protected:
    SessionSchedule() : client(harness.start_trusted()) {
        client.read_line();
        offered = client.ask("EHLO client");
    }
    /// Sends a message with these parameters; its envelope.
    smtp::Envelope send(const std::string& parameters) {
        EXPECT_EQ(client.ask("MAIL FROM:<shop@example.com> " + parameters), "250 2.1.0 Ok");
        client.ask("RCPT TO:<you@example.net>");
        client.ask("DATA");
        client.send("From: shop@example.com\r\n\r\nHello\r\n.\r\n");
        EXPECT_EQ(client.read_line().substr(0, 3), "250");
        const auto stored = harness.spool.stored();
        return stored.empty() ? smtp::Envelope{} : stored.back().envelope;
    }

    Harness harness;
    TestClient client;
    std::string offered;
};

TEST_F(SessionSchedule, OffersUntilWhenMailIsHeld) {
    EXPECT_TRUE(offered.contains("\n250-DELIVERBY\n")) << offered;
    constexpr std::string_view keyword = "\n250-FUTURERELEASE 2592000 ";
    const auto at = offered.find(keyword);
    ASSERT_NE(at, std::string::npos) << offered;
    const auto until = base::parse_rfc3339(offered.substr(at + keyword.size(), 20));
    ASSERT_TRUE(until) << offered;
    const auto ahead = *until - base::SystemClock().wall();
    EXPECT_LE(ahead, 30 * 24h);
    EXPECT_GT(ahead, 29 * 24h);
}

TEST_F(SessionSchedule, CountsHoldForFromTheMessagesAcceptance) {
    const auto before = base::SystemClock().wall();
    const auto envelope = send("HOLDFOR=3600");
    ASSERT_TRUE(envelope.release_at);
    EXPECT_GE(*envelope.release_at, before + 1h);
    EXPECT_GE(*envelope.release_at, envelope.received + 1h);
    EXPECT_LE(*envelope.release_at, base::SystemClock().wall() + 1h);
    EXPECT_EQ(envelope.hold_for, 1h);
}

TEST_F(SessionSchedule, TakesEachParameterForItsMessageAlone) {
    const auto until = base::SystemClock().wall() + 24h;
    EXPECT_EQ(send("HOLDUNTIL=" + base::rfc3339(until)).release_at, until);
    EXPECT_EQ(send("BY=120;R").deliver_by->mode, return_mail);
    const auto plain = send("");
    EXPECT_EQ(plain.release_at, std::nullopt);
    EXPECT_EQ(plain.deliver_by, std::nullopt);
}

TEST_F(SessionSchedule, SaysWhatIsWrong) {
    const auto ask = [&](const std::string& parameters) {
        return client.ask("MAIL FROM:<shop@example.com> " + parameters);
    };
    EXPECT_TRUE(ask("HOLDFOR=2592001").starts_with("501 5.5.4 The release is too far"));
    EXPECT_TRUE(ask("HOLDFOR=60 BY=30;N").starts_with("501 5.5.4 BY ends before"));
    EXPECT_TRUE(ask("HOLDFOR=60 HOLDUNTIL=2030-01-31T08:00:00Z").starts_with("501 5.5.4 "));
    EXPECT_TRUE(ask("BY=0;R").starts_with("501 5.5.4 "));
    EXPECT_EQ(ask("HOLDFOR=60"), "250 2.1.0 Ok") << "the session goes on";
}

}  // namespace
}  // namespace outpost::submission

#include "upstream/deliver_by.hpp"

#include <gtest/gtest.h>

#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

using namespace std::chrono_literals;
using smtp::DeliverBy;
using test::Script;
using test::SmtpTest;
using enum DeliverBy::Mode;

constexpr base::WallTime now{std::chrono::milliseconds(1'800'000'000'500)};

std::optional<DeliverBy> by(std::chrono::milliseconds left, DeliverBy::Mode mode) {
    return DeliverBy{.by = now + left, .mode = mode};
}

TEST(DeliverWithin, IsTheTimeThatIsLeft) {
    EXPECT_EQ(*deliver_within(std::nullopt, 0, now), std::nullopt);
    EXPECT_EQ(*deliver_within(by(90s, return_mail), 0, now), 90s);
    EXPECT_EQ(*deliver_within(by(89'999ms, return_mail), 0, now), 89s);
    EXPECT_EQ(*deliver_within(by(90s, return_mail), 90, now), 90s);
    EXPECT_EQ(*deliver_within(by(90s, notify), 100, now), 90s) << "the least is for mode R";
    EXPECT_EQ(*deliver_within(by(-90s, notify), 0, now), -90s);
    EXPECT_EQ(*deliver_within(by(-2'000'000'000s, notify), 0, now), -999'999'999s);
}

TEST(DeliverWithin, IsNotPassedOnWhereItIsNotOffered) {
    EXPECT_EQ(*deliver_within(by(90s, notify), std::nullopt, now), std::nullopt);
    EXPECT_EQ(*deliver_within(std::nullopt, std::nullopt, now), std::nullopt);
}

TEST(DeliverWithin, RefusesWhatWouldNotBeReturnedInTime) {
    const std::pair<std::chrono::milliseconds, std::optional<std::uint32_t>> cases[] = {
        {90s, std::nullopt}, {90s, 91}, {999ms, 0}, {0s, 0}, {-90s, 0}};
    for (const auto& [left, offered] : cases) {
        const auto refused = deliver_within(by(left, return_mail), offered, now);
        ASSERT_FALSE(refused) << left.count();
        EXPECT_EQ(refused.error().verdict, Verdict::failed);
        EXPECT_EQ(refused.error().scope, Scope::message);
        EXPECT_EQ(refused.error().reply.status, (smtp::EnhancedStatus{5, 4, 7}));
    }
}

TEST_F(SmtpTest, SendsToAServerWithoutDeliverByWhatNeedNotBeReturned) {
    envelope_.deliver_by = {.by = clock_.wall() + 1h, .mode = notify};
    server_->expect(session(
        {"PIPELINING"},
        {"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA", "S: 250 ok", "S: 250 ok",
         "S: 354 go", "BODY", "S: 250 queued", "C: QUIT", "S: 221 bye", "GONE"}));
    const auto report = send();
    EXPECT_EQ(report.outcomes[0].verdict, Verdict::delivered);
    EXPECT_FALSE(report.deliver_by_relayed);
}

TEST_F(SmtpTest, DoesNotEvenSayMailWhereTheMessageCouldNotBeReturned) {
    envelope_.deliver_by = {.by = clock_.wall() + 1h, .mode = return_mail};
    server_->expect(session({"PIPELINING"}, {"C: QUIT", "S: 221 bye", "GONE"}));
    const auto report = send("Subject: x\r\n\r\nhello\r\n", 2);
    for (const auto& outcome : report.outcomes) {
        EXPECT_EQ(outcome.verdict, Verdict::failed);
        EXPECT_EQ(outcome.reply.status, (smtp::EnhancedStatus{5, 4, 7}));
    }
}

}  // namespace
}  // namespace outpost::upstream

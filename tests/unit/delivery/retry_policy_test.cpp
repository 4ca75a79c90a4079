#include "delivery/retry_policy.hpp"

#include <gtest/gtest.h>

#include "fake_transport.hpp"

namespace outpost::delivery {
namespace {

using namespace std::chrono_literals;
using spool::RecipientState;
using spool::RecipientStatus;
using upstream::Outcome;
using upstream::Scope;
using upstream::Verdict;

constexpr base::WallTime t0{std::chrono::milliseconds(1'800'000'000'000)};

RetryPolicy policy(config::Retry retry = {.jitter = 0}) {
    return RetryPolicy(retry, config::Spool{});
}

TEST(RetryPolicy, BacksOffByTheConfiguredSeries) {
    struct Case {
        const char* name;
        config::Retry retry;
        unsigned attempts;
        double random;
        std::chrono::milliseconds wait;
    };
    const Case cases[] = {
        {"first", {.jitter = 0}, 1, 0.5, 1min},
        {"second", {.jitter = 0}, 2, 0.5, 2min},
        {"eighth", {.jitter = 0}, 8, 0.5, 128min},
        {"at most max", {.jitter = 0}, 9, 0.5, 4h},
        {"after very many", {.jitter = 0}, 255, 0.5, 4h},
        {"factor one stays", {.factor = 1, .jitter = 0}, 200, 0.5, 1min},
        {"jitter at its least", {.jitter = 0.2}, 1, 0, 48s},
        {"jitter at its most", {.jitter = 0.2}, 1, 1, 72s},
        {"no jitter ignores chance", {.jitter = 0}, 1, 0.99, 1min},
        {"full jitter", {.jitter = 1}, 1, 0, 0s},
        {"milliseconds", {.first = 250ms, .factor = 1.5, .jitter = 0}, 3, 0.5, 563ms},
        {"max under first", {.first = 1h, .max = 1min, .jitter = 0}, 1, 0.5, 1min},
    };
    for (const Case& one : cases)
        EXPECT_EQ(policy(one.retry).back_off(one.attempts, one.random), one.wait) << one.name;
}

TEST(RetryPolicy, SettlesEachVerdict) {
    Outcome told = testing::deferred();
    told.retry_after = 10min;
    struct Case {
        const char* name;
        Outcome outcome;
        bool suspect;
        Settled settled;
        RecipientStatus status;
        int attempts;
        std::chrono::milliseconds wait;
    };
    const auto pending = RecipientStatus::pending;
    const Case cases[] = {
        {"delivered", testing::delivered(), false, Settled::delivered, RecipientStatus::delivered,
         3, 0s},
        {"failed", testing::refused(), false, Settled::failed, RecipientStatus::failed, 3, 0s},
        {"deferred", testing::deferred(), false, Settled::deferred, pending, 3, 4min},
        {"with a stated wait", told, false, Settled::deferred, pending, 3, 10min},
        {"uncertain", testing::lost(), false, Settled::deferred, pending, 3, 4min},
        {"unreachable", testing::unreachable(), false, Settled::held, pending, 2, 0s},
        {"unreachable again", testing::unreachable(), true, Settled::deferred, pending, 3, 4min},
        {"throttled", testing::throttled(), false, Settled::held, pending, 2, 0s},
        {"login refused again", testing::login_refused(), true, Settled::held, pending, 2, 0s},
        {"login wanted", testing::login_wanted(), false, Settled::held, pending, 2, 0s},
        {"login wanted again", testing::login_wanted(), true, Settled::deferred, pending, 3, 4min},
        {"throttled again", testing::throttled(), true, Settled::deferred, pending, 3, 4min},
        {"misconfigured", testing::login_refused(), false, Settled::held, pending, 2, 0s},
    };
    for (const Case& one : cases) {
        RecipientState state{
            .attempts = 2, .next_attempt = t0, .last_reply = "", .last_upstream = ""};
        const auto settled = policy().settle(
            state, one.outcome,
            {.now = t0, .start = t0 - 1h, .upstream = "office", .suspect = one.suspect});
        EXPECT_EQ(settled, one.settled) << one.name;
        EXPECT_EQ(state.status, one.status) << one.name;
        EXPECT_EQ(state.attempts, one.attempts) << one.name;
        EXPECT_EQ(state.next_attempt, t0 + one.wait) << one.name;
        EXPECT_EQ(state.last_reply, one.outcome.reply.text()) << one.name;
        EXPECT_EQ(state.last_upstream, "office") << one.name;
    }
}

TEST(RetryPolicy, GivesUpADeferredRecipientWhoseTimeIsOver) {
    for (const Outcome& outcome :
         {testing::deferred(), testing::unreachable(), testing::lost(), testing::login_refused()}) {
        RecipientState state;
        EXPECT_EQ(policy().settle(state, outcome, {.now = t0, .start = t0 - 5 * 24h}),
                  Settled::expired);
        EXPECT_EQ(state.status, RecipientStatus::failed);
    }
    RecipientState state;
    EXPECT_EQ(policy().settle(state, testing::delivered(), {.now = t0, .start = t0 - 5 * 24h}),
              Settled::delivered);
}

TEST(RetryPolicy, ReportsAnUncertainOutcomeWhereAskedTo) {
    RecipientState state;
    EXPECT_EQ(policy().settle(state, testing::lost(),
                              {.now = t0, .start = t0, .uncertain = config::Uncertain::report}),
              Settled::uncertain);
    EXPECT_EQ(state.status, RecipientStatus::failed);
}

TEST(RetryPolicy, KeepsLittleOfALongReply) {
    RecipientState state;
    static_cast<void>(policy().settle(
        state, testing::outcome(Verdict::deferred, 450, std::string(5000, 'x') + "\r\nforged"),
        {.now = t0, .start = t0}));
    EXPECT_LE(state.last_reply.size(), 512U);
}

TEST(RetryPolicy, CountsNoFurtherThan255) {
    RecipientState state{.attempts = 255, .last_reply = "", .last_upstream = ""};
    static_cast<void>(policy().settle(state, testing::deferred(), {.now = t0, .start = t0}));
    EXPECT_EQ(state.attempts, 255);
}

smtp::Lifetime since(base::WallTime start) {
    return {.start = start, .deliver_by = {}};
}

smtp::Lifetime by(base::WallTime time, smtp::DeliverBy::Mode mode) {
    return {.start = t0, .deliver_by = smtp::DeliverBy{.by = time, .mode = mode}};
}

TEST(RetryPolicy, TheDeadlineIsTheDelayNoticeAndThenTheExpiry) {
    config::Spool spool;
    EXPECT_EQ(policy().deadline(since(t0), false), t0 + 4h);
    EXPECT_EQ(policy().deadline(since(t0), true), t0 + 5 * 24h);
    spool.delay_notice = 0ms;
    EXPECT_EQ(RetryPolicy({}, spool).deadline(since(t0), false), t0 + 5 * 24h);
    EXPECT_EQ(RetryPolicy({}, spool).notice_at(since(t0)), base::WallTime::max());
    spool.delay_notice = 4h;
    spool.max_age = 2h;
    EXPECT_EQ(RetryPolicy({}, spool).deadline(since(t0), false), t0 + 2h);
}

TEST(RetryPolicy, TheSendersTimeWithModeRIsAnEnd) {
    using enum smtp::DeliverBy::Mode;
    EXPECT_EQ(policy().deadline(by(t0 + 1h, return_mail), false), t0 + 1h);
    EXPECT_EQ(policy().deadline(by(t0 + 6h, return_mail), false), t0 + 4h) << "the delay notice";
    EXPECT_EQ(policy().deadline(by(t0 + 6h, return_mail), true), t0 + 6h);
    EXPECT_EQ(policy().end(by(t0 + 6 * 24h, return_mail)), t0 + 5 * 24h) << "max_age is over first";
}

TEST(RetryPolicy, TheSendersTimeWithModeNReplacesTheDelayNotice) {
    using enum smtp::DeliverBy::Mode;
    EXPECT_EQ(policy().deadline(by(t0 + 1h, notify), false), t0 + 1h);
    EXPECT_EQ(policy().deadline(by(t0 + 6h, notify), false), t0 + 6h);
    EXPECT_EQ(policy().deadline(by(t0 + 1h, notify), true), t0 + 5 * 24h);
    EXPECT_EQ(policy().deadline(by(t0 - 1h, notify), false), t0 + 4h) << "reported before us";
    config::Spool spool;
    spool.delay_notice = 0ms;
    EXPECT_EQ(RetryPolicy({}, spool).notice_at(by(t0 + 1h, notify)), t0 + 1h);
}

TEST(RetryPolicy, APauseIsForgivenButNotBeyondTheSendersTime) {
    using enum smtp::DeliverBy::Mode;
    const auto after = [&](const smtp::Lifetime& lifetime) {
        return policy().deadline_after_pause(lifetime, true, t0, 5min);
    };
    EXPECT_EQ(after(since(t0 - 6 * 24h)), t0 + 5min);
    EXPECT_EQ(after(since(t0 - 24h)), t0 + 4 * 24h);
    EXPECT_EQ(after({.start = t0 - 6 * 24h,
                     .deliver_by = smtp::DeliverBy{.by = t0 - 1h, .mode = return_mail}}),
              t0 - 1h);
}

}  // namespace
}  // namespace outpost::delivery

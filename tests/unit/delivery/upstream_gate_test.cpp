#include "delivery/upstream_gate.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "fake_transport.hpp"

namespace outpost::delivery {
namespace {

using namespace std::chrono_literals;
using Change = UpstreamGate::Change;
using State = UpstreamGate::State;

constexpr base::MonoTime t0{std::chrono::hours(1000)};

GateReport report(GateSignal signal, std::optional<std::chrono::seconds> wait = std::nullopt) {
    return {.signal = signal, .wait = wait, .reason = "reason"};
}

/// One attempt from start to end.
Change attempt(UpstreamGate& gate, const GateReport& end, base::MonoTime now) {
    EXPECT_TRUE(gate.may_start(now));
    return gate.finish(gate.start(), end, now);
}

TEST(UpstreamGate, LetsThroughAsManyAsItsConcurrency) {
    UpstreamGate gate(2);
    const auto first = gate.start();
    EXPECT_TRUE(gate.may_start(t0));
    static_cast<void>(gate.start());
    EXPECT_FALSE(gate.may_start(t0));
    gate.finish(first, report(GateSignal::alive), t0);
    EXPECT_TRUE(gate.may_start(t0));
    EXPECT_EQ(gate.active(), 1U);
    EXPECT_FALSE(gate.next_event());
}

TEST(UpstreamGate, TriesAgainAtGrowingIntervals) {
    struct Case {
        GateSignal signal;
        std::vector<std::chrono::seconds> intervals;
    };
    const Case cases[] = {
        {GateSignal::unreachable, {1s, 2s, 4s, 8s, 16s, 30s, 30s}},
        {GateSignal::throttled, {30s, 60s, 120s, 240s, 480s, 900s, 900s}},
    };
    for (const Case& one : cases) {
        UpstreamGate gate(20);
        base::MonoTime now = t0;
        for (const auto interval : one.intervals) {
            EXPECT_EQ(attempt(gate, report(one.signal), now), Change::backed_off);
            EXPECT_EQ(gate.next_event(), now + interval);
            EXPECT_FALSE(gate.may_start(now + interval - 1ms));
            now += interval;
        }
        EXPECT_EQ(gate.since(), t0);
        EXPECT_EQ(attempt(gate, report(GateSignal::alive), now), Change::opened);
        EXPECT_EQ(attempt(gate, report(one.signal), now), Change::backed_off);
        EXPECT_EQ(gate.next_event(), now + one.intervals[0]) << "from the start again";
    }
}

TEST(UpstreamGate, WaitsAsLongAsItWasTold) {
    UpstreamGate gate(20);
    attempt(gate, report(GateSignal::throttled, 300s), t0);
    EXPECT_EQ(gate.next_try(), t0 + 300s);
}

TEST(UpstreamGate, ProbesWithOneAttemptAtATime) {
    UpstreamGate gate(20);
    attempt(gate, report(GateSignal::unreachable), t0);
    const auto probe = gate.start();
    EXPECT_FALSE(gate.may_start(t0 + 1h));
    EXPECT_FALSE(gate.next_event());
    gate.finish(probe, report(GateSignal::unclear), t0 + 10s);
    EXPECT_EQ(gate.state(), State::backing_off);
    EXPECT_EQ(gate.next_event(), t0 + 11s) << "it told nothing: the same interval again";
}

TEST(UpstreamGate, ManyAttemptsThatFailTogetherAreOneFailure) {
    for (const auto signal : {GateSignal::unreachable, GateSignal::throttled}) {
        UpstreamGate gate(20);
        std::vector<UpstreamGate::Ticket> tickets(20);
        for (auto& ticket : tickets) ticket = gate.start();
        EXPECT_EQ(gate.finish(tickets[0], report(signal), t0), Change::backed_off);
        const auto next = gate.next_try();
        for (std::size_t i = 1; i < tickets.size(); ++i)
            EXPECT_EQ(gate.finish(tickets[i], report(signal), t0), Change::none);
        EXPECT_EQ(gate.next_try(), next);
    }
}

TEST(UpstreamGate, AnOldFailureDoesNotCloseAnOpenedGate) {
    UpstreamGate gate(20);
    const auto slow = gate.start();
    attempt(gate, report(GateSignal::unreachable), t0);
    attempt(gate, report(GateSignal::alive), t0 + 1s);
    EXPECT_EQ(gate.finish(slow, report(GateSignal::unreachable), t0 + 30s), Change::none);
    EXPECT_EQ(gate.state(), State::open);
}

TEST(UpstreamGate, AnOldSuccessEndsAnOutageButNoThrottle) {
    UpstreamGate down(20);
    auto old = down.start();
    attempt(down, report(GateSignal::unreachable), t0);
    EXPECT_EQ(down.finish(old, report(GateSignal::alive), t0), Change::opened);
    UpstreamGate slow(20);
    old = slow.start();
    attempt(slow, report(GateSignal::throttled), t0);
    EXPECT_EQ(slow.finish(old, report(GateSignal::alive), t0), Change::none);
    EXPECT_FALSE(slow.may_start(t0 + 29s));
}

TEST(UpstreamGate, ASuspensionEndsWithALoginOnly) {
    UpstreamGate gate(20);
    const auto old = gate.start();
    EXPECT_EQ(attempt(gate, report(GateSignal::misconfigured), t0), Change::suspended);
    EXPECT_EQ(gate.reason(), "reason");
    EXPECT_EQ(gate.finish(old, report(GateSignal::alive), t0), Change::none);
    EXPECT_FALSE(gate.may_start(t0 + 24h));
    EXPECT_FALSE(gate.login_probe_due(t0 + 14min));
    EXPECT_EQ(gate.next_event(), t0 + 15min);
    ASSERT_TRUE(gate.login_probe_due(t0 + 15min));
    gate.begin_login_probe();
    EXPECT_FALSE(gate.login_probe_due(t0 + 15min));
    EXPECT_FALSE(gate.next_event());
    EXPECT_EQ(gate.end_login_probe(false, t0 + 16min), Change::none);
    EXPECT_EQ(gate.next_event(), t0 + 31min);
    gate.begin_login_probe();
    EXPECT_EQ(gate.end_login_probe(true, t0 + 31min), Change::opened);
    EXPECT_TRUE(gate.may_start(t0 + 31min));
}

TEST(UpstreamGate, AFailedProbeCanSuspend) {
    UpstreamGate gate(20);
    attempt(gate, report(GateSignal::unreachable), t0);
    EXPECT_EQ(attempt(gate, report(GateSignal::misconfigured), t0 + 1s), Change::suspended);
    EXPECT_EQ(gate.since(), t0);
}

TEST(GateReport, AnApiThatFailsWithoutSayingWhatBecameOfTheMessageIsAway) {
    upstream::Outcome doubt;
    doubt.verdict = upstream::Verdict::uncertain;
    doubt.http_status = 502;
    EXPECT_EQ(gate_report(std::span(&doubt, 1), false).signal, GateSignal::unreachable);
    doubt.http_status = 200;
    EXPECT_EQ(gate_report(std::span(&doubt, 1), false).signal, GateSignal::alive);
    doubt.http_status = 0;
    doubt.scope = upstream::Scope::upstream;
    EXPECT_EQ(gate_report(std::span(&doubt, 1), false).signal, GateSignal::unreachable);
    // Of SMTP: a message may break the connection that it is sent on.
    doubt.scope = upstream::Scope::message;
    EXPECT_EQ(gate_report(std::span(&doubt, 1), false).signal, GateSignal::unclear);
}

TEST(GateReport, TakesTheWorstOfTheOutcomes) {
    using upstream::Outcome;
    Outcome too_much = testing::throttled();
    too_much.retry_after = 70s;
    Outcome held = testing::delivered();
    held.scope = upstream::Scope::upstream;
    struct Case {
        const char* name;
        std::vector<Outcome> outcomes;
        bool suspect;
        GateSignal signal;
    };
    const Case cases[] = {
        {"delivered", {testing::delivered()}, false, GateSignal::alive},
        {"refused", {testing::refused()}, false, GateSignal::alive},
        {"one deferred", {testing::deferred()}, false, GateSignal::alive},
        {"answer lost", {testing::lost()}, false, GateSignal::unclear},
        {"no connection", {testing::unreachable()}, false, GateSignal::unreachable},
        {"throttled", {testing::delivered(), too_much}, false, GateSignal::throttled},
        {"delivered, but held", {testing::delivered(), held}, false, GateSignal::throttled},
        {"login", {testing::login_refused(), too_much}, false, GateSignal::misconfigured},
        {"login, suspect", {testing::login_refused()}, true, GateSignal::misconfigured},
        {"login for one, suspect", {testing::login_wanted()}, true, GateSignal::unclear},
        {"throttled, suspect", {too_much}, true, GateSignal::throttled},
    };
    for (const Case& one : cases)
        EXPECT_EQ(gate_report(one.outcomes, one.suspect).signal, one.signal) << one.name;
    const auto slow = gate_report(std::vector{testing::delivered(), too_much}, false);
    EXPECT_EQ(slow.wait, 70s);
    EXPECT_EQ(slow.reason, "421 Too much");
}

}  // namespace
}  // namespace outpost::delivery

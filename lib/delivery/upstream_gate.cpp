#include "delivery/upstream_gate.hpp"

#include <algorithm>

namespace outpost::delivery {
namespace {

using std::chrono::seconds;
using upstream::Outcome;
using upstream::Verdict;

constexpr seconds first_reconnect{1};
constexpr seconds longest_reconnect{30};
constexpr seconds first_throttle{30};
constexpr seconds longest_throttle{15 * 60};
constexpr seconds login_interval{15 * 60};

GateSignal signal_of(const Outcome& outcome) {
    if (outcome.verdict == Verdict::misconfigured) return GateSignal::misconfigured;
    const bool answered = outcome.reply.code != 0 || outcome.http_status != 0;
    if (outcome.verdict == Verdict::deferred && outcome.scope == upstream::Scope::upstream) {
        // An API that fails is as good as one that is not there.
        const bool asks_for_less = answered && outcome.http_status < 500;
        return asks_for_less ? GateSignal::throttled : GateSignal::unreachable;
    }
    // What it says nothing about, or fails at, would be the next message's fate as well.
    if (outcome.verdict == Verdict::uncertain &&
        (outcome.http_status >= 500 || outcome.scope == upstream::Scope::upstream))
        return GateSignal::unreachable;
    if (outcome.verdict == Verdict::delivered) {
        // With scope upstream it holds what it has taken, and would hold more.
        const bool held = outcome.scope == upstream::Scope::upstream;
        return held ? GateSignal::throttled : GateSignal::alive;
    }
    return answered ? GateSignal::alive : GateSignal::unclear;
}

int weight(GateSignal signal) {
    switch (signal) {
        case GateSignal::unclear: return 0;
        case GateSignal::alive: return 1;
        case GateSignal::unreachable: return 2;
        case GateSignal::throttled: return 3;
        case GateSignal::misconfigured: return 4;
    }
    return 0;
}

/// The next interval of a series that doubles.
seconds doubled(seconds last, seconds first, seconds longest) {
    return last.count() == 0 ? first : std::min(last * 2, longest);
}

}  // namespace

GateReport gate_report(std::span<const Outcome> outcomes, bool suspect) {
    GateReport report;
    for (const Outcome& outcome : outcomes) {
        GateSignal signal = signal_of(outcome);
        if (suspect && signal == GateSignal::misconfigured && !upstream::refuses_us(outcome))
            signal = GateSignal::unclear;
        if (weight(signal) <= weight(report.signal)) continue;
        report.signal = signal;
        if (signal == GateSignal::alive) continue;
        report.wait = outcome.retry_after;
        report.reason = outcome.reply.text();
    }
    return report;
}

bool UpstreamGate::may_start(base::MonoTime now) const noexcept {
    switch (state_) {
        case State::open: return active_ < concurrency_;
        case State::backing_off: return !probe_out_ && now >= next_try_;
        case State::suspended: return false;
    }
    return false;
}

UpstreamGate::Ticket UpstreamGate::start() noexcept {
    ++active_;
    probe_out_ = state_ == State::backing_off;
    return {.period = period_, .probing = probe_out_};
}

UpstreamGate::Change UpstreamGate::finish(Ticket ticket, const GateReport& report,
                                          base::MonoTime now) {
    --active_;
    const bool current = ticket.period == period_;
    const bool probe = current && ticket.probing;
    if (probe) probe_out_ = false;
    if (state_ == State::suspended) return Change::none;
    const bool closed = state_ == State::backing_off;
    switch (report.signal) {
        case GateSignal::misconfigured: return suspend(report, now);
        case GateSignal::throttled:
            // Many attempts that meet the same throttle are one push-back, not many.
            if (closed && !probe) return Change::none;
            return back_off(report, now);
        case GateSignal::unreachable:
            // An attempt from before the last change tells of the past.
            return current ? back_off(report, now) : Change::none;
        case GateSignal::alive:
            // A throttled upstream goes on serving what it has; only the probe shows that it is
            // over.
            if (probe || (closed && cause_ == GateSignal::unreachable)) return open();
            return Change::none;
        case GateSignal::unclear:
            if (probe) next_try_ = now + interval_;
            return Change::none;
    }
    return Change::none;
}

bool UpstreamGate::login_probe_due(base::MonoTime now) const noexcept {
    return state_ == State::suspended && !login_probe_out_ && now >= next_try_;
}

UpstreamGate::Change UpstreamGate::end_login_probe(bool success, base::MonoTime now) {
    login_probe_out_ = false;
    if (success) return open();
    next_try_ = now + login_interval;
    return Change::none;
}

void UpstreamGate::inherit(const UpstreamGate& other) {
    state_ = other.state_;
    cause_ = other.cause_;
    interval_ = other.interval_;
    reason_ = other.reason_;
    since_ = other.since_;
    next_try_ = other.next_try_;
}

bool UpstreamGate::reopen() {
    return state_ != State::open && open() == Change::opened;
}

std::optional<base::MonoTime> UpstreamGate::next_event() const noexcept {
    if (state_ == State::open || probe_out_ || login_probe_out_) return std::nullopt;
    return next_try_;
}

UpstreamGate::Change UpstreamGate::back_off(const GateReport& report, base::MonoTime now) {
    const bool throttled = report.signal == GateSignal::throttled;
    const bool again = state_ == State::backing_off && cause_ == report.signal;
    const seconds last = again ? interval_ : seconds(0);
    if (report.wait) {
        interval_ = std::max(*report.wait, first_reconnect);
    } else if (throttled) {
        interval_ = doubled(last, first_throttle, longest_throttle);
    } else {
        interval_ = doubled(last, first_reconnect, longest_reconnect);
    }
    if (state_ == State::open) {
        since_ = now;
        ++period_;
    }
    state_ = State::backing_off;
    cause_ = report.signal;
    reason_ = report.reason;
    next_try_ = now + interval_;
    return Change::backed_off;
}

UpstreamGate::Change UpstreamGate::suspend(const GateReport& report, base::MonoTime now) {
    if (state_ == State::open) since_ = now;
    ++period_;
    state_ = State::suspended;
    cause_ = report.signal;
    reason_ = report.reason;
    interval_ = login_interval;
    next_try_ = now + login_interval;
    probe_out_ = false;
    return Change::suspended;
}

UpstreamGate::Change UpstreamGate::open() {
    ++period_;
    state_ = State::open;
    probe_out_ = false;
    reason_.clear();
    return Change::opened;
}

}  // namespace outpost::delivery

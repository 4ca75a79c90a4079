#include "delivery/port.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "upstream/factory.hpp"

namespace outpost::delivery {
namespace {

Destination make_destination(const config::Upstream& upstream,
                             std::unique_ptr<upstream::Transport> transport) {
    Destination to{.name = upstream.name,
                   .transport = std::move(transport),
                   .uncertain = upstream::uncertain_of(upstream),
                   .counts = AttemptCounts(upstream.name)};
    to.final_delivery = std::holds_alternative<config::SandboxUpstream>(upstream.kind);
    return to;
}

}  // namespace

Port::Port(const config::Upstream& upstream, std::unique_ptr<upstream::Transport> transport,
           PortIndex index)
    : destination_(make_destination(upstream, std::move(transport))),
      gate_(upstream.concurrency),
      pace_(upstream.concurrency),
      index_(index),
      active_(upstream.active),
      asks_for_each_(upstream.reserve ||
                     std::ranges::any_of(upstream.limits.rates, [](const limit::Rate& rate) {
                         return rate.unit == limit::Unit::octets;
                     })) {}

void Port::succeed(const Port& before, bool same) {
    paused_ = before.paused_;
    attempt_speed_ = before.attempt_speed_;
    last_trouble_ = before.last_trouble_;
    same_ = same;
    if (!same) return;
    gate_.inherit(before.gate_);
    pace_ = before.pace_;
    paced_ = before.paced_;
}

bool Port::may_start(base::MonoTime now, base::WallTime wall) {
    if (!active_ || paused_ || !gate_.may_start(now)) return false;
    if (limit_wait_ && wall < limit_wait_->until && !asks_for_each_) return false;
    // A probe of a closed upstream is let through: the gate spaces those.
    // An operator's test is one already.
    if (gate_.state() != UpstreamGate::State::open) return !test_;
    return attempts() + elsewhere_ < pace_.concurrency() && pace_.next_start(now) <= now;
}

std::optional<double> Port::throughput(base::MonoTime now) {
    const auto one = attempt_speed_.per_second();
    const auto paced = pace_.per_second(now);
    if (!one) return paced;
    const double all = *one * pace_.concurrency();
    return paced ? std::min(all, *paced) : all;
}

MemberState Port::state(base::MonoTime now, base::WallTime wall) {
    if (!active_ || paused_) return MemberState::closed;
    const bool waits = limit_wait_ && wall < limit_wait_->until;
    if (gate_.state() != UpstreamGate::State::open) {
        if (gate_.may_start(now) && !waits && !test_) return MemberState::due;
        return gate_.throttled() ? MemberState::limited : MemberState::closed;
    }
    const bool used_up = waits && !limit_wait_->brief;
    return used_up || pace_.next_start(now) > now ? MemberState::limited : MemberState::open;
}

void Port::pause(Pause pause) {
    if (paused_) pause.since = paused_->since;
    paused_ = std::move(pause);
}

void Port::resume(base::MonoTime now) {
    paused_.reset();
    if (gate_.state() == UpstreamGate::State::open) return;
    if (gate_.reopen()) opened("operator", now);
}

UpstreamGate::Ticket Port::start(const Picker::Pick& pick, base::MonoTime now,
                                 base::WallTime wall) {
    pace_.started(pick.permit.recipients, now);
    running_.push_back({pick.handle, wall, now, pick.permit.recipients});
    return gate_.start();
}

void Port::finish(spool::Queue::Handle handle, UpstreamGate::Ticket ticket,
                  const GateReport& report, base::MonoTime now) {
    const auto ended = std::ranges::find(running_, handle, &Running::handle);
    if (report.signal == GateSignal::alive)
        attempt_speed_.ended(ended->recipients, now - ended->started);
    running_.erase(ended);
    limit_wait_.reset();
    const UpstreamGate::State before = gate_.state();
    judge(before, gate_.finish(ticket, report, now), report, now);
    tell_ended();
}

void Port::set_elsewhere(std::uint32_t attempts) {
    if (std::exchange(elsewhere_, attempts) > attempts) tell_ended();
}

void Port::ended_elsewhere(const GateReport& report, base::MonoTime now) {
    if (!same_) return;
    const UpstreamGate::State before = gate_.state();
    judge(before, gate_.finish_other(report, now), report, now);
}

void Port::tell_ended() {
    if (const auto ended = std::exchange(attempt_ended_, nullptr)) ended();
}

bool Port::begin_test() noexcept {
    return !std::exchange(test_, true);
}

bool Port::test_may_start() const noexcept {
    return gate_.active() + elsewhere_ < pace_.concurrency();
}

void Port::end_test(const GateReport& report, base::MonoTime now) {
    test_ = false;
    limit_wait_.reset();
    // One that has asked for less goes on serving a little: that proves nothing.
    if (report.signal == GateSignal::alive && !gate_.throttled() && gate_.reopen())
        opened("test", now);
}

void Port::judge(UpstreamGate::State before, UpstreamGate::Change change, const GateReport& report,
                 base::MonoTime now) {
    using Change = UpstreamGate::Change;
    if (!report.reason.empty()) last_trouble_ = {report.reason, now};
    if (report.signal == GateSignal::alive) pace_.succeeded(now);
    if (change == Change::opened) opened("delivery", now);
    if (change == Change::backed_off) {
        if (report.signal == GateSignal::throttled) pace_.throttled(now);
        if (report.signal == GateSignal::unreachable && before == UpstreamGate::State::open)
            pace_.dropped(now);
    }
    if (change == Change::backed_off || change == Change::suspended) closed(before, report, now);
    note_pace(now);
}

void Port::closed(UpstreamGate::State before, const GateReport& report, base::MonoTime now) {
    const std::string& name = destination_.name;
    if (gate_.state() == UpstreamGate::State::suspended) {
        base::log::error("suspended", {{"upstream", name},
                                       {"reason", report.reason},
                                       {"result",
                                        "its mail is kept; check the upstream's credentials and "
                                        "encryption; a login is tried every 15 minutes"}});
    } else if (before == UpstreamGate::State::open) {
        const bool throttled = report.signal == GateSignal::throttled;
        const auto wait = std::chrono::duration_cast<std::chrono::seconds>(gate_.next_try() - now);
        base::log::warning(throttled ? "throttled" : "unreachable",
                           {{"upstream", name},
                            {"reason", report.reason},
                            {"next_try", static_cast<std::int64_t>(wait.count())}});
    }
}

void Port::opened(std::string_view how, base::MonoTime now) {
    const auto away = std::chrono::duration<double>(now - gate_.since());
    pace_.resumed(now);
    base::log::info("resumed",
                    {{"upstream", destination_.name}, {"by", how}, {"after", away.count()}});
}

void Port::note_pace(base::MonoTime now) {
    const auto speed = pace_.per_second(now);
    if (speed.has_value() == paced_) return;
    paced_ = speed.has_value();
    if (speed) {
        base::log::warning("slowed down", {{"upstream", destination_.name},
                                           {"recipients_per_second", *speed},
                                           {"at_once", pace_.concurrency()}});
    } else {
        base::log::info("full speed again", {{"upstream", destination_.name}});
    }
}

bool Port::end_login_probe(const std::string& error, base::MonoTime now) {
    if (!error.empty()) {
        last_trouble_ = {error, now};
        base::log::warning("still suspended", {{"upstream", destination_.name}, {"reason", error}});
    }
    if (gate_.end_login_probe(error.empty(), now) != UpstreamGate::Change::opened) return false;
    opened("login", now);
    return true;
}

bool Port::signed_in(base::MonoTime now) {
    if (gate_.state() != UpstreamGate::State::suspended || !gate_.reopen()) return false;
    opened("test", now);
    return true;
}

std::optional<base::MonoTime> Port::next_event(base::MonoTime now, base::WallTime wall) {
    std::optional<base::MonoTime> next;
    const auto consider = [&](base::MonoTime time) {
        if (time > now) next = std::min(next.value_or(time), time);
    };
    if (const auto event = gate_.next_event()) consider(*event);
    if (gate_.state() == UpstreamGate::State::open) consider(pace_.next_start(now));
    if (limit_wait_ && limit_wait_->until > wall) {
        // So far away that the sum would overflow, an hour will do.
        constexpr std::chrono::milliseconds longest = std::chrono::hours(1);
        consider(now + std::min(limit_wait_->until - wall, longest));
    } else if (limit_wait_ && may_start(now, wall)) {
        next = now;  // it has ended since it was looked at
    }
    return next;
}

}  // namespace outpost::delivery

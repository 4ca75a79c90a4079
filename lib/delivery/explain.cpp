#include "delivery/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace outpost::delivery::explain {
namespace {

using std::chrono::milliseconds;

/// `in 0.4 s`, `in 12 s`, or from an hour on the time itself.
std::string when(base::WallTime time, base::WallTime now) {
    const auto left = std::chrono::duration_cast<milliseconds>(time - now);
    if (left <= milliseconds(0)) return "now";
    if (left < std::chrono::seconds(10))
        return fmt::format("in {:.1f} s", static_cast<double>(left.count()) / 1000);
    if (left < std::chrono::hours(1)) return fmt::format("in {} s", left.count() / 1000);
    return "at " + base::rfc3339_seconds(time);
}

base::WallTime wall_of(base::MonoTime time, base::MonoTime now, base::WallTime wall) {
    return wall + std::chrono::round<milliseconds>(time - now);
}

/// `used up`, or `8 of 10 used and 2 kept for priority 1`.
std::string how_used(const UpstreamView& view) {
    if (view.waits_kept_for == 0) return "used up";
    const std::string whom = view.waits_kept_for == 1
                                 ? std::string("priority 1")
                                 : fmt::format("priorities 1 to {}", view.waits_kept_for);
    for (const limit::Level& level : view.limits)
        if (view.waits_for.contains(" " + level.limit + " of "))
            return fmt::format("{} of {} used and {} kept for {}", level.used, level.most,
                               level.most - std::min(level.used, level.most), whom);
    return "the rest is kept for " + whom;
}

std::string state_name(const Port& port) {
    if (!port.active()) return "inactive";
    if (port.paused()) return "paused";
    switch (port.gate().state()) {
        case UpstreamGate::State::open: return "open";
        case UpstreamGate::State::backing_off:
            return port.gate().throttled() ? "throttled" : "unreachable";
        case UpstreamGate::State::suspended: return "suspended";
    }
    return "";
}

}  // namespace

UpstreamView upstream(Port& port, base::MonoTime now, base::WallTime wall) {
    UpstreamView view;
    view.name = port.destination().name;
    view.state = state_name(port);
    view.in_flight = port.gate().active() + port.elsewhere();
    view.concurrency = port.concurrency();
    view.concurrency_configured = port.most_at_once();
    view.speed = port.speed(now);
    view.idle_connections = port.destination().transport->idle_connections();
    if (const auto& trouble = port.last_trouble()) {
        view.last_error = trouble->words;
        view.last_error_at = wall_of(trouble->at, now, wall);
    }
    if (port.gate().state() != UpstreamGate::State::open) {
        view.reason = port.gate().reason();
        view.since = wall_of(port.gate().since(), now, wall);
        view.next_try = wall_of(port.gate().next_try(), now, wall);
    }
    if (const auto& pause = port.paused()) {
        view.reason = pause->reason;
        view.since = pause->since;
    }
    if (const auto& wait = port.limit_wait(); wait && wait->until > wall) {
        view.waits_for = wait->reason;
        view.waits_kept_for = wait->kept_for;
        view.waits_until = wait->until;
    }
    return view;
}

std::string account_wait(const Picker::Wait& wait, base::WallTime now) {
    if (wait.hours)
        return fmt::format("outside the {}; they begin {}", wait.reason, when(wait.until, now));
    return fmt::format("waits for {}: used up, free again {}", wait.reason, when(wait.until, now));
}

std::string why_waits_at(const UpstreamView& view, base::WallTime now) {
    if (view.state == "paused")
        return fmt::format(
            "upstream {} is paused since {}{}{}; `outpostctl upstream resume {}` "
            "ends that",
            view.name, base::rfc3339_seconds(*view.since), view.reason.empty() ? "" : ": ",
            view.reason, view.name);
    if (view.state == "inactive")
        return fmt::format("upstream {} is not active (`active: false`)", view.name);
    if (view.state != "open")
        return fmt::format("upstream {} {} since {}: {}; tried again {}", view.name, view.state,
                           base::rfc3339_seconds(*view.since), view.reason,
                           when(*view.next_try, now));
    if (!view.waits_for.empty())
        return fmt::format("waits for {}: {}, next slot {}", view.waits_for, how_used(view),
                           when(*view.waits_until, now));
    return fmt::format("waits its turn at upstream {} ({} on their way, {} at once)", view.name,
                       view.in_flight, view.concurrency);
}

std::string ahead(std::uint64_t messages, std::string_view account) {
    if (messages == 0) return {};
    return fmt::format(", {} {}{}{} ahead of it", messages, messages == 1 ? "message" : "messages",
                       account.empty() ? "" : " of account ", account);
}

std::string sending(std::string_view name, base::WallTime since, bool earlier) {
    return fmt::format("is being sent by upstream {} since {}{}", name,
                       base::rfc3339_seconds(since), earlier ? ", from before the reload" : "");
}

std::string waiting(const spool::QueueEntry& entry, const spool::StoredMessage& stored,
                    const Share& share, base::WallTime now) {
    if (entry.next_attempt == base::WallTime::max())
        return "held by the operator; `outpostctl queue release` ends that";
    for (std::size_t i = 0; i < stored.state.recipients.size(); ++i) {
        const auto& recipient = stored.state.recipients[i];
        if (recipient.status != spool::RecipientStatus::pending || !share.has(i) ||
            recipient.attempts == 0)
            continue;
        return fmt::format("deferred by upstream {} after {} {}: {}; next attempt {}",
                           recipient.last_upstream, recipient.attempts,
                           recipient.attempts == 1 ? "attempt" : "attempts", recipient.last_reply,
                           when(entry.next_attempt, now));
    }
    if (stored.envelope.release_at)
        return fmt::format("its sender has it held (FUTURERELEASE) until {}",
                           base::rfc3339_seconds(*stored.envelope.release_at));
    return fmt::format("waits; next attempt {}", when(entry.next_attempt, now));
}

}  // namespace outpost::delivery::explain

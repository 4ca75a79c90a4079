#include "limit/counter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "limit/counter_state.hpp"
#include "limit/lease_size.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

/// With everything in flight nobody knows when there will be room: asked again by settle(), and to
/// be sure from time to time.
constexpr nanoseconds longest_recheck = 1h;
/// A dense window is asked again for this share of it, not for every recipient that leaves it.
constexpr int batch_parts = 128;
constexpr unsigned warning_percents[] = {80, 100};

std::uint64_t amount_of(const Ask& ask, Unit unit) {
    return Usage{ask.recipients, ask.messages, ask.octets}[unit];
}

/// The least of it that makes sense.
std::uint64_t least_of(const Ask& ask, Unit unit) {
    const std::uint64_t whole = amount_of(ask, unit);
    return unit == Unit::recipients && ask.divisible ? std::min<std::uint64_t>(whole, 1) : whole;
}

/// The part of a limit that an ask of `least` may fill.
std::uint64_t capacity_for(std::uint64_t count, double held_back, std::uint64_t least) {
    if (held_back <= 0) return count;
    // Less a hair, so that 7 % of 100 is 7 in spite of binary fractions.
    const double held = std::ceil(static_cast<double>(count) * std::min(held_back, 1.0) - 1e-9);
    const std::uint64_t open = count - std::min(count, static_cast<std::uint64_t>(held));
    return std::max(open, std::min(least, count));
}

base::WallTime wall_of(base::MonoTime time, Instant now) {
    return now.wall + std::chrono::ceil<std::chrono::milliseconds>(time - now.mono);
}

std::string_view name_of(CalendarUnit unit) {
    switch (unit) {
        case CalendarUnit::hour: return "hourly";
        case CalendarUnit::day: return "daily";
        case CalendarUnit::month: return "monthly";
    }
    std::unreachable();
}

bool passes(std::uint64_t used, std::uint64_t count, unsigned percent) {
    const auto hundredfold = static_cast<unsigned __int128>(used) * 100;
    return count > 0 && hundredfold >= static_cast<unsigned __int128>(count) * percent;
}

}  // namespace

Counter::Counter(std::string key, Limits limits, Instant now, std::string boot_id)
    : key_(std::move(key)),
      limits_(std::move(limits)),
      boot_id_(std::move(boot_id)),
      ledger_(limits_.rates),
      quotas_{QuotaUse(CalendarUnit::hour, limits_.quota.zone, now.wall),
              QuotaUse(CalendarUnit::day, limits_.quota.zone, now.wall),
              QuotaUse(CalendarUnit::month, limits_.quota.zone, now.wall)},
      lease_(lease_size(limits_)) {
    spacing_.set_rates(limits_.rates, limits_.smooth);
}

std::optional<std::string> Counter::restore(std::string_view state, Instant now) {
    const auto kept = decode(state);
    if (!kept) {
        return fmt::format("the kept state of {} cannot be read: {}; it counts as unused", key_,
                           kept.error());
    }
    ledger_.restore(entries_since(*kept, boot_id_, now.wall, now.mono), now.mono);
    quotas_[0].restore(kept->hours, now.wall);
    quotas_[1].restore(kept->days, now.wall);
    quotas_[2].restore(kept->months, now.wall);
    if (kept->out.empty()) return std::nullopt;
    ledger_.add(kept->out, now.mono);
    for (const CalendarUnit unit : all_calendar_units) {
        use(unit, now.wall).charged += kept->out.recipients;
    }
    return std::nullopt;
}

void Counter::Verdict::add(const Wait& other) {
    if (wait.what == Wait::For::too_big) return;
    if (wait.what == Wait::For::nothing || other.what == Wait::For::too_big ||
        other.until > wait.until) {
        wait = other;
    }
}

Counter::Verdict Counter::judge(const Ask& ask, Instant now) {
    Verdict verdict{ask.recipients, {}};
    for (std::size_t i = 0; i < limits_.rates.size(); ++i) check_rate(i, ask, now, verdict);
    for (const CalendarUnit unit : all_calendar_units) check_quota(unit, ask, now, verdict);
    return verdict;
}

Answer Counter::room(const Ask& ask, Instant now) {
    const Verdict verdict = judge(ask, now);
    if (verdict.wait.what != Wait::For::nothing) return {0, verdict.wait};
    return {static_cast<std::uint32_t>(verdict.recipients), {}};
}

Answer Counter::take(const Ask& ask, Instant now) {
    if (closed_) return {0, {.what = Wait::For::lease}};
    Verdict verdict = judge(ask, now);
    if (verdict.wait.what == Wait::For::nothing) check_lease(ask, now, verdict);
    if (verdict.wait.what != Wait::For::nothing) return {0, verdict.wait};

    const Usage permit{verdict.recipients, ask.messages, ask.octets};
    in_flight_ += permit;
    lease_.take(permit, ask.held_back);
    if (spacing_.on()) {
        for (std::size_t i = 0; i < limits_.rates.size(); ++i) {
            spacing_.take(i, permit[limits_.rates[i].unit], now.mono);
        }
    }
    return {static_cast<std::uint32_t>(verdict.recipients), {}};
}

void Counter::check_rate(std::size_t index, const Ask& ask, Instant now, Verdict& verdict) {
    const Rate& rate = limits_.rates[index];
    const std::uint64_t least = least_of(ask, rate.unit);
    if (least == 0) return;
    const auto shown = static_cast<std::uint8_t>(index);
    if (least > rate.count) {
        verdict.add({.what = Wait::For::too_big, .index = shown});
        return;
    }
    const std::uint64_t capacity = capacity_for(rate.count, ask.held_back, least);
    const std::uint64_t busy = ledger_.used(index, now.mono) + in_flight_[rate.unit];
    const bool divisible = rate.unit == Unit::recipients && ask.divisible;
    if (busy + least > capacity) {
        const base::MonoTime until =
            room_at(index, capacity, least, amount_of(ask, rate.unit), now.mono);
        verdict.add({.what = Wait::For::rate, .index = shown, .until = wall_of(until, now)});
    } else if (divisible) {
        verdict.recipients = std::min(verdict.recipients, capacity - busy);
    }
    if (!spacing_.on()) return;
    if (const base::MonoTime turn = spacing_.turn(index); turn > now.mono) {
        verdict.add({.what = Wait::For::spacing, .index = shown, .until = wall_of(turn, now)});
    }
}

base::MonoTime Counter::room_at(std::size_t index, std::uint64_t capacity, std::uint64_t least,
                                std::uint64_t whole, base::MonoTime now) {
    const Rate& rate = limits_.rates[index];
    const nanoseconds period = rate.period;
    const std::uint64_t flying = in_flight_[rate.unit];
    if (flying + least > capacity) return now + std::min(period, longest_recheck);
    const std::uint64_t room = capacity - flying;
    const base::MonoTime earliest = ledger_.falls_to(index, room - least, now);
    if (least == whole) return earliest;
    const std::uint64_t batch =
        std::min({whole, room, std::max<std::uint64_t>(rate.count / batch_parts, 1)});
    return std::min(ledger_.falls_to(index, room - batch, now), earliest + period / batch_parts);
}

void Counter::check_quota(CalendarUnit unit, const Ask& ask, Instant now, Verdict& verdict) {
    const auto& count = limits_.quota.of(unit);
    const std::uint64_t least = least_of(ask, Unit::recipients);
    if (!count || least == 0) return;
    if (least > *count && *count > 0) {
        verdict.add({.what = Wait::For::too_big, .unit = unit});
        return;
    }
    const std::uint64_t capacity = capacity_for(*count, ask.held_back, least);
    const PeriodUse& period = use(unit, now.wall);
    const std::uint64_t busy = period.used() + in_flight_.recipients;
    if (busy + least > capacity) {
        verdict.add({.what = Wait::For::quota, .unit = unit, .until = period.period.end});
    } else if (ask.divisible) {
        verdict.recipients = std::min(verdict.recipients, capacity - busy);
    }
}

void Counter::check_lease(const Ask& ask, Instant now, Verdict& verdict) {
    const Usage wanted{verdict.recipients, ask.messages, ask.octets};
    if (std::ranges::all_of(all_units,
                            [&](Unit unit) { return wanted[unit] <= lease_.left(unit); })) {
        return;
    }
    // A request takes milliseconds: better than to send to a few now and to the others later.
    lease_.need(wanted, ask.held_back);
    const auto retry = lease_.retry_at();
    const bool later = retry && !lease_.may_ask(now.mono) && !lease_.under_way();
    const std::uint64_t left = lease_.left(Unit::recipients);
    const bool others_fit =
        ask.messages <= lease_.left(Unit::messages) && ask.octets <= lease_.left(Unit::octets);
    if (later && ask.divisible && others_fit && left > 0) {
        verdict.recipients = std::min(verdict.recipients, left);
        return;
    }
    Wait wait{.what = Wait::For::lease};
    if (later) wait.until = wall_of(*retry, now);
    if (later && lease_.used_up()) {
        wait.what = Wait::For::shared;
        wait.unit = shared_unit(wait.until, now);
    }
    verdict.add(wait);
}

/// Which quota it probably is that other nodes have used up: the store tells only a time.
CalendarUnit Counter::shared_unit(base::WallTime until, Instant now) {
    CalendarUnit unit = CalendarUnit::hour;
    for (const CalendarUnit each : all_calendar_units) {
        if (!limits_.quota.of(each)) continue;
        unit = each;
        if (use(each, now.wall).period.end >= until) break;
    }
    return unit;
}

void Counter::settle(const Usage& taken, const Usage& used, Instant now) {
    in_flight_ -= taken;
    lease_.settle(taken, used);
    if (spacing_.on()) {
        const Usage unused = taken - used;
        for (std::size_t i = 0; i < limits_.rates.size(); ++i) {
            spacing_.give_back(i, unused[limits_.rates[i].unit]);
        }
    }
    if (used.empty()) return;
    ledger_.add(used, now.mono);
    for (const CalendarUnit unit : all_calendar_units) {
        use(unit, now.wall).charged += used.recipients;
    }
}

std::uint64_t Counter::quota_left(base::WallTime now) {
    std::uint64_t left = UINT64_MAX;
    for (const CalendarUnit unit : all_calendar_units) {
        const auto& count = limits_.quota.of(unit);
        if (!count) continue;
        const std::uint64_t busy = use(unit, now).used() + in_flight_.recipients;
        left = std::min(left, *count > busy ? *count - busy : 0);
    }
    return left;
}

LeaseRequest Counter::request(const Usage& ahead, Instant now) const {
    const CounterState state{now.wall,
                             now.mono,
                             boot_id_,
                             ledger_.entries(),
                             quotas_[0].periods(),
                             quotas_[1].periods(),
                             quotas_[2].periods(),
                             in_flight_ + ahead};
    return {key_,          limits_,           encode(state), lease_.taken(),
            lease_.used(), lease_.returned(), ahead,         lease_.held_back()};
}

std::optional<LeaseRequest> Counter::lease_request(Instant now) {
    if (closed_) return std::nullopt;
    const auto want = lease_.due(quota_left(now.wall), now.mono);
    if (!want) return std::nullopt;
    LeaseRequest made = request(*want, now);
    lease_.requested(*want);
    return made;
}

void Counter::leased(const LeaseAnswer& answer, Instant now) {
    std::optional<base::MonoTime> again;
    if (answer.ask_again) again = now.mono + (*answer.ask_again - now.wall);
    lease_.granted(answer.allowance, again, !answer.error.empty(), now.mono);
}

LeaseRequest Counter::final_state(Instant now) {
    closed_ = true;
    return request({}, now);
}

void Counter::set_limits(Limits limits, Instant now) {
    const Quota before = std::exchange(limits_, std::move(limits)).quota;
    ledger_.set_rates(limits_.rates, now.mono);
    spacing_.set_rates(limits_.rates, limits_.smooth);
    for (QuotaUse& quota : quotas_) quota.set_zone(limits_.quota.zone, now.wall);
    lease_.set_size(lease_size(limits_));
    for (const CalendarUnit unit : all_calendar_units) {
        const auto& count = limits_.quota.of(unit);
        if (count == before.of(unit)) continue;
        // Warnings that the new count has not deserved yet may come again.
        PeriodUse& period = use(unit, now.wall);
        unsigned deserved = 0;
        for (const unsigned percent : warning_percents) {
            if (count && passes(period.used(), *count, percent)) deserved = percent;
        }
        period.warned = std::min(period.warned, deserved);
    }
}

std::vector<Level> Counter::levels(Instant now) {
    std::vector<Level> levels;
    for (std::size_t i = 0; i < limits_.rates.size(); ++i) {
        const Rate& rate = limits_.rates[i];
        levels.push_back({rate.text(), ledger_.used(i, now.mono) + in_flight_[rate.unit],
                          rate.count, std::nullopt});
    }
    for (const CalendarUnit unit : all_calendar_units) {
        const auto& count = limits_.quota.of(unit);
        if (!count) continue;
        const PeriodUse& period = use(unit, now.wall);
        levels.push_back({fmt::format("{} {}", name_of(unit), *count),
                          period.used() + in_flight_.recipients, *count, period.period.end});
    }
    return levels;
}

std::vector<Warning> Counter::warnings(Instant now) {
    std::vector<Warning> warnings;
    for (const CalendarUnit unit : all_calendar_units) {
        const auto& count = limits_.quota.of(unit);
        if (!count) continue;
        PeriodUse& period = use(unit, now.wall);
        for (const unsigned percent : warning_percents) {
            if (period.warned >= percent || !passes(period.used(), *count, percent)) continue;
            period.warned = percent;
            warnings.push_back({unit, percent, period.used(), *count, period.period.end});
        }
    }
    return warnings;
}

std::string Counter::describe(const Wait& wait) const {
    const auto rate = [&] {
        // Limits may have been changed since.
        return wait.index < limits_.rates.size() ? limits_.rates[wait.index].text() : "of before";
    };
    const auto quota = [&] {
        const auto& count = limits_.quota.of(wait.unit);
        return fmt::format("{} {}", name_of(wait.unit), count ? std::to_string(*count) : "limit");
    };
    switch (wait.what) {
        case Wait::For::nothing: return {};
        case Wait::For::rate: return "rate " + rate();
        case Wait::For::quota: return "quota " + quota();
        case Wait::For::spacing: return "even spacing of rate " + rate();
        case Wait::For::lease: return "the store of limits";
        case Wait::For::shared: return "what other nodes have left of the limits";
        case Wait::For::too_big:
            return wait.index == Wait::no_rate
                       ? "more recipients than quota " + quota() + " ever lets through"
                       : "more than rate " + rate() + " ever lets through";
    }
    std::unreachable();
}

}  // namespace outpost::limit

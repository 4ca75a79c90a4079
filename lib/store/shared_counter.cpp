#include "store/shared_counter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace outpost::store {

namespace {

constexpr int entries_per_period = 128;

std::int64_t signed_of(std::uint64_t value) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
}

}  // namespace

std::vector<SharedLimit> shared_limits(const limit::Limits& limits) {
    std::vector<SharedLimit> all;
    for (const auto& rate : limits.rates) {
        const auto period = rate.period.count();
        std::string id = fmt::format("{}:{}", static_cast<int>(rate.unit) + 1, period);
        if (const auto same = std::ranges::find(all, id, &SharedLimit::id); same != all.end())
            same->count = std::min(*same->count, rate.count);
        else
            all.push_back({.window = true,
                           .unit = rate.unit,
                           .count = rate.count,
                           .period = period,
                           .id = std::move(id)});
    }
    using enum limit::CalendarUnit;
    for (const auto& [unit, name] : {std::pair{hour, "h"}, {day, "d"}, {month, "m"}})
        all.push_back({.count = limits.quota.of(unit), .calendar = unit, .id = name});
    return all;
}

Period period_of(const limit::Limits& limits, limit::CalendarUnit unit, std::int64_t server_time) {
    const auto found = limit::period_at(limits.quota.zone, unit,
                                        base::WallTime(std::chrono::milliseconds(server_time)));
    return {found.start.time_since_epoch().count(), found.end.time_since_epoch().count()};
}

bool Epoch::granted_all(const SharedLimit& limit, const limit::Limits& limits) const {
    if (whole) return true;
    if (limit.window) return silent_from >= since_here + limit.period;
    return period_of(limits, limit.calendar, silent_server).start >= since;
}

void SharedCounter::report(const limit::LeaseRequest& request, const Moment& now) {
    limits_ = request.limits;
    shared_ = shared_limits(limits_);
    const limit::Usage more = request.used - used_;
    taken_ = request.taken;
    used_ = request.used;
    returned_ = request.returned;
    // Of units that no limit counts more is taken than was ever granted.
    for (const limit::Unit unit : limit::all_units)
        granted_[unit] = std::max(granted_[unit], taken_[unit]);
    note_use(more, now);
}

void SharedCounter::note_use(const limit::Usage& used, const Moment& now) {
    for (const SharedLimit& limit : shared_) {
        const std::uint64_t amount = used[limit.unit];
        if (!limit.window) {
            PeriodUse& use = periods_[limit.id];
            const Period current = period(limit, now.server_latest);
            if (current.start >= use.period.end) use.used = 0;
            use.period = current;
            use.used += amount;
            continue;
        }
        auto& entries = windows_[limit.id];
        while (!entries.empty() && entries.front().last + limit.period < now.mono)
            entries.pop_front();
        if (amount == 0) continue;
        if (!entries.empty() &&
            now.mono - entries.back().first <= limit.period / entries_per_period) {
            entries.back().last = now.mono;
            entries.back().amount += amount;
        } else {
            entries.push_back({now.mono, now.mono, amount});
        }
    }
}

std::uint64_t SharedCounter::own_use(const SharedLimit& limit, const Moment& now) const {
    std::uint64_t total = 0;
    if (limit.window) {
        if (const auto found = windows_.find(limit.id); found != windows_.end())
            for (const Entry& entry : found->second)
                if (entry.last + limit.period >= now.mono) total += entry.amount;
    } else if (const auto found = periods_.find(limit.id); found != periods_.end()) {
        if (now.server_earliest < found->second.period.end) total = found->second.used;
    }
    return total;
}

void SharedCounter::contact(const Contact& contact, std::int64_t asked_at) {
    granted_ += contact.grant;
    for (std::size_t i = 0; i < shared_.size() && i < contact.limits.size(); ++i) {
        const SharedLimit& limit = shared_[i];
        if (!contact.limits[i].known || !limit.count) continue;
        bases_[limit.id] = {
            .epoch = contact.epoch,
            .asked_at = asked_at,
            .granted = granted_,
            .returned = returned_,
            .promise = contact.limits[i].promise,
            .period_end = limit.window ? 0 : period(limit, contact.server_time).end};
    }
}

limit::Usage SharedCounter::room(limit::Usage wanted, double held_back, const Fallback& fallback,
                                 const Moment& now,
                                 const std::vector<Contact::Limit>* asked) const {
    for (std::size_t i = 0; i < shared_.size(); ++i) {
        const SharedLimit& limit = shared_[i];
        const bool answered = asked && i < asked->size() && (*asked)[i].known;
        if (!limit.count || answered) continue;
        wanted[limit.unit] = std::min(wanted[limit.unit], room_of(limit, held_back, fallback, now));
    }
    return wanted;
}

bool SharedCounter::known_by_now(const SharedLimit& limit, const Fallback& fallback,
                                 const Moment& now) const {
    if (!fallback.lost) return true;
    if (limit.window) return now.server_latest >= fallback.since + limit.period;
    return period(limit, now.server_latest).start >= fallback.since;
}

std::uint64_t SharedCounter::room_of(const SharedLimit& limit, double held_back,
                                     const Fallback& fallback, const Moment& now) const {
    const auto found = bases_.find(limit.id);
    if (found == bases_.end()) return 0;
    const Basis& basis = found->second;
    if (now.mono > basis.asked_at + fallback.longest) return 0;

    const auto share = static_cast<std::int64_t>(
        std::floor(fallback.share * static_cast<double>(*limit.count) + 1e-9));
    const auto held = static_cast<std::int64_t>(std::ceil(held_back * static_cast<double>(share)));
    // Redis may grant from what it knows by now; only once it misses us we have our share.
    const bool known = basis.epoch != fallback.epoch && known_by_now(limit, fallback, now);
    if (known && fallback.connected) return 0;
    std::int64_t alone_from = 0;
    bool promise_holds = !known;
    for (const auto& [id, epoch] : fallback.epochs) {
        if (!epoch.granted_all(limit, limits_)) continue;
        alone_from = std::max(alone_from, epoch.silent_from);
        // What others had then of a later epoch did not leave room for what an earlier promised.
        if (id != basis.epoch && epoch.silent_from > basis.asked_at) promise_holds = false;
    }
    alone_from += fallback.away + fallback.margin;
    std::int64_t room = share_room(limit, share, alone_from, now);
    if (promise_holds) room = std::max(room, kept_room(limit, basis, share, now));
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, room - held));
}

/// What Redis keeps for us since the last contact.
std::int64_t SharedCounter::kept_room(const SharedLimit& limit, const Basis& basis,
                                      std::int64_t share, const Moment& now) const {
    if (!limit.window && now.server_latest >= basis.period_end) return 0;
    return signed_of(basis.granted[limit.unit]) + std::min(signed_of(basis.promise), share) -
           signed_of(granted_[limit.unit]) + signed_of(returned_[limit.unit]) -
           signed_of(basis.returned[limit.unit]);
}

/// What is left of our share, once all that others may have had before has left the window, or in
/// a period that began after it.
std::int64_t SharedCounter::share_room(const SharedLimit& limit, std::int64_t share,
                                       std::int64_t alone_from, const Moment& now) const {
    if (limit.window) {
        if (now.mono <= alone_from + limit.period) return 0;
    } else {
        const Period current = period(limit, now.server_latest);
        if (current.start > now.server_earliest) return 0;
        if (now.mono - (now.server_latest - current.start) <= alone_from) return 0;
    }
    const std::int64_t outstanding = signed_of(granted_[limit.unit]) -
                                     signed_of(used_[limit.unit]) -
                                     signed_of(returned_[limit.unit]);
    return share - outstanding - signed_of(own_use(limit, now));
}

}  // namespace outpost::store

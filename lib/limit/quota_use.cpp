#include "limit/quota_use.hpp"

#include <algorithm>

namespace outpost::limit {
namespace {

/// Enough for a clock that goes to and fro by a few periods.
constexpr std::size_t most_periods = 4;

}  // namespace

QuotaUse::QuotaUse(CalendarUnit unit, const TimeZone& zone, base::WallTime now)
    : unit_(unit), zone_(zone), periods_{{period_at(zone, unit, now)}} {}

void QuotaUse::move(base::WallTime now) {
    const CalendarPeriod wanted = period_at(zone_, unit_, now);
    const base::WallTime before = periods_[current_].period.start;
    auto at = std::ranges::lower_bound(periods_, wanted.start, {},
                                       [](const PeriodUse& use) { return use.period.start; });
    if (at == periods_.end() || at->period != wanted) at = periods_.insert(at, {wanted});
    if (wanted.start < before) {
        std::uint64_t later = 0;
        for (auto other = at + 1; other != periods_.end(); ++other) later += other->charged;
        at->carried = std::max(at->carried, later);
    }
    current_ = static_cast<std::size_t>(at - periods_.begin());
    if (periods_.size() <= most_periods) return;
    if (current_ == 0) {
        periods_.pop_back();
    } else {
        periods_.erase(periods_.begin());
        --current_;
    }
}

void QuotaUse::set_zone(const TimeZone& zone, base::WallTime now) {
    if (zone == zone_) return;
    PeriodUse use = at(now);
    zone_ = zone;
    use.period = period_at(zone, unit_, now);
    periods_.assign(1, use);
    current_ = 0;
}

void QuotaUse::restore(const std::vector<PeriodUse>& periods, base::WallTime now) {
    const CalendarPeriod wanted = period_at(zone_, unit_, now);
    PeriodUse current{wanted};
    std::vector<PeriodUse> kept;
    for (const PeriodUse& use : periods) {
        if (use.period == wanted) {
            current = use;
        } else if (use.period.end <= wanted.start || use.period.start >= wanted.end) {
            kept.push_back(use);
        } else if (use.period.contains(now)) {  // of another time zone
            current.carried = std::max(current.carried, use.used());
        }
    }
    std::ranges::sort(kept, {}, [](const PeriodUse& use) { return use.period.start; });
    if (kept.size() >= most_periods) kept.erase(kept.begin(), kept.end() - (most_periods - 1));
    std::uint64_t later = 0;
    for (const PeriodUse& use : kept) {
        if (use.period.start >= wanted.end) later += use.charged;
    }
    current.carried = std::max(current.carried, later);
    const auto at = std::ranges::lower_bound(kept, wanted.start, {},
                                             [](const PeriodUse& use) { return use.period.start; });
    current_ = static_cast<std::size_t>(at - kept.begin());
    kept.insert(at, current);
    periods_ = std::move(kept);
}

}  // namespace outpost::limit

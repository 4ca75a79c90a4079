#pragma once

#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "limit/calendar.hpp"

namespace outpost::limit {

/// What was used in one calendar period.
struct PeriodUse {
    CalendarPeriod period;
    std::uint64_t charged = 0;
    /// Charged to later periods, before the clock was put back into this one.
    std::uint64_t carried = 0;
    unsigned warned = 0;  ///< highest percentage that was warned of

    [[nodiscard]] std::uint64_t used() const noexcept { return charged + carried; }
    bool operator==(const PeriodUse&) const = default;
};

/// The use of a quota in the period that is now. A clock that is put back gives nothing out twice:
/// what was used in a period is remembered for a while, and what was charged to the periods after
/// it counts in it, too.
class QuotaUse {
  public:
    QuotaUse(CalendarUnit unit, const TimeZone& zone, base::WallTime now);

    /// The period that is now.
    [[nodiscard]] PeriodUse& at(base::WallTime now) {
        if (!periods_[current_].period.contains(now)) move(now);
        return periods_[current_];
    }
    /// Another calendar: what was used in the period that is now stays used in that of the new one.
    void set_zone(const TimeZone& zone, base::WallTime now);

    [[nodiscard]] const std::vector<PeriodUse>& periods() const noexcept { return periods_; }
    /// With what periods() gave; a period of another calendar counts if it is not over.
    void restore(const std::vector<PeriodUse>& periods, base::WallTime now);

  private:
    void move(base::WallTime now);

    CalendarUnit unit_;
    TimeZone zone_;
    std::vector<PeriodUse> periods_;  ///< oldest first, never empty
    std::size_t current_ = 0;
};

}  // namespace outpost::limit

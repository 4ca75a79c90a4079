#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

/// The calendar of a named time zone (IANA database of the system), daylight-saving changes
/// included. The foreign library (date/tz) stays inside calendar.cpp.
namespace outpost::limit {

/// A time zone of the database; cheap to copy. Default: UTC, which needs no database.
class TimeZone {
  public:
    TimeZone();
    /// Nothing if there is no such zone, such as `Europe/Amsterdam` or `UTC`.
    [[nodiscard]] static std::optional<TimeZone> find(std::string_view name);
    [[nodiscard]] const std::string& name() const noexcept;
    bool operator==(const TimeZone&) const = default;

    /// For calendar.cpp; null for UTC.
    [[nodiscard]] const void* handle() const noexcept { return zone_; }

  private:
    explicit TimeZone(const void* zone) : zone_(zone) {}
    const void* zone_;
};

/// The zone names most like `name`, for a hint; empty if none is near.
[[nodiscard]] std::string near_zone(std::string_view name);

enum class CalendarUnit : std::uint8_t { hour, day, month };
inline constexpr CalendarUnit all_calendar_units[] = {CalendarUnit::hour, CalendarUnit::day,
                                                      CalendarUnit::month};

/// Half open: `end` belongs to the next one.
struct CalendarPeriod {
    base::WallTime start{};
    base::WallTime end{};
    bool operator==(const CalendarPeriod&) const = default;
    [[nodiscard]] bool contains(base::WallTime time) const noexcept {
        return start <= time && time < end;
    }
};

/// The calendar hour, day or month that contains `time`. A day that a clock change makes 23 or 25
/// hours long is one day; the hour that comes twice in autumn counts as two hours; where a change
/// skips midnight the day begins at the first instant that exists.
[[nodiscard]] CalendarPeriod period_at(const TimeZone& zone, CalendarUnit unit,
                                       base::WallTime time);

/// The date that calendars of the zone show at `time`, as a count of days.
[[nodiscard]] std::chrono::sys_days date_at(const TimeZone& zone, base::WallTime time);
/// The first instant at which the clocks of the zone show this time of this date (as date_at()
/// gives it) or, where a clock change skips it, more. Up to 24:00 and beyond.
[[nodiscard]] base::WallTime instant_of(const TimeZone& zone, std::chrono::sys_days date,
                                        std::chrono::minutes time_of_day);

/// `2026-11-23T00:00:00+01:00` (RFC 3339, local time of the zone, whole seconds); `Z` for UTC.
[[nodiscard]] std::string local_text(const TimeZone& zone, base::WallTime time);

}  // namespace outpost::limit

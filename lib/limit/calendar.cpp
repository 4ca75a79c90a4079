#include "limit/calendar.hpp"

#include <date/tz.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <stdexcept>
#include <vector>

#include "base/text.hpp"

namespace outpost::limit {
namespace {

using std::chrono::seconds;
using SysSeconds = date::sys_seconds;
using LocalSeconds = date::local_seconds;

const date::time_zone* zone_of(const TimeZone& zone) {
    return static_cast<const date::time_zone*>(zone.handle());
}

/// The offset from UTC in force at `time`, and the stretch of time in which it is.
struct Offset {
    seconds offset{0};
    SysSeconds begin = SysSeconds::min();
    SysSeconds end = SysSeconds::max();
};

Offset offset_at(const TimeZone& zone, SysSeconds time) {
    const date::time_zone* const tz = zone_of(zone);
    if (tz == nullptr) return {};
    date::sys_info info = tz->get_info(time);
    Offset found{info.offset, info.begin, info.end};
    // Changes of the name alone do not divide an hour.
    if (found.begin > SysSeconds::min() && time - found.begin < std::chrono::hours(1) &&
        tz->get_info(found.begin - seconds(1)).offset == found.offset) {
        found.begin = SysSeconds::min();
    }
    if (found.end < SysSeconds::max() && found.end - time < std::chrono::hours(1) &&
        tz->get_info(found.end).offset == found.offset) {
        found.end = SysSeconds::max();
    }
    return found;
}

/// The first instant at which the clocks of the zone show `local` or, where that is skipped, more.
SysSeconds first_instant(const TimeZone& zone, LocalSeconds local) {
    const date::time_zone* const tz = zone_of(zone);
    if (tz == nullptr) return SysSeconds(local.time_since_epoch());
    const date::local_info info = tz->get_info(local);
    if (info.result == date::local_info::nonexistent) return info.first.end;
    return SysSeconds(local.time_since_epoch()) - info.first.offset;
}

CalendarPeriod hour_at(const TimeZone& zone, SysSeconds time) {
    const Offset in_force = offset_at(zone, time);
    const SysSeconds start =
        date::floor<std::chrono::hours>(time + in_force.offset) - in_force.offset;
    return {std::max(start, in_force.begin),
            std::min(SysSeconds(start + std::chrono::hours(1)), in_force.end)};
}

/// The period of a day or a month that begins on `from`, a date of the zone.
date::local_days next_date(date::local_days from, CalendarUnit unit) {
    if (unit == CalendarUnit::day) return from + date::days(1);
    const date::year_month_day ymd(from);
    return date::local_days((ymd.year() / ymd.month() + date::months(1)) / 1);
}
date::local_days previous_date(date::local_days from, CalendarUnit unit) {
    if (unit == CalendarUnit::day) return from - date::days(1);
    const date::year_month_day ymd(from);
    return date::local_days((ymd.year() / ymd.month() - date::months(1)) / 1);
}

CalendarPeriod dates_at(const TimeZone& zone, CalendarUnit unit, SysSeconds time) {
    const seconds offset = offset_at(zone, time).offset;
    date::local_days from(date::floor<date::days>(time + offset).time_since_epoch());
    if (unit == CalendarUnit::month) {
        const date::year_month_day ymd(from);
        from = date::local_days(ymd.year() / ymd.month() / 1);
    }
    SysSeconds start = first_instant(zone, from);
    SysSeconds end = first_instant(zone, next_date(from, unit));
    // Clocks put back over midnight show the old date once more after the new one has begun.
    while (time >= end) {
        from = next_date(from, unit);
        start = end;
        end = first_instant(zone, next_date(from, unit));
    }
    while (time < start) {
        from = previous_date(from, unit);
        end = start;
        start = first_instant(zone, from);
    }
    return {start, end};
}

}  // namespace

TimeZone::TimeZone() : zone_(nullptr) {}

std::optional<TimeZone> TimeZone::find(std::string_view name) {
    if (name == "UTC") return TimeZone();
    try {
        const date::time_zone* const zone = date::locate_zone(name);
        (void)zone->get_info(SysSeconds{});  // read from its file only now; must not fail later
        return TimeZone(zone);
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

const std::string& TimeZone::name() const noexcept {
    static const std::string utc = "UTC";
    return zone_ == nullptr ? utc : zone_of(*this)->name();
}

std::string near_zone(std::string_view name) {
    std::vector<std::string_view> names;
    try {
        for (const date::time_zone& zone : date::get_tzdb().zones) {
            if (base::iequals(zone.name(), name)) return zone.name();
            names.emplace_back(zone.name());
            // `Amsterdam` for `Europe/Amsterdam`.
            const std::size_t slash = zone.name().rfind('/');
            if (slash != std::string::npos &&
                base::iequals(std::string_view(zone.name()).substr(slash + 1), name)) {
                return zone.name();
            }
        }
    } catch (const std::exception&) {
        return {};  // no database: no hint
    }
    return base::near_match(name, names).value_or(std::string());
}

CalendarPeriod period_at(const TimeZone& zone, CalendarUnit unit, base::WallTime time) {
    const auto whole = std::chrono::floor<seconds>(time);
    return unit == CalendarUnit::hour ? hour_at(zone, whole) : dates_at(zone, unit, whole);
}

base::WallTime instant_of(const TimeZone& zone, std::chrono::sys_days day,
                          std::chrono::minutes time_of_day) {
    return first_instant(zone, LocalSeconds(day.time_since_epoch() + time_of_day));
}

std::chrono::sys_days date_at(const TimeZone& zone, base::WallTime time) {
    const auto whole = std::chrono::floor<seconds>(time);
    return std::chrono::floor<std::chrono::days>(whole + offset_at(zone, whole).offset);
}

std::string local_text(const TimeZone& zone, base::WallTime time) {
    const auto whole = std::chrono::floor<seconds>(time);
    const seconds offset = offset_at(zone, whole).offset;
    const auto local = whole + offset;
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day ymd(day);
    const std::chrono::hh_mm_ss clock(local - day);
    const std::chrono::hh_mm_ss shift(std::chrono::abs(offset));
    const std::string text =
        fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(ymd.year()),
                    static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                    clock.hours().count(), clock.minutes().count(), clock.seconds().count());
    if (offset == seconds(0)) return text + 'Z';
    return text + fmt::format("{}{:02}:{:02}", offset < seconds(0) ? '-' : '+',
                              shift.hours().count(), shift.minutes().count());
}

}  // namespace outpost::limit

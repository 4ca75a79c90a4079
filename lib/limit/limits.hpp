#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "limit/calendar.hpp"
#include "limit/rate.hpp"

namespace outpost::limit {

/// Recipients per calendar hour, day and month of a time zone.
struct Quota {
    std::optional<std::uint64_t> hourly;
    std::optional<std::uint64_t> daily;
    std::optional<std::uint64_t> monthly;
    TimeZone zone;

    bool operator==(const Quota&) const = default;
    [[nodiscard]] bool empty() const noexcept { return !hourly && !daily && !monthly; }
    [[nodiscard]] const std::optional<std::uint64_t>& of(CalendarUnit unit) const noexcept {
        return unit == CalendarUnit::hour ? hourly : unit == CalendarUnit::day ? daily : monthly;
    }
};

/// All that binds one account or upstream; every one of them holds at once.
struct Limits {
    std::vector<Rate> rates;
    /// Evenly spaced instead of as fast as the windows allow.
    bool smooth = false;
    Quota quota;

    bool operator==(const Limits&) const = default;
    [[nodiscard]] bool empty() const noexcept { return rates.empty() && quota.empty(); }
};

}  // namespace outpost::limit

#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "limit/calendar.hpp"

namespace outpost::limit {

/// The times of the week at which mail may go out (`deliver:`).
struct DeliveryHours {
    std::uint8_t days = 0x7f;          ///< bit 0 = Monday .. bit 6 = Sunday
    std::chrono::minutes from{0};      ///< local time of day, 0:00 .. 23:59
    std::chrono::minutes to{24 * 60};  ///< exclusive; up to 24:00; before `from`: past midnight,
                                       ///< then `days` are those on which the hours begin
    TimeZone zone;

    bool operator==(const DeliveryHours&) const = default;
    /// `time` itself if mail may go then, else the next opening.
    [[nodiscard]] base::WallTime next_open(base::WallTime time) const;
    /// The end of the opening that contains `time`, or else of the next; max() if there is none.
    [[nodiscard]] base::WallTime closes(base::WallTime time) const;
    /// `mon-fri 08:00-18:00 Europe/Amsterdam`.
    [[nodiscard]] std::string text() const;

  private:
    /// The opening that contains `time`, or the next; with max() for one that there never is.
    [[nodiscard]] CalendarPeriod opening(base::WallTime time) const;
};

/// `mon-fri`, `mon,wed,sat-sun`, `daily`; any case, English names or their first three letters.
/// The error begins with the value in quotes and says what to write.
[[nodiscard]] std::expected<std::uint8_t, std::string> parse_days(std::string_view text);
struct HoursOfDay {
    std::chrono::minutes from{0};
    std::chrono::minutes to{0};
    bool operator==(const HoursOfDay&) const = default;
};
/// `08:00-18:00`, `22:00-06:00` (past midnight), `00:00-24:00`; equal ends are an error.
[[nodiscard]] std::expected<HoursOfDay, std::string> parse_hours(std::string_view text);

}  // namespace outpost::limit

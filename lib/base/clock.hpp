#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace outpost::base {

/// Calendar time, for anything stored or shown.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
/// Time for measuring; never stored.
using MonoTime = std::chrono::steady_clock::time_point;

/// Where code that must be testable gets the time from.
class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual WallTime wall() const = 0;
    [[nodiscard]] virtual MonoTime mono() const = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
  public:
    [[nodiscard]] WallTime wall() const override;
    [[nodiscard]] MonoTime mono() const override;
};

/// `Sat, 21 Nov 2026 21:56:53 +0000`, the date-time of RFC 5322 section 3.3, always in UTC.
[[nodiscard]] std::string rfc5322_date(WallTime time);
/// `2026-11-21T21:56:53.123Z` (RFC 3339).
[[nodiscard]] std::string rfc3339(WallTime time);
/// The same without the fraction of a second, which is cut off: `2026-11-21T21:56:53Z`.
[[nodiscard]] std::string rfc3339_seconds(WallTime time);
/// A date-time of RFC 3339 section 5.6 with any offset and fraction; nothing if it is none. What is
/// below a millisecond is rounded up.
[[nodiscard]] std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace outpost::base

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "limit/lease.hpp"
#include "limit/ledger.hpp"
#include "limit/limits.hpp"

namespace outpost::limit {

/// Both clocks at one moment: windows run by the one that cannot be set, calendars by the other.
struct Instant {
    base::MonoTime mono{};
    base::WallTime wall{};
    [[nodiscard]] static Instant now(const base::Clock& clock) {
        return {clock.mono(), clock.wall()};
    }
};

/// A message that wants to go.
struct Ask {
    std::uint32_t recipients = 1;
    std::uint32_t messages = 1;  ///< 0: more recipients of a message that was asked for before
    std::uint64_t octets = 0;
    /// May go to a part of its recipients now and to the others later.
    bool divisible = false;
    /// Share of each rate and quota, 0 .. 1, that this one must leave free for more urgent mail.
    double held_back = 0;
};

/// Why something has to wait.
struct Wait {
    enum class For : std::uint8_t {
        nothing,
        rate,     ///< Limits::rates[index]
        quota,    ///< the calendar period of `unit`
        spacing,  ///< smooth: its turn has not come
        lease,    ///< an allowance that was asked for; no time, see Limiter::when_leased
        too_big,  ///< more octets than rates[index] ever lets through; no time
    };
    For what = For::nothing;
    std::uint8_t index = 0;
    CalendarUnit unit = CalendarUnit::hour;
    /// The earliest that asking again can help; max() where no time is known.
    base::WallTime until = base::WallTime::max();
};

/// Recipients granted; none: what to wait for.
struct Answer {
    std::uint32_t recipients = 0;
    Wait wait;
};

/// One bar of a counter as people see it.
struct Level {
    std::string limit;  ///< `14/s`, `daily 10000`
    std::uint64_t used = 0;
    std::uint64_t most = 0;
    std::optional<base::WallTime> resets;  ///< quota: the end of the period
};

/// A quota's use has passed 80 % or 100 % of it, for the first time in its period.
struct Warning {
    CalendarUnit unit = CalendarUnit::hour;
    unsigned percent = 0;  ///< 80 or 100
    std::uint64_t used = 0;
    std::uint64_t most = 0;
    base::WallTime resets{};
};

/// The limits of one owner and what has been used of them. Pure.
///
/// A permit counts in full from take() on, and in the windows until a period after settle(): the
/// mail goes out somewhere between the two, and however long that takes, no window that an
/// observer at the other end may choose holds more than its count.
class Counter {
  public:
    Counter(std::string key, Limits limits, Instant now);
    /// With what the store has kept; what was leased and not accounted for counts as used now.
    /// A state that cannot be read is an error (its sentence in the result) and counts as none.
    [[nodiscard]] std::optional<std::string> restore(std::string_view state, Instant now);

    /// Takes as many recipients as may go now: all, or where the ask is divisible a part. The
    /// permit of k of them is {k recipients, 1 message, the octets}.
    [[nodiscard]] Answer take(const Ask& ask, Instant now);
    /// The end of a permit, all or a part of it: `used` of `taken` has gone out, the rest comes
    /// back.
    void settle(const Usage& taken, const Usage& used, Instant now);

    /// The request for a new allowance, if half of the last is used up or a take() waits for one
    /// and none is under way. An allowance is about 1 % of each limit, or what goes in a second if
    /// that is more, and never less than what take() needed.
    [[nodiscard]] std::optional<LeaseRequest> lease_request(Instant now);
    /// The answer to it.
    void leased(const LeaseAnswer& answer, Instant now);
    /// For an orderly end: the exact state, nothing given out ahead. No take() after it.
    [[nodiscard]] LeaseRequest final_state(Instant now);

    /// Other limits from now on; what was used stays used.
    void set_limits(Limits limits, Instant now);

    [[nodiscard]] const std::string& key() const noexcept { return key_; }
    [[nodiscard]] const Limits& limits() const noexcept { return limits_; }
    [[nodiscard]] std::vector<Level> levels(Instant now);
    /// Passed since the last call.
    [[nodiscard]] std::vector<Warning> warnings(Instant now);
    /// `rate 14/s`, `quota daily 10000`, `the shared counter`.
    [[nodiscard]] std::string describe(const Wait& wait) const;

  private:
    std::string key_;
    Limits limits_;
};

}  // namespace outpost::limit

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "limit/lease.hpp"
#include "limit/lease_balance.hpp"
#include "limit/ledger.hpp"
#include "limit/limits.hpp"
#include "limit/quota_use.hpp"
#include "limit/spacing.hpp"

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
        lease,    ///< an allowance that was asked for: see Limiter::when_leased; with a time where
                  ///< the store has failed or is not ready
        shared,   ///< other nodes have used the limit up; for a quota `unit` tells which
        too_big,  ///< more than rates[index] ever lets through, or, for `index` no_rate, than the
                  ///< quota of `unit`; no time
    };
    static constexpr std::uint8_t no_rate = 0xff;
    For what = For::nothing;
    std::uint8_t index = no_rate;
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

/// All that binds someone, and what is used of it: the rates in their order, then the quotas from
/// the hour's to the month's.
struct LimitsInUse {
    Limits limits;
    std::vector<Level> levels;
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
    /// `boot_id`: of the machine's present run, as read_boot_id() gives it; empty if not known.
    Counter(std::string key, Limits limits, Instant now, std::string boot_id = {});
    /// With what the store has kept; what was leased and not accounted for counts as used now.
    /// A state that cannot be read is an error (its sentence in the result) and counts as none.
    [[nodiscard]] std::optional<std::string> restore(std::string_view state, Instant now);

    /// Takes as many recipients as may go now: all, or where the ask is divisible a part. The
    /// permit of k of them is {k recipients, the messages, the octets}. What does not fit beside
    /// the share held back goes alone, once nothing else counts; so no share makes it wait forever.
    /// Ask again at Wait::until, and after each settle(): until one, what is in flight may come
    /// back unused.
    [[nodiscard]] Answer take(const Ask& ask, Instant now);
    /// What take() would grant by the limits, whatever the store has leased. Takes nothing.
    [[nodiscard]] Answer room(const Ask& ask, Instant now);
    /// The end of a permit, all or a part of it: `used` of `taken` has gone out, the rest comes
    /// back.
    void settle(const Usage& taken, const Usage& used, Instant now);

    /// The request for a new allowance, if half of the last is used up or a take() waits for one
    /// and none is under way. An allowance is about 1 % of each limit, or what goes in a second if
    /// that is more, and never less than what take() needed.
    [[nodiscard]] std::optional<LeaseRequest> lease_request(Instant now);
    /// The answer to it.
    void leased(const LeaseAnswer& answer, Instant now);
    /// A request is under way.
    [[nodiscard]] bool leasing() const noexcept { return lease_.under_way(); }
    /// For an orderly end: the exact state, nothing given out ahead. No take() after it.
    [[nodiscard]] LeaseRequest final_state(Instant now);
    [[nodiscard]] bool closed() const noexcept { return closed_; }

    /// Other limits from now on; what was used stays used.
    void set_limits(Limits limits, Instant now);

    [[nodiscard]] const std::string& key() const noexcept { return key_; }
    [[nodiscard]] const Limits& limits() const noexcept { return limits_; }
    [[nodiscard]] std::vector<Level> levels(Instant now);
    /// Passed since the last call.
    [[nodiscard]] std::vector<Warning> warnings(Instant now);
    /// `rate 14/s`, `quota daily 10000`, `the store of limits`.
    [[nodiscard]] std::string describe(const Wait& wait) const;

  private:
    /// What an ask may have: the recipients that may go, unless there is something to wait for.
    struct Verdict {
        std::uint64_t recipients;
        Wait wait;
        void add(const Wait& other);
    };
    [[nodiscard]] Verdict judge(const Ask& ask, Instant now);
    void check_rate(std::size_t index, const Ask& ask, Instant now, Verdict& verdict);
    void check_quota(CalendarUnit unit, const Ask& ask, Instant now, Verdict& verdict);
    void check_lease(const Ask& ask, Instant now, Verdict& verdict);
    [[nodiscard]] base::MonoTime room_at(std::size_t index, std::uint64_t capacity,
                                         std::uint64_t least, std::uint64_t whole,
                                         base::MonoTime now);
    [[nodiscard]] PeriodUse& use(CalendarUnit unit, base::WallTime now) {
        return quotas_[static_cast<std::size_t>(unit)].at(now);
    }
    [[nodiscard]] CalendarUnit shared_unit(base::WallTime until, Instant now);
    [[nodiscard]] std::uint64_t quota_left(base::WallTime now);
    [[nodiscard]] LeaseRequest request(const Usage& ahead, Instant now) const;

    std::string key_;
    Limits limits_;
    std::string boot_id_;
    Ledger ledger_;
    Spacing spacing_;
    std::array<QuotaUse, std::size(all_calendar_units)> quotas_;
    Usage in_flight_;
    LeaseBalance lease_;
    bool closed_ = false;
};

}  // namespace outpost::limit

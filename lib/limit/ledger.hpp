#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.hpp"
#include "limit/rate.hpp"
#include "limit/usage.hpp"

namespace outpost::limit {

/// What was used within a stretch of time.
struct Spent {
    base::MonoTime first{};
    base::MonoTime last{};
    Usage usage;
    bool operator==(const Spent&) const = default;
};

/// What was used lately, by time: enough to hold several sliding windows at once, and those of a
/// changed rate. What is close together is kept as one entry that counts until its last moment has
/// left the window, so a window is never too small; an entry spans at most 1/128 of the shortest
/// period whose window it is still in, so at most that share is lost. Entries that have left every
/// window are kept, coarsely, for a day: a longer period may be configured later.
class Ledger {
  public:
    explicit Ledger(std::span<const Rate> rates);

    /// Times do not go backwards; one that does counts as the latest.
    void add(const Usage& usage, base::MonoTime now);
    /// What counts in the window of rates[index] at `now`.
    [[nodiscard]] std::uint64_t used(std::size_t index, base::MonoTime now);
    /// The earliest time at which at most `at_most` counts in the window of rates[index], if
    /// nothing is added: `now` if that is so already. Where entries of a shorter period's window
    /// are put together later, it can turn out to be up to 1/128 of the period too early.
    [[nodiscard]] base::MonoTime falls_to(std::size_t index, std::uint64_t at_most,
                                          base::MonoTime now);

    /// Holds the windows of these rates from now on; what was used stays used.
    void set_rates(std::span<const Rate> rates, base::MonoTime now);
    [[nodiscard]] std::vector<Spent> entries() const;  ///< oldest first
    void restore(std::span<const Spent> entries, base::MonoTime now);

  private:
    /// The entries that are in the windows of `period` and of all longer ones, but have left those
    /// of all shorter ones: at most some 260 of them. Oldest first, from `head` on.
    struct Tier {
        std::chrono::nanoseconds period;
        std::chrono::nanoseconds span;  ///< the most that an entry may stretch over
        std::vector<Spent> entries;
        std::size_t head = 0;
        Usage sum;

        void push(const Spent& entry);
        void pop();
    };
    struct Window {
        std::size_t tier;
        Unit unit;
    };
    void lay_out(std::span<const Rate> rates);
    void advance(base::MonoTime now);
    void note_departure(const Tier& tier);

    std::vector<Tier> tiers_;      ///< by period, shortest first
    std::vector<Window> windows_;  ///< of each rate
    base::MonoTime latest_ = base::MonoTime::min();
    base::MonoTime quiet_until_ = base::MonoTime::max();  ///< nothing leaves its tier before
};

}  // namespace outpost::limit

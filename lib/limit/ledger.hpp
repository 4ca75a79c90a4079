#pragma once

#include <chrono>
#include <deque>
#include <optional>
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
/// period, so at most that share is lost. Entries that have left every window are kept, coarsely,
/// for a day: a longer period may be configured later.
class Ledger {
  public:
    explicit Ledger(std::span<const Rate> rates);

    /// Times do not go backwards; one that does counts as the latest.
    void add(const Usage& usage, base::MonoTime now);
    /// What counts in the window of rates[index] at `now`.
    [[nodiscard]] std::uint64_t used(std::size_t index, base::MonoTime now);
    /// The earliest time at which at most `at_most` counts in the window of rates[index], if
    /// nothing is added: `now` if that is so already.
    [[nodiscard]] base::MonoTime falls_to(std::size_t index, std::uint64_t at_most,
                                          base::MonoTime now);

    /// Holds the windows of these rates from now on; what was used stays used.
    void set_rates(std::span<const Rate> rates, base::MonoTime now);
    [[nodiscard]] std::vector<Spent> entries() const;  ///< oldest first
    void restore(std::span<const Spent> entries, base::MonoTime now);

  private:
    // The implementer's choice; work per call O(1) amortised, falls_to O(log n).
};

}  // namespace outpost::limit

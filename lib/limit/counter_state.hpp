#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "limit/ledger.hpp"
#include "limit/quota_use.hpp"

/// A counter as a store keeps it. Pure.
namespace outpost::limit {

struct CounterState {
    /// When and in which run of the machine it was written: within one run, the clock that cannot
    /// be set tells how long ago that was, else the wall clock.
    base::WallTime wall{};
    base::MonoTime mono{};
    std::string boot_id;         ///< empty: not known
    std::vector<Spent> entries;  ///< by the clock of `mono`
    std::vector<PeriodUse> hours, days, months;
    /// May have been used since: what was in flight and what was given out ahead.
    Usage out;

    bool operator==(const CounterState&) const = default;
};

/// Binary, versioned, with a checksum. Times of entries are kept to the microsecond.
[[nodiscard]] std::string encode(const CounterState& state);
/// The error is a sentence that says what is wrong with it.
[[nodiscard]] std::expected<CounterState, std::string> decode(std::string_view octets);

/// Its entries by the clock of this run. A wall clock that has gone back since makes them appear
/// newer than they are, never older.
[[nodiscard]] std::vector<Spent> entries_since(const CounterState& state, std::string_view boot_id,
                                               base::WallTime wall, base::MonoTime mono);

}  // namespace outpost::limit

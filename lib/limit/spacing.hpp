#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"
#include "limit/rate.hpp"

namespace outpost::limit {

/// Even spacing (`smooth: true`): under each rate, a unit's turn comes period/count after that of
/// the one before. A turn that was used a little late does not shift the ones that follow, so that
/// timers of a millisecond's precision and a busy thread cost no throughput; the time that can be
/// caught up so is at most half a turn or 10 ms, and never over 1/64 of the period.
class Spacing {
  public:
    /// Without spacing: no rates.
    void set_rates(const std::vector<Rate>& rates, bool smooth);
    [[nodiscard]] bool on() const noexcept { return !turns_.empty(); }

    /// When the turn under rates[index] comes. A message goes whole, and takes a turn for each
    /// unit.
    [[nodiscard]] base::MonoTime turn(std::size_t index) const { return turns_[index].next; }
    void take(std::size_t index, std::uint64_t amount, base::MonoTime now);
    /// Turns that were taken and not used.
    void give_back(std::size_t index, std::uint64_t amount);

  private:
    struct Turn {
        std::uint64_t count;
        std::chrono::nanoseconds period;
        std::chrono::nanoseconds catch_up;
        base::MonoTime next = base::MonoTime::min();
    };
    [[nodiscard]] static std::chrono::nanoseconds length(const Turn& turn, std::uint64_t amount);

    std::vector<Turn> turns_;
};

}  // namespace outpost::limit

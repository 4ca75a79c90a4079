#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/id.hpp"
#include "spool/queue.hpp"

/// Messages by age, however many: sorted in parts as they are found and merged as they are taken,
/// so that no single step takes long. Pure.
namespace outpost::delivery {

/// A message and where it was found.
struct Found {
    base::MessageId id;
    spool::Queue::Handle handle{};
    std::uint32_t desk = 0;  ///< whose queue
};

class OldestFirst {
  public:
    void add(std::vector<Found> some);
    /// The oldest that is left. O(log of the number of calls of add()).
    std::optional<Found> next();

  private:
    struct Run {
        std::vector<Found> all;  ///< sorted
        std::size_t at = 0;
    };
    static bool later(const Run& a, const Run& b) { return a.all[a.at].id > b.all[b.at].id; }

    std::vector<Run> runs_;  ///< heap, the oldest first; none is used up
};

}  // namespace outpost::delivery

#pragma once

#include <cstdint>
#include <vector>

#include "base/id.hpp"
#include "spool/queue.hpp"

/// How many messages go before each of some: asked for all of them at once, so that the queue is
/// looked at once. Pure.
namespace outpost::delivery {

/// Where a ready message stands on its way.
struct Place {
    spool::WayIndex way = 0;
    std::uint8_t priority = 0;
    base::MessageId id;
};

class PlacesInLine {
  public:
    explicit PlacesInLine(std::vector<Place> asked);
    /// To be shown each entry of the queue once. O(log of those asked for).
    void look(const spool::QueueEntry& entry);
    /// For each that was asked for: ready messages of a higher priority, and older ones of the
    /// same.
    [[nodiscard]] std::vector<std::uint64_t> ahead() const;

  private:
    struct Key {
        std::uint8_t priority = 0;
        base::MessageId id;
        auto operator<=>(const Key&) const = default;
    };
    struct Line {
        std::vector<Key> asked;             ///< sorted
        std::vector<std::uint64_t> before;  ///< by index: since the one before it
    };

    std::vector<Place> asked_;
    std::vector<Line> lines_;  ///< by way
};

}  // namespace outpost::delivery

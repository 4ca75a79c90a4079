#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/id.hpp"
#include "spool/queue.hpp"

/// How many messages go before each of some: asked for all of them at once, so that the queue is
/// looked at once. Pure.
namespace outpost::delivery {

/// Where a ready message stands: on its way or, if its account has to wait as a whole, among the
/// mail of that account.
struct Place {
    spool::WayIndex way = 0;
    std::uint8_t priority = 0;
    base::MessageId id;
    std::optional<std::uint32_t> held_account{};  ///< see Queue::account_held
};

class PlacesInLine {
  public:
    explicit PlacesInLine(std::vector<Place> asked);
    /// To be shown each entry of the queue once; `held`: its account has to wait as a whole, so it
    /// goes before none of another account. O(log of those asked for).
    void look(const spool::QueueEntry& entry, bool held);
    /// For each that was asked for: ready messages that could go before it, of a higher priority,
    /// and older ones of the same.
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

    using Lines = std::vector<Line>;
    static void count(Lines& lines, std::size_t index, Key key);

    std::vector<Place> asked_;
    Lines ways_;
    Lines accounts_;  ///< of those that have to wait
};

}  // namespace outpost::delivery

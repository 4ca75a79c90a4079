#pragma once

#include <deque>
#include <optional>

#include "delivery/desk.hpp"
#include "delivery/slices.hpp"

namespace outpost::delivery {

/// The messages that fit a filter, in the queues of a desk and of those before it. Looks at the
/// queue and at the spool in slices. What was handed out may have left by the time it is used.
class Desk::Search {
  public:
    Search(Desks desks, MessageFilter filter);
    /// Call once, first.
    awaitable<void> gather();
    /// Of the ids that the filter names, those of no message in the queue, whatever else it asks.
    [[nodiscard]] std::vector<base::MessageId> absent() const;
    /// The oldest that is left.
    awaitable<std::optional<Found>> next();
    [[nodiscard]] Desk& desk(const Found& found) { return *desks_[found.desk]; }

  private:
    struct Candidate {
        Found found;
        bool sure = false;  ///< else its pending recipients decide
    };
    awaitable<std::optional<Found>> next_by_envelope();
    awaitable<void> read_envelopes();
    void judge(const Found& found, const std::optional<smtp::Envelope>& envelope);

    Desks desks_;
    MessageFilter filter_;                ///< with sorted ids
    std::vector<base::MessageId> met_{};  ///< of those, in any order
    bool reads_;                          ///< the queue alone does not tell
    OldestFirst found_;
    std::deque<Candidate> candidates_;
    Slices slices_{places_a_slice};
    Slices reasons_{messages_a_slice};
};

}  // namespace outpost::delivery

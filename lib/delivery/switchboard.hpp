#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "config/types.hpp"
#include "delivery/group_turns.hpp"
#include "delivery/ways.hpp"
#include "spool/queue.hpp"

/// Which ways an upstream may take mail from now, and where a message goes that it did not take.
/// Pure.
namespace outpost::delivery {

class Switchboard {
  public:
    using StateOf = std::function<MemberState(PortIndex)>;

    /// A way that an upstream may take from.
    struct Lane {
        WayIndex way = 0;
        std::uint16_t member = 0;  ///< the bit of Refusals that keeps a message from it; 0: none
    };
    /// How an attempt ended for a message that goes back into the queue.
    struct Ending {
        bool passed_on = false;       ///< the upstream cannot take it
        bool may_take_later = false;  ///< not for good
        bool partly_delivered = false;
    };

    explicit Switchboard(const config::Config& config);

    [[nodiscard]] const Ways& ways() const noexcept { return ways_; }
    /// Valid until the next call. `state` tells how each upstream is now.
    [[nodiscard]] std::span<const Lane> lanes(PortIndex port, const StateOf& state);
    /// The upstream has taken a message from a way.
    void taken(PortIndex port, WayIndex way, std::uint32_t recipients);
    /// Whether another active upstream of the group has not refused the message yet.
    [[nodiscard]] bool has_others(const spool::QueueEntry& entry, PortIndex asked) const;
    /// Sets where `again` goes: what was partly delivered stays with who took it, what was passed
    /// on goes to the next who has not refused it. Once all have, all may be asked again.
    void redirect(const spool::QueueEntry& entry, spool::Requeue& again, PortIndex asked,
                  const Ending& ending) const;

  private:
    [[nodiscard]] std::optional<std::size_t> next_member(std::size_t group,
                                                         const spool::Refusals& refusals,
                                                         std::size_t after) const;
    void update(std::size_t group, const StateOf& state);

    Ways ways_;
    std::vector<bool> active_;       ///< by port
    std::vector<GroupTurns> turns_;  ///< of each group
    std::vector<MemberState> states_;
    std::vector<Lane> lanes_;
};

}  // namespace outpost::delivery

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "config/types.hpp"

/// Which upstream of a group takes the next message. Pure.
namespace outpost::delivery {

enum class MemberState : std::uint8_t {
    open,     ///< works; if it is busy, it will have room in a moment
    limited,  ///< works, but has no rate or quota left, or has asked for less
    closed,   ///< unreachable, suspended or inactive
    due,      ///< closed, and to be tried again with the next message
};

class GroupTurns {
  public:
    /// One weight a member; of use to strategy weighted alone.
    GroupTurns(config::Strategy strategy, std::vector<std::uint32_t> weights);

    /// What the members can do now. A member that comes back gets its share from then on, and
    /// nothing for the time that it was away.
    void update(std::span<const MemberState> states);
    /// Whether the message that is next is for this member.
    [[nodiscard]] bool may_take(std::size_t member) const;
    /// Whether mail that should stay with a member may go by others now.
    [[nodiscard]] bool left_alone(std::size_t member) const;
    void taken(std::size_t member, std::uint32_t recipients);

  private:
    [[nodiscard]] bool shares() const noexcept;
    [[nodiscard]] bool passes_over(std::size_t member) const;

    config::Strategy strategy_;
    std::vector<std::uint32_t> weights_;
    std::vector<MemberState> states_;
    std::vector<std::uint64_t> served_;  ///< recipients over weight, in parts of a million
};

}  // namespace outpost::delivery

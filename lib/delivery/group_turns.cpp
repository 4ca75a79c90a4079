#include "delivery/group_turns.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace outpost::delivery {
namespace {

/// Divisible by most weights, so that shares come out exactly.
constexpr std::uint64_t unit = 720'720;

}  // namespace

GroupTurns::GroupTurns(config::Strategy strategy, std::vector<std::uint32_t> weights)
    : strategy_(strategy),
      weights_(std::move(weights)),
      states_(weights_.size(), MemberState::open),
      served_(weights_.size(), 0) {}

bool GroupTurns::shares() const noexcept {
    return strategy_ == config::Strategy::weighted || strategy_ == config::Strategy::round_robin;
}

void GroupTurns::update(std::span<const MemberState> states) {
    if (shares()) {
        std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
        for (std::size_t i = 0; i < states_.size(); ++i)
            if (states_[i] == MemberState::open) least = std::min(least, served_[i]);
        for (std::size_t i = 0; i < states_.size(); ++i) {
            const bool back = states_[i] != MemberState::open && states[i] == MemberState::open;
            if (back && least != std::numeric_limits<std::uint64_t>::max())
                served_[i] = std::max(served_[i], least);
        }
    }
    states_.assign(states.begin(), states.end());
}

bool GroupTurns::passes_over(std::size_t member) const {
    if (states_[member] == MemberState::closed) return true;
    return states_[member] == MemberState::limited && strategy_ != config::Strategy::failover;
}

bool GroupTurns::left_alone(std::size_t member) const {
    return passes_over(member);
}

bool GroupTurns::may_take(std::size_t member) const {
    if (!shares()) {
        for (std::size_t before = 0; before < member; ++before)
            if (!passes_over(before)) return false;
        return true;
    }
    if (states_[member] == MemberState::due) return true;
    // One message shows whether that one is back; the others wait for no more than this.
    if (std::ranges::find(states_, MemberState::due) != states_.end()) return false;
    if (states_[member] == MemberState::closed) return false;
    if (states_[member] == MemberState::limited) {
        // Nobody is open: whoever has something left first.
        return std::ranges::find(states_, MemberState::open) == states_.end();
    }
    for (std::size_t other = 0; other < served_.size(); ++other) {
        if (states_[other] != MemberState::open || other == member) continue;
        const bool before = served_[other] < served_[member] ||
                            (served_[other] == served_[member] && other < member);
        if (before) return false;
    }
    return true;
}

void GroupTurns::taken(std::size_t member, std::uint32_t recipients) {
    const std::uint64_t weight = strategy_ == config::Strategy::weighted ? weights_[member] : 1;
    served_[member] += recipients * unit / weight;
}

}  // namespace outpost::delivery

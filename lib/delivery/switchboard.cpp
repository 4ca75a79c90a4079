#include "delivery/switchboard.hpp"

#include <algorithm>
#include <utility>

namespace outpost::delivery {
namespace {

std::uint16_t bit(std::size_t member) {
    return static_cast<std::uint16_t>(1U << member);
}

}  // namespace

Switchboard::Switchboard(const config::Config& config) : ways_(config) {
    for (const auto& [name, upstream] : config.upstreams) active_.push_back(upstream.active);
    for (const Ways::Group& group : ways_.groups()) {
        std::vector<std::uint32_t> weights;
        for (const Ways::Member& member : group.members) weights.push_back(member.weight);
        turns_.emplace_back(group.strategy, std::move(weights));
    }
}

std::span<const Switchboard::Lane> Switchboard::lanes(PortIndex port, const StateOf& state) {
    lanes_.clear();
    std::optional<std::size_t> updated;
    for (const Ways::Lane& lane : ways_.lanes(port)) {
        if (!lane.group) {
            lanes_.push_back({lane.way, 0});
            continue;
        }
        if (updated != lane.group) update(*lane.group, state);
        updated = lane.group;
        const GroupTurns& turns = turns_[*lane.group];
        const bool own = lane.kept_by == lane.member;
        const bool in_turn =
            (!lane.kept_by || turns.left_alone(*lane.kept_by)) && turns.may_take(lane.member);
        if (own || in_turn) lanes_.push_back({lane.way, bit(lane.member)});
    }
    return lanes_;
}

void Switchboard::update(std::size_t group, const StateOf& state) {
    states_.clear();
    for (const Ways::Member& member : ways_.groups()[group].members)
        states_.push_back(state(member.port));
    turns_[group].update(states_);
}

void Switchboard::taken(PortIndex port, WayIndex way, std::uint32_t recipients) {
    if (const auto group = ways_.group_of(way))
        turns_[*group].taken(ways_.member(*group, port), recipients);
}

std::optional<std::size_t> Switchboard::next_member(std::size_t group,
                                                    const spool::Refusals& refusals,
                                                    std::size_t after) const {
    const auto& members = ways_.groups()[group].members;
    for (std::size_t step = 1; step < members.size(); ++step) {
        const std::size_t member = (after + step) % members.size();
        const bool refused = (refusals.members & bit(member)) != 0;
        if (!refused && active_[members[member].port]) return member;
    }
    return std::nullopt;
}

bool Switchboard::has_others(const spool::QueueEntry& entry, PortIndex asked) const {
    const auto group = ways_.group_of(entry.way);
    return group && next_member(*group, entry.refusals, ways_.member(*group, asked)).has_value();
}

void Switchboard::redirect(const spool::QueueEntry& entry, spool::Requeue& again, PortIndex asked,
                           const Ending& ending) const {
    const auto group = ways_.group_of(entry.way);
    if (!group) return;
    const std::size_t member = ways_.member(*group, asked);
    if (ending.passed_on) {
        again.refusals.members |= bit(member);
        again.refusals.temporary |= ending.may_take_later ? 1U : 0U;
        if (const auto next = next_member(*group, again.refusals, member)) {
            again.way = ways_.kept(*group, *next);
            return;
        }
    } else if (ending.partly_delivered) {
        again.way = ways_.kept(*group, member);
        return;
    } else if (again.refusals.members == 0 || has_others(entry, asked) ||
               again.next_attempt <= entry.next_attempt) {
        return;  // it was this upstream's trouble, or the message's own wait
    }
    again.refusals = {};
    again.way = ways_.groups()[*group].way;
}

}  // namespace outpost::delivery

#include "spool/lane_order.hpp"

#include <algorithm>

namespace outpost::spool {
namespace {

/// A recipient of an account of weight 1, so that weights divide it without much loss.
constexpr std::uint64_t scale = 1 << 20;

constexpr auto later = [](const auto& a, const auto& b) {
    return a.start != b.start ? a.start > b.start : a.order > b.order;
};

std::uint64_t cost(std::uint32_t recipients, std::uint32_t weight) {
    return std::max<std::uint64_t>(recipients, 1) * scale / std::max<std::uint32_t>(weight, 1);
}

}  // namespace

LaneOrder::Index LaneOrder::intern(std::string_view name) {
    if (const auto found = account_index_.find(name); found != account_index_.end())
        return found->second;
    accounts_.emplace_back(std::string(name));
    const auto index = static_cast<Index>(accounts_.size() - 1);
    account_index_.emplace(accounts_.back().name, index);
    return index;
}

LaneOrder::Way& LaneOrder::way(WayIndex index) {
    if (ways_.size() <= index) ways_.resize(index + std::size_t{1});
    return ways_[index];
}

LaneOrder::Level& LaneOrder::level_of(const Lane& lane) {
    return ways_[lane.way].levels[lane.priority - std::size_t{1}];
}

LaneOrder::Lane& LaneOrder::lane(WayIndex to, std::uint8_t priority, Index account) {
    Level& level = way(to).levels[priority - std::size_t{1}];
    if (level.lane_by_account.size() <= account) level.lane_by_account.resize(account + 1, none);
    Index& index = level.lane_by_account[account];
    if (index == none) {
        index = static_cast<Index>(lanes_.size());
        Lane& created = lanes_.emplace_back();
        created.account = account;
        created.way = to;
        created.priority = priority;
        accounts_[account].lanes.push_back(index);
    }
    return lanes_[index];
}

void LaneOrder::activate(Level& level, Index index) {
    Lane& lane = lanes_[index];
    lane.active = true;
    level.turns.push_back({lane.start, level.order++, index});
    std::ranges::push_heap(level.turns, later);
}

void LaneOrder::wake(Lane& lane) {
    if (lane.active || accounts_[lane.account].held) return;
    Level& level = level_of(lane);
    // Time spent without mail earns no credit: a lane that comes back starts no earlier than now.
    lane.start = std::max(lane.start, level.virtual_time);
    activate(level, level.lane_by_account[lane.account]);
}

void LaneOrder::release(Index account) {
    accounts_[account].held = false;
    for (const Index index : accounts_[account].lanes)
        if (lanes_[index].ready > 0) wake(lanes_[index]);
}

void LaneOrder::set_shares(WayIndex index, const std::optional<PriorityShares>& shares) {
    way(index).shares = shares;
}

/// The level's next lane; drops from its heap what has no mail or is held.
LaneOrder::Lane* LaneOrder::first(Level& level) {
    while (!level.turns.empty()) {
        Lane& lane = lanes_[level.turns.front().lane];
        if (lane.ready > 0 && !accounts_[lane.account].held) return &lane;
        std::ranges::pop_heap(level.turns, later);
        level.turns.pop_back();
        lane.active = false;
    }
    return nullptr;
}

LaneOrder::Lane* LaneOrder::first(WayIndex index, std::uint8_t lowest) {
    if (index >= ways_.size()) return nullptr;
    Way& way = ways_[index];
    if (way.shares) return first_by_share(way, lowest);
    for (std::size_t i = 0; i < lowest; ++i)
        if (Lane* lane = first(way.levels[i])) return lane;
    return nullptr;
}

LaneOrder::Lane* LaneOrder::first_by_share(Way& way, std::uint8_t lowest) {
    Lane* next = nullptr;
    std::uint64_t least = 0;
    for (std::size_t i = 0; i < lowest; ++i) {
        Level& level = way.levels[i];
        Lane* lane = first(level);
        if (lane != nullptr && level.idle) level.start = std::max(level.start, way.virtual_time);
        level.idle = lane == nullptr;
        if (lane == nullptr || (next != nullptr && level.start >= least)) continue;
        next = lane;
        least = level.start;
    }
    return next;
}

void LaneOrder::served(Lane& lane, std::uint32_t recipients) {
    Way& way = ways_[lane.way];
    Level& level = level_of(lane);
    const Index index = level.turns.front().lane;
    std::ranges::pop_heap(level.turns, later);
    level.turns.pop_back();
    lane.active = false;
    level.virtual_time = lane.start;
    lane.start += cost(recipients, accounts_[lane.account].weight);
    if (lane.ready > 0) activate(level, index);
    if (!way.shares) return;
    way.virtual_time = level.start;
    level.start += cost(recipients, (*way.shares)[lane.priority - std::size_t{1}]);
}

}  // namespace outpost::spool

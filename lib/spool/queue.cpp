#include "spool/queue.hpp"

#include <algorithm>
#include <utility>

namespace outpost::spool {
namespace {

constexpr auto later = [](const auto& a, const auto& b) {
    return a.start != b.start ? a.start > b.start : a.order > b.order;
};

}  // namespace

Queue::Queue(std::pmr::memory_resource* memory)
    : nodes_(memory), timers_(TimerPosition{*this}, memory) {}

Queue::Handle Queue::add(const QueueItem& item, UpstreamIndex upstream, base::WallTime now) {
    const Index account = intern(item.account);
    const Index index = allocate();
    Node& node = nodes_[index];
    node = Node{};
    node.id = item.id;
    node.next_attempt = item.next_attempt;
    node.deadline = item.deadline;
    node.size = item.size;
    node.account = account;
    node.recipients = item.recipients;
    node.upstream = upstream;
    node.priority = std::clamp<std::uint8_t>(item.priority, 1, priorities);
    node.attempts = item.attempts;
    if (upstreams_.size() <= upstream) upstreams_.resize(upstream + std::size_t{1});
    Level& level = level_of(node);
    if (level.lane_by_account.size() <= account) level.lane_by_account.resize(account + 1, none);
    Index& lane = level.lane_by_account[account];
    if (lane == none) {
        lane = static_cast<Index>(lanes_.size());
        Lane& created = lanes_.emplace_back();
        created.account = account;
        created.upstream = upstream;
        created.priority = node.priority;
    }
    place(index, QueueState::fresh, now);
    return Handle{index};
}

std::optional<Queue::Handle> Queue::next(UpstreamIndex upstream, base::WallTime now) {
    advance(now);
    if (upstream >= upstreams_.size()) return std::nullopt;
    for (Level& level : upstreams_[upstream])
        if (auto handle = serve(level)) return handle;
    return std::nullopt;
}

std::optional<Queue::Handle> Queue::next_overdue(base::WallTime now) {
    advance(now);
    if (overdue_.head == none) return std::nullopt;
    const Index index = overdue_.head;
    unlink(index);
    nodes_[index].state = QueueState::in_flight;
    return Handle{index};
}

void Queue::requeue(Handle handle, const Requeue& how, base::WallTime now) {
    const auto index = static_cast<Index>(handle);
    Node& node = nodes_[index];
    node.next_attempt = how.next_attempt;
    node.deadline = how.deadline;
    node.recipients = how.recipients;
    node.attempts = how.attempts;
    node.setback = how.setback;
    --lane_of(node).in_flight;
    place(index, QueueState::returned, now);
}

void Queue::remove(Handle handle) {
    const auto index = static_cast<Index>(handle);
    Node& node = nodes_[index];
    Lane& lane = lane_of(node);
    switch (node.state) {
        case QueueState::fresh:
        case QueueState::returned:
            unlink(index);
            --lane.ready;
            break;
        case QueueState::waiting: --lane.waiting; break;
        case QueueState::overdue:
            unlink(index);
            --lane.in_flight;
            break;
        case QueueState::in_flight: --lane.in_flight; break;
    }
    timers_.erase(index);
    release(index);
}

std::optional<base::WallTime> Queue::next_due() const {
    if (timers_.empty()) return std::nullopt;
    return timers_.top().when;
}

const QueueEntry& Queue::entry(Handle handle) const {
    return nodes_[static_cast<Index>(handle)];
}

std::string_view Queue::account_name(std::uint32_t account) const {
    return accounts_[account];
}

std::vector<QueueCount> Queue::counts() const {
    std::vector<QueueCount> rows;
    for (const Lane& lane : lanes_) {
        if (lane.ready + lane.waiting + lane.in_flight == 0) continue;
        rows.push_back({.upstream = lane.upstream,
                        .priority = lane.priority,
                        .account = accounts_[lane.account],
                        .ready = lane.ready,
                        .waiting = lane.waiting,
                        .in_flight = lane.in_flight});
    }
    return rows;
}

Queue::Index Queue::intern(std::string_view account) {
    if (auto found = account_index_.find(account); found != account_index_.end())
        return found->second;
    accounts_.emplace_back(account);
    const auto index = static_cast<Index>(accounts_.size() - 1);
    account_index_.emplace(accounts_.back(), index);
    return index;
}

Queue::Index Queue::allocate() {
    ++size_;
    if (free_ != none) return std::exchange(free_, nodes_[free_].next);
    nodes_.push_back({});
    return static_cast<Index>(nodes_.size() - 1);
}

void Queue::release(Index index) {
    nodes_[index].next = free_;
    free_ = index;
    if (--size_ > 0) return;
    nodes_.clear();
    free_ = none;
}

Queue::Level& Queue::level_of(const Node& node) {
    return upstreams_[node.upstream][node.priority - std::size_t{1}];
}

Queue::Lane& Queue::lane_of(const Node& node) {
    return lanes_[level_of(node).lane_by_account[node.account]];
}

Queue::List& Queue::list_of(Lane& lane, const Node& node) {
    if (node.state == QueueState::overdue) return overdue_;
    return node.state == QueueState::fresh ? lane.fresh : lane.returned;
}

/// Appends to the list that the node's state names.
void Queue::link(Index index) {
    Node& node = nodes_[index];
    List& list = list_of(lane_of(node), node);
    node.previous = list.tail;
    node.next = none;
    (list.tail == none ? list.head : nodes_[list.tail].next) = index;
    list.tail = index;
}

void Queue::unlink(Index index) {
    Node& node = nodes_[index];
    List& list = list_of(lane_of(node), node);
    (node.previous == none ? list.head : nodes_[node.previous].next) = node.next;
    (node.next == none ? list.tail : nodes_[node.next].previous) = node.previous;
    node.next = node.previous = none;
}

void Queue::make_ready(Index index, QueueState state) {
    Node& node = nodes_[index];
    Lane& lane = lane_of(node);
    node.state = state;
    ++lane.ready;
    link(index);
    timers_.set(index, node.deadline);
    if (lane.active) return;
    Level& level = level_of(node);
    // Time spent without mail earns no credit: a lane that comes back starts no earlier than now.
    lane.start = std::max(lane.start, level.virtual_time);
    activate(level, level.lane_by_account[node.account]);
}

void Queue::place(Index index, QueueState ready_state, base::WallTime now) {
    Node& node = nodes_[index];
    if (node.next_attempt <= now) {
        make_ready(index, ready_state);
        return;
    }
    node.state = QueueState::waiting;
    ++lane_of(node).waiting;
    timers_.set(index, std::min(node.next_attempt, node.deadline));
}

void Queue::advance(base::WallTime now) {
    while (!timers_.empty() && timers_.top().when <= now) {
        const Index index = timers_.top().index;
        Node& node = nodes_[index];
        Lane& lane = lane_of(node);
        if (node.deadline > now) {
            --lane.waiting;
            make_ready(index, QueueState::returned);
            continue;
        }
        if (node.state == QueueState::waiting) {
            --lane.waiting;
        } else {
            unlink(index);
            --lane.ready;
        }
        timers_.erase(index);
        node.state = QueueState::overdue;
        ++lane.in_flight;
        link(index);
    }
}

std::optional<Queue::Handle> Queue::serve(Level& level) {
    while (!level.turns.empty()) {
        std::ranges::pop_heap(level.turns, later);
        const Index lane_index = level.turns.back().lane;
        level.turns.pop_back();
        Lane& lane = lanes_[lane_index];
        lane.active = false;
        const Index returned = lane.returned.head;
        const Index fresh = lane.fresh.head;
        if (returned == none && fresh == none) continue;
        const bool take_returned =
            fresh == none || (returned != none && nodes_[returned].id < nodes_[fresh].id);
        const Index index = take_returned ? returned : fresh;
        unlink(index);
        timers_.erase(index);
        Node& node = nodes_[index];
        node.state = QueueState::in_flight;
        --lane.ready;
        ++lane.in_flight;
        level.virtual_time = lane.start;
        lane.start += std::max<std::uint32_t>(node.recipients, 1);
        if (lane.ready > 0) activate(level, lane_index);
        return Handle{index};
    }
    return std::nullopt;
}

void Queue::activate(Level& level, Index lane) {
    lanes_[lane].active = true;
    level.turns.push_back({lanes_[lane].start, level.order++, lane});
    std::ranges::push_heap(level.turns, later);
}

}  // namespace outpost::spool

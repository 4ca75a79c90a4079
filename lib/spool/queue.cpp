#include "spool/queue.hpp"

#include <algorithm>
#include <utility>

namespace outpost::spool {
Queue::Queue(std::pmr::memory_resource* memory)
    : nodes_(memory), timers_(TimerPosition{*this}, memory), holds_(HoldPosition{*this}, memory) {}

Queue::Handle Queue::add(const QueueItem& item, WayIndex way, base::WallTime now) {
    const Index account = lanes_.intern(item.account);
    const Index index = allocate();
    Node& node = nodes_[index];
    node = Node{};
    node.id = item.id;
    node.next_attempt = item.next_attempt;
    node.deadline = item.deadline;
    node.size = item.size;
    node.account = account;
    node.recipients = item.recipients;
    node.untried = item.untried;
    node.way = way;
    node.priority = std::clamp<std::uint8_t>(item.priority, 1, queue_priorities);
    node.attempts = item.attempts;
    node.moved = item.moved;
    place(index, QueueState::fresh, now);
    return Handle{index};
}

std::optional<Queue::Handle> Queue::front(WayIndex way, base::WallTime now, std::uint8_t lowest) {
    advance(now);
    const Lane* const lane = lanes_.first(way, lowest);
    if (lane == nullptr) return std::nullopt;
    const Index returned = lane->returned.head;
    const Index fresh = lane->fresh.head;
    const bool take_returned =
        fresh == none || (returned != none && nodes_[returned].id < nodes_[fresh].id);
    return Handle{take_returned ? returned : fresh};
}

void Queue::take(Handle front, std::uint32_t recipients) {
    const auto index = static_cast<Index>(front);
    Node& node = nodes_[index];
    Lane& lane = lane_of(node);
    unlink(index);
    timers_.erase(index);
    node.state = QueueState::in_flight;
    --lane.ready;
    ++lane.in_flight;
    lanes_.served(lane, recipients);
}

std::optional<Queue::Handle> Queue::next(WayIndex way, base::WallTime now) {
    const auto handle = front(way, now);
    if (handle) take(*handle, entry(*handle).recipients);
    return handle;
}

std::optional<Queue::Handle> Queue::next_overdue(base::WallTime now) {
    advance(now);
    if (overdue_.head == none) return std::nullopt;
    const Index index = overdue_.head;
    unlink(index);
    nodes_[index].state = QueueState::in_flight;
    return Handle{index};
}

bool Queue::claim(Handle handle) {
    const auto index = static_cast<Index>(handle);
    Node& node = nodes_[index];
    const bool at_hand = node.state == QueueState::fresh || node.state == QueueState::returned ||
                         node.state == QueueState::waiting;
    if (!at_hand) return false;
    leave(index);
    node.state = QueueState::in_flight;
    ++lane_of(node).in_flight;
    return true;
}

void Queue::requeue(Handle handle, const Requeue& how, base::WallTime now) {
    const auto index = static_cast<Index>(handle);
    Node& node = nodes_[index];
    node.next_attempt = how.next_attempt;
    node.deadline = how.deadline;
    node.recipients = how.recipients;
    node.untried = how.untried;
    node.attempts = how.attempts;
    node.setback = how.setback;
    node.refusals = how.refusals;
    node.moved = how.moved;
    --lane_of(node).in_flight;
    if (how.way) node.way = *how.way;
    if (how.priority) node.priority = std::clamp<std::uint8_t>(*how.priority, 1, queue_priorities);
    place(index, QueueState::returned, now);
}

void Queue::remove(Handle handle) {
    const auto index = static_cast<Index>(handle);
    if (nodes_[index].state == QueueState::gone) return;
    leave(index);
    release(index);
}

/// Out of the list, the count and the timer of its state.
void Queue::leave(Index index) {
    Lane& lane = lane_of(nodes_[index]);
    switch (nodes_[index].state) {
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
        case QueueState::gone: break;
    }
    timers_.erase(index);
}

void Queue::hold_account(std::uint32_t account, base::WallTime until) {
    lanes_.hold(account);
    if (until == base::WallTime::max()) {
        holds_.erase(account);
    } else {
        holds_.set(account, until);
    }
}

void Queue::release_account(std::uint32_t account) {
    holds_.erase(account);
    lanes_.release(account);
}

void Queue::release_all_accounts() {
    for (Index account = 0; account < lanes_.accounts(); ++account)
        if (lanes_.account(account).held) release_account(account);
}

void Queue::set_weight(std::string_view account, std::uint32_t weight) {
    lanes_.account(lanes_.intern(account)).weight = weight;
}

std::optional<base::WallTime> Queue::next_due() const {
    std::optional<base::WallTime> due;
    if (!timers_.empty()) due = timers_.top().when;
    if (!holds_.empty()) due = std::min(due.value_or(base::WallTime::max()), holds_.top().when);
    return due;
}

const QueueEntry& Queue::entry(Handle handle) const {
    return nodes_[static_cast<Index>(handle)];
}

std::string_view Queue::account_name(std::uint32_t account) const {
    return lanes_.account(account).name;
}

std::vector<QueueCount> Queue::counts() const {
    std::vector<QueueCount> rows;
    for (const Lane& lane : lanes_.lanes()) {
        if (lane.ready + lane.waiting + lane.in_flight == 0) continue;
        rows.push_back({.way = lane.way,
                        .priority = lane.priority,
                        .account = lanes_.account(lane.account).name,
                        .ready = lane.ready,
                        .waiting = lane.waiting,
                        .in_flight = lane.in_flight,
                        .held = lanes_.account(lane.account).held});
    }
    return rows;
}

Queue::Index Queue::allocate() {
    ++size_;
    if (free_ != none) return std::exchange(free_, nodes_[free_].next);
    nodes_.push_back({});
    return static_cast<Index>(nodes_.size() - 1);
}

void Queue::release(Index index) {
    nodes_[index].state = QueueState::gone;
    nodes_[index].next = free_;
    free_ = index;
    if (--size_ > 0) return;
    nodes_.clear();
    free_ = none;
}

Queue::Lane& Queue::lane_of(const Node& node) {
    return lanes_.lane(node.way, node.priority, node.account);
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
    // Mail that was tried already may need nothing of what its account waits for.
    if (node.untried == 0 && account_held(node.account)) release_account(node.account);
    lanes_.wake(lane);
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
    while (!holds_.empty() && holds_.top().when <= now) release_account(holds_.top().index);
    while (!timers_.empty() && timers_.top().when <= now) fall_due(timers_.top().index, now);
}

void Queue::fall_due(Index index, base::WallTime now) {
    Node& node = nodes_[index];
    Lane& lane = lane_of(node);
    if (node.deadline > now) {
        --lane.waiting;
        make_ready(index, QueueState::returned);
        return;
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

}  // namespace outpost::spool

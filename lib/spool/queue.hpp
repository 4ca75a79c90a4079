#pragma once

#include <cstdint>
#include <memory_resource>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "spool/chunked_array.hpp"
#include "spool/lane_order.hpp"
#include "spool/timer_heap.hpp"

/// Which stored message goes next on which way. Pure: no clock, no files, no threads; used on
/// one executor. About 85 octets a message. Every call is O(log n) or better; an entry that falls
/// due is moved once.
///
/// For each way: strict priority 1..5, or each priority by its share. Within a priority
/// accounts share by recipients and weight (LaneOrder). Within an account messages go in order of
/// arrival; those that come back from an attempt or a wait go before later arrivals. An account
/// that has to wait as a whole (a limit of its own) is held, and all its mail with it.
namespace outpost::spool {

/// A message that enters the queue.
struct QueueItem {
    base::MessageId id;
    std::string_view account;
    std::uint32_t recipients = 1;  ///< pending ones: what the message counts for in fairness
    std::uint32_t untried = 1;     ///< of these: for whom there was no attempt yet
    std::uint64_t size = 0;        ///< octets of the stored message
    std::uint8_t priority = 3;
    std::uint8_t attempts = 0;
    bool moved = false;                               ///< kept for the caller, see QueueEntry
    base::WallTime next_attempt{};                    ///< not before
    base::WallTime deadline = base::WallTime::max();  ///< see Queue::next_overdue
};

/// Who of those that share a way cannot take a message; nothing to the queue itself.
struct Refusals {
    std::uint16_t members : 15 = 0;   ///< a bit each
    std::uint16_t temporary : 1 = 0;  ///< one of them may take it later
    bool operator==(const Refusals&) const = default;
};

/// How a message goes back after an attempt.
struct Requeue {
    base::WallTime next_attempt{};
    base::WallTime deadline = base::WallTime::max();
    std::uint32_t recipients = 1;
    std::uint32_t untried = 0;
    std::uint8_t attempts = 0;
    bool setback = false;           ///< kept for the caller, see QueueEntry
    std::optional<WayIndex> way{};  ///< another one from now on
    std::optional<std::uint8_t> priority{};
    Refusals refusals{};  ///< kept for the caller
    bool moved = false;   ///< likewise
};

enum class QueueState : std::uint8_t {
    fresh,      ///< ready, not tried since it was added
    returned,   ///< ready again after an attempt or a wait
    waiting,    ///< for next_attempt
    overdue,    ///< its deadline has passed and nobody has taken it yet
    in_flight,  ///< handed out by next(), next_overdue() or claim()
    gone,       ///< removed
};

struct QueueEntry {
    base::MessageId id;
    base::WallTime next_attempt{};
    base::WallTime deadline{};
    std::uint64_t size = 0;
    std::uint32_t account = 0;  ///< see Queue::account_name
    std::uint32_t recipients = 0;
    std::uint32_t untried = 0;
    WayIndex way = 0;
    std::uint8_t priority = 0;
    std::uint8_t attempts = 0;
    QueueState state = QueueState::in_flight;
    /// The last attempt ended by the upstream's trouble in the midst of this message.
    bool setback : 1 = false;
    /// Not where the routes say: the spool's state of the message says where (Summary::decided).
    bool moved : 1 = false;
    Refusals refusals;
};

/// As it is, for a message that goes back without an attempt.
[[nodiscard]] inline Requeue unchanged(const QueueEntry& entry) {
    return {.next_attempt = entry.next_attempt,
            .deadline = entry.deadline,
            .recipients = entry.recipients,
            .untried = entry.untried,
            .attempts = entry.attempts,
            .setback = entry.setback,
            .way = std::nullopt,
            .refusals = entry.refusals,
            .moved = entry.moved};
}

/// How many messages one account has for one way in one priority.
struct QueueCount {
    WayIndex way = 0;
    std::uint8_t priority = 0;
    std::string_view account;
    std::uint64_t ready = 0;
    std::uint64_t waiting = 0;
    std::uint64_t in_flight = 0;  ///< overdue ones included
    bool held = false;            ///< the account has to wait as a whole
};

class Queue {
  public:
    /// Names an entry from add() to remove(); the number is used again after that.
    enum class Handle : std::uint32_t {};

    explicit Queue(std::pmr::memory_resource* memory = std::pmr::get_default_resource());
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    Handle add(const QueueItem& item, WayIndex way, base::WallTime now);
    /// The message that goes next on this way; nothing if none is ready. It stays where it is.
    /// `lowest`: of this priority or a higher one.
    std::optional<Handle> front(WayIndex way, base::WallTime now,
                                std::uint8_t lowest = queue_priorities);
    /// Takes what front() has just named: now in flight, for so many of its recipients.
    void take(Handle front, std::uint32_t recipients);
    /// front() and take() for all recipients.
    std::optional<Handle> next(WayIndex way, base::WallTime now);
    /// A message whose deadline has passed, whatever its way's state, now in flight: a delay
    /// notice or its expiry is due. Not found while in flight; requeue() arms the new deadline.
    std::optional<Handle> next_overdue(base::WallTime now);
    /// Takes an entry that is ready or waits, whatever is before it: now in flight. False if it is
    /// in flight already or overdue.
    bool claim(Handle handle);
    /// Moves on what has fallen due; next() and next_overdue() do so by themselves.
    void advance(base::WallTime now);
    /// Puts an entry that is in flight back.
    void requeue(Handle handle, const Requeue& how, base::WallTime now);
    /// Forgets an entry in any state.
    void remove(Handle handle);

    /// No mail of this account goes next until then, or until release_account(). A message that
    /// comes back from a wait after an attempt for all its recipients ends the hold.
    void hold_account(std::uint32_t account, base::WallTime until);
    void release_account(std::uint32_t account);
    void release_all_accounts();
    [[nodiscard]] bool account_held(std::uint32_t account) const {
        return lanes_.account(account).held;
    }
    /// An account's share beside others of its priority; 1 unless set.
    void set_weight(std::string_view account, std::uint32_t weight);
    /// By weight among the priorities; nothing: in strict order, which is the default.
    void set_shares(WayIndex way, const std::optional<PriorityShares>& shares) {
        lanes_.set_shares(way, shares);
    }

    /// The earliest next_attempt of those that wait, deadline of those not in flight, and end of a
    /// hold.
    [[nodiscard]] std::optional<base::WallTime> next_due() const;
    [[nodiscard]] const QueueEntry& entry(Handle handle) const;
    /// Whether the handle names an entry of this message; it may have left, and another one come.
    [[nodiscard]] bool holds(Handle handle, base::MessageId id) const {
        const auto index = static_cast<Index>(handle);
        return index < nodes_.size() && nodes_[index].id == id &&
               nodes_[index].state != QueueState::gone;
    }
    /// Calls `look` with the handle and the entry of each message. O(n): a million takes
    /// milliseconds.
    template <class Look>
    void for_each(Look look) const {
        for (Index index = 0; index < nodes_.size(); ++index)
            if (nodes_[index].state != QueueState::gone) look(Handle{index}, entry(Handle{index}));
    }
    /// The same for the next `count` places from `first` on, so that a caller can let others go in
    /// between. Where to go on; nothing at the end. What is there all the while is met once.
    template <class Look>
    std::optional<Handle> for_some(Handle first, std::uint32_t count, Look look) const {
        auto index = static_cast<Index>(first);
        for (; count > 0 && index < nodes_.size(); --count, ++index)
            if (nodes_[index].state != QueueState::gone) look(Handle{index}, entry(Handle{index}));
        if (index >= nodes_.size()) return std::nullopt;
        return Handle{index};
    }
    [[nodiscard]] std::string_view account_name(std::uint32_t account) const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// One row for each way, priority and account that has messages.
    [[nodiscard]] std::vector<QueueCount> counts() const;

  private:
    using Index = LaneOrder::Index;
    using Lane = LaneOrder::Lane;
    using List = LaneOrder::Chain;
    static constexpr Index none = LaneOrder::none;

    struct Node : QueueEntry {
        Index next = none;
        Index previous = none;
        Index timer = none;  ///< position in timers_
    };
    static_assert(sizeof(Node) == 64);

    struct TimerPosition {
        Queue& queue;
        Index& operator()(Index index) const { return queue.nodes_[index].timer; }
    };
    struct HoldPosition {
        Queue& queue;
        Index& operator()(Index account) const { return queue.lanes_.account(account).timer; }
    };

    Index allocate();
    void release(Index index);
    Lane& lane_of(const Node& node);
    List& list_of(Lane& lane, const Node& node);
    void link(Index index);
    void unlink(Index index);
    void leave(Index index);
    void make_ready(Index index, QueueState state);
    void place(Index index, QueueState ready_state, base::WallTime now);
    void fall_due(Index index, base::WallTime now);

    ChunkedArray<Node> nodes_;
    Index free_ = none;
    std::size_t size_ = 0;
    TimerHeap<TimerPosition> timers_;
    TimerHeap<HoldPosition> holds_;  ///< accounts
    List overdue_;
    LaneOrder lanes_;
};

}  // namespace outpost::spool

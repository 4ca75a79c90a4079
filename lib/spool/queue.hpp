#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "spool/timer_heap.hpp"

/// Which stored message goes next to which upstream. Pure: no clock, no files, no threads; used on
/// one executor. About 85 octets a message. Every call is O(log n) or better; an entry that falls
/// due is moved once.
///
/// For each upstream: strict priority 1..5. Within a priority accounts share by recipients
/// (start-time fair queuing: the account that has had the least since it began to wait goes next,
/// so no account is ahead of another by more than one message of each). Within an account messages
/// go in order of arrival; those that come back from an attempt or a wait go before later arrivals.
namespace outpost::spool {

using UpstreamIndex = std::uint16_t;

/// A message that enters the queue.
struct QueueItem {
    base::MessageId id;
    std::string_view account;
    std::uint32_t recipients = 1;  ///< pending ones: what the message counts for in fairness
    std::uint64_t size = 0;        ///< octets of the stored message
    std::uint8_t priority = 3;
    std::uint8_t attempts = 0;
    base::WallTime next_attempt{};                    ///< not before
    base::WallTime deadline = base::WallTime::max();  ///< see Queue::next_overdue
};

/// How a message goes back after an attempt.
struct Requeue {
    base::WallTime next_attempt{};
    base::WallTime deadline = base::WallTime::max();
    std::uint32_t recipients = 1;
    std::uint8_t attempts = 0;
    bool setback = false;  ///< kept for the caller, see QueueEntry
};

enum class QueueState : std::uint8_t {
    fresh,      ///< ready, not tried since it was added
    returned,   ///< ready again after an attempt or a wait
    waiting,    ///< for next_attempt
    overdue,    ///< its deadline has passed and nobody has taken it yet
    in_flight,  ///< handed out by next() or next_overdue()
};

struct QueueEntry {
    base::MessageId id;
    base::WallTime next_attempt{};
    base::WallTime deadline{};
    std::uint64_t size = 0;
    std::uint32_t account = 0;  ///< see Queue::account_name
    std::uint32_t recipients = 0;
    UpstreamIndex upstream = 0;
    std::uint8_t priority = 0;
    std::uint8_t attempts = 0;
    QueueState state = QueueState::in_flight;
    /// The last attempt ended by the upstream's trouble in the midst of this message.
    bool setback = false;
};

/// How many messages one account has for one upstream in one priority.
struct QueueCount {
    UpstreamIndex upstream = 0;
    std::uint8_t priority = 0;
    std::string_view account;
    std::uint64_t ready = 0;
    std::uint64_t waiting = 0;
    std::uint64_t in_flight = 0;  ///< overdue ones included
};

class Queue {
  public:
    /// Names an entry from add() to remove(); the number is used again after that.
    enum class Handle : std::uint32_t {};

    explicit Queue(std::pmr::memory_resource* memory = std::pmr::get_default_resource());
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    Handle add(const QueueItem& item, UpstreamIndex upstream, base::WallTime now);
    /// The message that goes next to this upstream, now in flight; nothing if none is ready.
    std::optional<Handle> next(UpstreamIndex upstream, base::WallTime now);
    /// A message whose deadline has passed, whatever its upstream's state, now in flight: a delay
    /// notice or its expiry is due. Not found while in flight; requeue() arms the new deadline.
    std::optional<Handle> next_overdue(base::WallTime now);
    /// Moves on what has fallen due; next() and next_overdue() do so by themselves.
    void advance(base::WallTime now);
    /// Puts an entry that is in flight back.
    void requeue(Handle handle, const Requeue& how, base::WallTime now);
    /// Forgets an entry in any state.
    void remove(Handle handle);

    /// The earliest next_attempt of those that wait and deadline of those not in flight.
    [[nodiscard]] std::optional<base::WallTime> next_due() const;
    [[nodiscard]] const QueueEntry& entry(Handle handle) const;
    [[nodiscard]] std::string_view account_name(std::uint32_t account) const;
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// One row for each upstream, priority and account that has messages.
    [[nodiscard]] std::vector<QueueCount> counts() const;

  private:
    using Index = std::uint32_t;
    static constexpr Index none = ~Index{0};
    static constexpr std::size_t priorities = 5;

    struct Node : QueueEntry {
        Index next = none;
        Index previous = none;
        Index timer = none;  ///< position in timers_
    };
    static_assert(sizeof(Node) == 64);

    struct List {
        Index head = none;
        Index tail = none;
    };
    /// One account's messages for one upstream in one priority.
    struct Lane {
        Index account = 0;
        UpstreamIndex upstream = 0;
        std::uint8_t priority = 0;
        bool active = false;  ///< stands in its level's heap, perhaps emptied since
        List fresh;
        List returned;
        std::uint64_t start = 0;  ///< virtual time at which its next message starts
        std::uint64_t ready = 0;
        std::uint64_t waiting = 0;
        std::uint64_t in_flight = 0;
    };
    struct Turn {
        std::uint64_t start;
        std::uint64_t order;  ///< among equals the one that came first
        Index lane;
    };
    /// The lanes of one upstream and priority.
    struct Level {
        std::uint64_t virtual_time = 0;
        std::uint64_t order = 0;
        std::vector<Turn> turns;  ///< heap, the least first
        std::vector<Index> lane_by_account;
    };
    struct TimerPosition {
        Queue& queue;
        Index& operator()(Index index) const { return queue.nodes_[index].timer; }
    };

    Index intern(std::string_view account);
    Index allocate();
    void release(Index index);
    Lane& lane_of(const Node& node);
    Level& level_of(const Node& node);
    List& list_of(Lane& lane, const Node& node);
    void link(Index index);
    void unlink(Index index);
    void make_ready(Index index, QueueState state);
    void place(Index index, QueueState ready_state, base::WallTime now);
    std::optional<Handle> serve(Level& level);
    void activate(Level& level, Index lane);

    ChunkedArray<Node> nodes_;
    Index free_ = none;
    std::size_t size_ = 0;
    TimerHeap<TimerPosition> timers_;
    List overdue_;
    std::vector<std::array<Level, priorities>> upstreams_;
    std::deque<Lane> lanes_;
    std::deque<std::string> accounts_;
    std::unordered_map<std::string_view, Index> account_index_;  ///< keys live in accounts_
};

}  // namespace outpost::spool

#include "spool/queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory_resource>
#include <random>
#include <ranges>
#include <string>
#include <tuple>
#include <vector>

namespace outpost::spool {
namespace {

using namespace std::chrono_literals;
using base::MessageId;
using base::WallTime;

constexpr WallTime t0{std::chrono::milliseconds(1'800'000'000'000)};

QueueItem item(std::uint64_t id, std::string_view account = "shop", std::uint8_t priority = 3) {
    return {.id = MessageId{id}, .account = account, .priority = priority};
}

std::uint64_t take(Queue& queue, WayIndex upstream = 0, WallTime now = t0) {
    const auto handle = queue.next(upstream, now);
    return handle ? queue.entry(*handle).id.value : 0;
}

TEST(Queue, IsEmptyAtFirst) {
    Queue queue;
    EXPECT_FALSE(queue.next(0, t0));
    EXPECT_FALSE(queue.next_overdue(t0));
    EXPECT_FALSE(queue.next_due());
    EXPECT_EQ(queue.size(), 0U);
}

TEST(Queue, IsLookedAtInParts) {
    Queue queue;
    std::vector<Queue::Handle> handles;
    for (std::uint64_t id = 1; id <= 10; ++id) handles.push_back(queue.add(item(id), 0, t0));
    queue.remove(handles[1]);
    std::vector<std::uint64_t> seen;
    const auto look = [&](Queue::Handle handle, const QueueEntry& entry) {
        EXPECT_TRUE(queue.holds(handle, entry.id));
        seen.push_back(entry.id.value);
    };
    auto at = queue.for_some(Queue::Handle{}, 4, look);
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 3, 4}));
    queue.remove(handles[0]);
    queue.remove(handles[6]);
    ASSERT_TRUE(at);
    at = queue.for_some(*at, 4, look);
    ASSERT_TRUE(at);
    EXPECT_FALSE(queue.for_some(*at, 4, look));
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 3, 4, 5, 6, 8, 9, 10}));
    for (const auto handle : handles) queue.remove(handle);
    EXPECT_FALSE(queue.for_some(*at, 4, look)) << "emptied in between";
}

TEST(Queue, KeepsArrivalOrderWithinAnAccount) {
    Queue queue;
    for (std::uint64_t id = 1; id <= 100; ++id) queue.add(item(id), 0, t0);
    for (std::uint64_t id = 1; id <= 100; ++id) EXPECT_EQ(take(queue), id);
}

TEST(Queue, ServesAHigherPriorityFirstAlways) {
    Queue queue;
    for (std::uint64_t id = 1; id <= 50; ++id)
        queue.add(item(id, "shop", static_cast<std::uint8_t>(5 - id % 5)), 0, t0);
    std::uint8_t last = 1;
    for (int i = 0; i < 25; ++i) {
        const auto handle = queue.next(0, t0);
        ASSERT_TRUE(handle);
        EXPECT_GE(queue.entry(*handle).priority, last);
        last = queue.entry(*handle).priority;
    }
    queue.add(item(1000, "other", 1), 0, t0);
    EXPECT_EQ(take(queue), 1000U);
}

TEST(Queue, KeepsUpstreamsApart) {
    Queue queue;
    queue.add(item(1), 0, t0);
    queue.add(item(2), 7, t0);
    EXPECT_EQ(take(queue, 7), 2U);
    EXPECT_EQ(take(queue, 7), 0U);
    EXPECT_EQ(take(queue, 0), 1U);
}

TEST(Queue, ACampaignDoesNotDelayAnotherAccount) {
    Queue queue;
    for (std::uint64_t id = 1; id <= 100'000; ++id) queue.add(item(id, "campaign"), 0, t0);
    for (int i = 0; i < 5000; ++i) take(queue);
    queue.add(item(200'001, "receipts"), 0, t0);
    queue.add(item(200'002, "receipts"), 0, t0);
    std::vector<std::uint64_t> next;
    for (int i = 0; i < 4; ++i) next.push_back(take(queue));
    EXPECT_EQ(std::ranges::count(next, 200'001U), 1);
    EXPECT_EQ(std::ranges::count(next, 200'002U), 1);
}

TEST(Queue, SharesByRecipientsNotByMessages) {
    Queue queue;
    for (std::uint64_t id = 1; id <= 1000; ++id) {
        QueueItem lists = item(id, "lists");
        lists.recipients = 10;
        queue.add(lists, 0, t0);
        queue.add(item(10'000 + id, "single"), 0, t0);
    }
    std::map<std::string, std::int64_t> served;
    for (int i = 0; i < 1000; ++i) {
        const auto handle = queue.next(0, t0);
        const QueueEntry& entry = queue.entry(*handle);
        served[std::string(queue.account_name(entry.account))] += entry.recipients;
        EXPECT_LE(std::abs(served["lists"] - served["single"]), 11);
    }
}

TEST(Queue, AnIdleAccountSavesUpNoCredit) {
    Queue queue;
    for (std::uint64_t id = 1; id <= 1000; ++id) queue.add(item(id, "busy"), 0, t0);
    for (int i = 0; i < 500; ++i) take(queue);
    for (std::uint64_t id = 2001; id <= 2100; ++id) queue.add(item(id, "late"), 0, t0);
    int late = 0;
    for (int i = 0; i < 40; ++i) late += take(queue) > 2000 ? 1 : 0;
    EXPECT_NEAR(late, 20, 1);
}

TEST(Queue, EveryAccountGetsWithinOneMessageOfTheOthers) {
    Queue queue;
    std::mt19937 random(7);
    std::uint64_t id = 0;
    for (int number = 0; number < 8; ++number) {
        const std::string account = "account" + std::to_string(number);
        for (int i = 0; i < 400; ++i) {
            QueueItem one = item(++id, account);
            one.recipients = 1 + random() % 50;
            queue.add(one, 0, t0);
        }
    }
    std::map<std::uint32_t, std::int64_t> served;
    for (int i = 0; i < 1500; ++i) {
        const auto handle = queue.next(0, t0);
        served[queue.entry(*handle).account] += queue.entry(*handle).recipients;
        if (served.size() < 8) continue;
        const auto [least, most] = std::ranges::minmax(served | std::views::values);
        EXPECT_LE(most - least, 100);
    }
}

TEST(Queue, HoldsBackUntilItsTime) {
    Queue queue;
    QueueItem later = item(1);
    later.next_attempt = t0 + 10s;
    queue.add(later, 0, t0);
    EXPECT_EQ(queue.next_due(), t0 + 10s);
    EXPECT_EQ(take(queue, 0, t0 + 9999ms), 0U);
    EXPECT_EQ(take(queue, 0, t0 + 10s), 1U);
}

TEST(Queue, AReturnedMessageGoesBeforeLaterArrivals) {
    Queue queue;
    for (std::uint64_t id = 1; id <= 3; ++id) queue.add(item(id), 0, t0);
    const auto first = queue.next(0, t0);
    queue.requeue(*first, {.attempts = 1, .setback = true}, t0);
    const auto again = queue.next(0, t0);
    EXPECT_EQ(queue.entry(*again).id.value, 1U);
    EXPECT_EQ(queue.entry(*again).attempts, 1);
    EXPECT_TRUE(queue.entry(*again).setback);
    queue.requeue(*again, {.next_attempt = t0 + 1min}, t0);
    EXPECT_EQ(take(queue), 2U);
    EXPECT_EQ(take(queue, 0, t0 + 1min), 1U);
    EXPECT_EQ(take(queue, 0, t0 + 1min), 3U);
}

TEST(Queue, HandsOutAnOverdueMessageWhateverItsState) {
    Queue queue;
    QueueItem ready = item(1);
    ready.deadline = t0 + 1h;
    queue.add(ready, 0, t0);
    QueueItem waiting = item(2);
    waiting.deadline = t0 + 1h;
    waiting.next_attempt = t0 + 2h;
    queue.add(waiting, 0, t0);
    EXPECT_EQ(queue.next_due(), t0 + 1h);
    EXPECT_FALSE(queue.next_overdue(t0 + 59min));
    std::vector<std::uint64_t> overdue;
    while (const auto handle = queue.next_overdue(t0 + 1h)) {
        overdue.push_back(queue.entry(*handle).id.value);
        queue.requeue(*handle, {.next_attempt = queue.entry(*handle).next_attempt}, t0 + 1h);
    }
    std::ranges::sort(overdue);
    EXPECT_EQ(overdue, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(take(queue, 0, t0 + 1h), 1U);
    EXPECT_EQ(take(queue, 0, t0 + 1h), 0U);
    EXPECT_EQ(take(queue, 0, t0 + 2h), 2U);
}

TEST(Queue, LeavesAMessageInFlightAloneAtItsDeadline) {
    Queue queue;
    QueueItem one = item(1);
    one.deadline = t0 + 1h;
    queue.add(one, 0, t0);
    const auto handle = queue.next(0, t0);
    EXPECT_FALSE(queue.next_overdue(t0 + 2h));
    queue.requeue(*handle, {.next_attempt = t0 + 3h, .deadline = t0 + 1h}, t0 + 2h);
    EXPECT_TRUE(queue.next_overdue(t0 + 2h));
}

TEST(Queue, RemovesInEveryState) {
    Queue queue;
    QueueItem one = item(1);
    one.deadline = t0 + 1h;
    queue.remove(queue.add(one, 0, t0));  // fresh
    one.next_attempt = t0 + 1min;
    queue.remove(queue.add(one, 0, t0));  // waiting
    one.next_attempt = {};
    queue.add(one, 0, t0);
    queue.remove(*queue.next(0, t0));  // in flight
    queue.add(one, 0, t0);
    const auto handle = queue.next(0, t0);
    queue.requeue(*handle, {}, t0);
    queue.remove(*handle);  // returned
    const auto overdue = queue.add(one, 0, t0);
    queue.next(0, t0 + 2h);  // moves it to the overdue ones
    EXPECT_EQ(queue.entry(overdue).state, QueueState::overdue);
    queue.remove(overdue);
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_FALSE(queue.next_due());
    EXPECT_TRUE(queue.counts().empty());
    EXPECT_FALSE(queue.next(0, t0 + 3h));
}

TEST(Queue, CountsByUpstreamPriorityAndAccount) {
    Queue queue;
    queue.add(item(1, "a", 1), 0, t0);
    queue.add(item(2, "a", 1), 0, t0);
    QueueItem later = item(3, "a", 1);
    later.next_attempt = t0 + 1s;
    queue.add(later, 0, t0);
    queue.add(item(4, "b", 2), 1, t0);
    queue.next(0, t0);
    const auto rows = queue.counts();
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0].account, "a");
    EXPECT_EQ(std::tuple(rows[0].ready, rows[0].waiting, rows[0].in_flight), std::tuple(1, 1, 1));
    EXPECT_EQ(std::tuple(rows[1].way, rows[1].priority, rows[1].account), std::tuple(1, 2, "b"));
}

/// Counts the octets asked of the heap.
class CountingMemory final : public std::pmr::memory_resource {
  public:
    std::size_t held = 0;

  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        held += bytes + 16;  // malloc's own cost
        return std::pmr::new_delete_resource()->allocate(bytes, alignment);
    }
    void do_deallocate(void* p, std::size_t bytes, std::size_t alignment) override {
        held -= bytes + 16;
        std::pmr::new_delete_resource()->deallocate(p, bytes, alignment);
    }
    [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
        return this == &other;
    }
};

TEST(Queue, NeedsAtMostAHundredOctetsAMessage) {
    CountingMemory memory;
    Queue queue(&memory);
    const std::size_t before = memory.held;
    constexpr std::uint64_t messages = 100'000;
    for (std::uint64_t id = 1; id <= messages; ++id) {
        const std::string account = "account" + std::to_string(id % 10);
        QueueItem one = item(id, account);
        if (id % 2 == 0) one.next_attempt = t0 + std::chrono::seconds(id);
        queue.add(one, static_cast<WayIndex>(id % 3), t0);
    }
    EXPECT_LE((memory.held - before) / messages, 100U);
    while (const auto handle = queue.next(0, WallTime::max() - 1ms)) queue.remove(*handle);
    while (const auto handle = queue.next(1, WallTime::max() - 1ms)) queue.remove(*handle);
    while (const auto handle = queue.next(2, WallTime::max() - 1ms)) queue.remove(*handle);
    EXPECT_EQ(queue.size(), 0U);
    EXPECT_LE(memory.held - before, std::size_t{64} << 10) << "memory goes back when it is empty";
}

/// The queue's rules, written down as plainly as possible: everything is a scan.
class Oracle {
  public:
    struct Lane {
        std::uint64_t start = 0;
        std::uint64_t order = 0;
        bool backlogged = false;
        bool occupied = false;  ///< as of the last look()
    };
    struct Message {
        Lane* lane;
        std::uint64_t id;
        WayIndex upstream;
        int priority;
        std::uint32_t recipients;
        WallTime next_attempt;
        WallTime deadline;
        std::uint64_t order;  ///< of its entry to the list that it stands in
        QueueState state;
    };

    void add(const QueueItem& one, WayIndex upstream, WallTime now) {
        Lane& lane = lanes_[{upstream, one.priority, std::string(one.account)}];
        messages.push_back({&lane, one.id.value, upstream, one.priority, one.recipients,
                            one.next_attempt, one.deadline, 0, QueueState::in_flight});
        place(messages.back(), QueueState::fresh, now);
    }
    void place(Message& message, QueueState ready, WallTime now) {
        message.order = ++order_;
        message.state = message.next_attempt <= now ? ready : QueueState::waiting;
        if (message.state != QueueState::waiting) enter(message);
    }
    std::uint64_t next(WayIndex upstream, WallTime now) {
        promote(now);
        Message* best = nullptr;
        for (Message& message : messages)
            if (message.upstream == upstream && ready(message) &&
                (best == nullptr || before(message, *best)))
                best = &message;
        forget_turns_before(upstream, best);
        if (best == nullptr) return 0;
        best->state = QueueState::in_flight;
        Lane& lane = *best->lane;
        virtual_time_[{best->upstream, best->priority}] = lane.start;
        lane.start += best->recipients;
        lane.order = ++order_;
        look();
        lane.backlogged = lane.occupied;
        return best->id;
    }
    std::uint64_t next_overdue(WallTime now) {
        promote(now);
        Message* best = nullptr;
        for (Message& message : messages)
            if (message.state == QueueState::overdue &&
                (best == nullptr || message.order < best->order))
                best = &message;
        if (best == nullptr) return 0;
        best->state = QueueState::in_flight;
        return best->id;
    }
    void remove(std::uint64_t id) {
        std::erase_if(messages, [id](const Message& message) { return message.id == id; });
    }
    Message& find(std::uint64_t id) { return *std::ranges::find(messages, id, &Message::id); }

    std::vector<Message> messages;

  private:
    static bool ready(const Message& message) {
        return message.state == QueueState::fresh || message.state == QueueState::returned;
    }
    /// Sees which lanes have messages that are ready.
    void look() {
        for (auto& [key, lane] : lanes_) lane.occupied = false;
        for (const Message& message : messages)
            if (ready(message)) message.lane->occupied = true;
    }
    /// A lane whose messages went another way keeps its turn until that comes up.
    void forget_turns_before(WayIndex upstream, const Message* best) {
        look();
        for (auto& [key, lane] : lanes_) {
            if (std::get<0>(key) != upstream || lane.occupied) continue;
            const int priority = std::get<1>(key);
            if (best == nullptr || priority < best->priority) lane.backlogged = false;
            if (best == nullptr || priority != best->priority) continue;
            const Lane& served = *best->lane;
            if (std::tuple(lane.start, lane.order) < std::tuple(served.start, served.order))
                lane.backlogged = false;
        }
    }
    void enter(Message& message) {
        Lane& lane = *message.lane;
        if (lane.backlogged) return;
        lane.backlogged = true;
        lane.order = ++order_;
        lane.start = std::max(lane.start, virtual_time_[{message.upstream, message.priority}]);
    }
    /// Times are made so that no two timers are equal: their order is the promotion's order.
    void promote(WallTime now) {
        for (;;) {
            Message* due = nullptr;
            const auto when = [](const Message& message) {
                return message.state == QueueState::waiting
                           ? std::min(message.next_attempt, message.deadline)
                           : message.deadline;
            };
            for (Message& message : messages) {
                if (message.state == QueueState::in_flight || message.state == QueueState::overdue)
                    continue;
                if (when(message) <= now && (due == nullptr || when(message) < when(*due)))
                    due = &message;
            }
            if (due == nullptr) return;
            due->order = ++order_;
            if (due->deadline <= now) {
                due->state = QueueState::overdue;
            } else {
                due->state = QueueState::returned;
                enter(*due);
            }
        }
    }
    bool before(const Message& a, const Message& b) {
        if (a.priority != b.priority) return a.priority < b.priority;
        const Lane& lane_a = *a.lane;
        const Lane& lane_b = *b.lane;
        if (&lane_a != &lane_b)
            return std::tuple(lane_a.start, lane_a.order) < std::tuple(lane_b.start, lane_b.order);
        if (a.state == b.state) return a.order < b.order;
        // Two lists of one account: their heads are compared by age.
        const auto head = [&](const Message& of) {
            const Message* least = &of;
            for (const Message& other : messages)
                if (other.state == of.state && other.lane == of.lane && other.order < least->order)
                    least = &other;
            return least->id;
        };
        return head(a) < head(b);
    }

    std::uint64_t order_ = 0;
    std::map<std::tuple<int, int, std::string>, Lane> lanes_;
    std::map<std::pair<int, int>, std::uint64_t> virtual_time_;
};

class RandomOperations {
  public:
    void run(int operations) {
        for (int i = 0; i < operations && !::testing::Test::HasFailure(); ++i) step();
    }

  private:
    void step() {
        now_ += std::chrono::milliseconds(random_() % 8);
        const auto choice = random_() % 100;
        if (choice < 32) {
            if (oracle_.messages.size() < 24) add();
        } else if (choice < 66) {
            next();
        } else if (choice < 70) {
            overdue();
        } else if (choice < 97) {
            settle();
        } else {
            remove_any();
        }
        ASSERT_EQ(queue_.size(), oracle_.messages.size());
    }
    WallTime unique(WallTime time) {
        while (!used_.insert({time, true}).second) time += 1ms;
        if (used_.size() > 4000) used_.erase(used_.begin(), used_.lower_bound(now_));
        return time;
    }
    WallTime not_before() {
        return random_() % 3 != 0 ? WallTime{} : unique(now_ + milliseconds(1 + random_() % 400));
    }
    WallTime deadline() { return unique(now_ + milliseconds(200 + random_() % 2000)); }
    void add() {
        const std::string account = "account" + std::to_string(random_() % 4);
        QueueItem one = item(++last_id_, account, static_cast<std::uint8_t>(1 + random_() % 5));
        one.recipients = 1 + static_cast<std::uint32_t>(random_() % 5);
        one.next_attempt = not_before();
        one.deadline = deadline();
        const auto upstream = static_cast<WayIndex>(random_() % 2);
        handles_[last_id_] = queue_.add(one, upstream, now_);
        oracle_.add(one, upstream, now_);
    }
    void next() {
        const auto upstream = static_cast<WayIndex>(random_() % 2);
        const auto handle = queue_.next(upstream, now_);
        taken(handle, oracle_.next(upstream, now_));
    }
    void overdue() {
        const auto handle = queue_.next_overdue(now_);
        taken(handle, oracle_.next_overdue(now_));
    }
    void taken(std::optional<Queue::Handle> handle, std::uint64_t expected) {
        ASSERT_EQ(handle ? queue_.entry(*handle).id.value : 0, expected);
        if (expected != 0) in_flight_.push_back(expected);
    }
    void settle() {
        if (in_flight_.empty()) return;
        std::swap(in_flight_[random_() % in_flight_.size()], in_flight_.back());
        const std::uint64_t id = in_flight_.back();
        in_flight_.pop_back();
        if (random_() % 2 == 0) {
            remove(id);
            return;
        }
        Oracle::Message& message = oracle_.find(id);
        message.next_attempt = not_before();
        message.deadline = deadline();
        message.recipients = 1 + static_cast<std::uint32_t>(random_() % 5);
        queue_.requeue(handles_[id],
                       {.next_attempt = message.next_attempt,
                        .deadline = message.deadline,
                        .recipients = message.recipients},
                       now_);
        oracle_.place(message, QueueState::returned, now_);
    }
    void remove_any() {
        if (oracle_.messages.empty()) return;
        const Oracle::Message& message = oracle_.messages[random_() % oracle_.messages.size()];
        std::erase(in_flight_, message.id);
        remove(message.id);
    }
    void remove(std::uint64_t id) {
        queue_.remove(handles_[id]);
        handles_.erase(id);
        oracle_.remove(id);
    }

    using milliseconds = std::chrono::milliseconds;
    Queue queue_;
    Oracle oracle_;
    std::mt19937_64 random_{20260101};
    WallTime now_ = t0;
    std::uint64_t last_id_ = 0;
    std::map<std::uint64_t, Queue::Handle> handles_;
    std::map<WallTime, bool> used_;
    std::vector<std::uint64_t> in_flight_;
};

TEST(Queue, AgreesWithItsRulesOverAMillionRandomOperations) {
    RandomOperations().run(1'000'000);
}

}  // namespace
}  // namespace outpost::spool

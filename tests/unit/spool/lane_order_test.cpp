#include "spool/lane_order.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>
#include <string>

#include "spool/queue.hpp"

namespace outpost::spool {
namespace {

using namespace std::chrono_literals;
using base::MessageId;
using base::WallTime;

constexpr WallTime t0{std::chrono::milliseconds(1'800'000'000'000)};

QueueItem item(std::uint64_t id, std::string_view account = "shop", std::uint8_t priority = 3) {
    return {.id = MessageId{id}, .account = account, .priority = priority};
}

std::uint64_t take(Queue& queue, WallTime now = t0, WayIndex upstream = 0) {
    const auto handle = queue.next(upstream, now);
    return handle ? queue.entry(*handle).id.value : 0;
}

std::uint32_t account_of(const Queue& queue, Queue::Handle handle) {
    return queue.entry(handle).account;
}

TEST(QueueHolds, PassesOverTheMailOfAHeldAccountEverywhere) {
    Queue queue;
    const auto first = queue.add(item(1, "bulk", 1), 0, t0);
    queue.add(item(2, "bulk"), 4, t0);
    queue.add(item(3, "shop"), 0, t0);
    queue.hold_account(account_of(queue, first), WallTime::max());
    EXPECT_EQ(take(queue), 3U);
    EXPECT_EQ(take(queue), 0U);
    EXPECT_EQ(take(queue, t0, 4), 0U);
    EXPECT_EQ(queue.next_due(), WallTime::max());  // no timer
    queue.add(item(4, "bulk"), 0, t0);             // arrives meanwhile
    EXPECT_EQ(take(queue), 0U);
    queue.release_account(account_of(queue, first));
    EXPECT_EQ(take(queue), 1U);
    EXPECT_EQ(take(queue), 4U);
    EXPECT_EQ(take(queue, t0, 4), 2U);
}

TEST(QueueHolds, AHoldEndsAtItsTime) {
    Queue queue;
    const auto first = queue.add(item(1, "bulk"), 0, t0);
    queue.hold_account(account_of(queue, first), t0 + 5s);
    EXPECT_EQ(queue.next_due(), t0 + 5s);
    EXPECT_EQ(take(queue, t0 + 4999ms), 0U);
    EXPECT_TRUE(queue.account_held(account_of(queue, first)));
    EXPECT_EQ(take(queue, t0 + 5s), 1U);
    EXPECT_FALSE(queue.account_held(account_of(queue, first)));
}

TEST(QueueHolds, ALaterHoldReplacesTheEarlierOne) {
    Queue queue;
    const auto first = queue.add(item(1, "bulk"), 0, t0);
    queue.hold_account(account_of(queue, first), t0 + 5s);
    queue.hold_account(account_of(queue, first), t0 + 9s);
    EXPECT_EQ(take(queue, t0 + 5s), 0U);
    queue.hold_account(account_of(queue, first), WallTime::max());
    EXPECT_EQ(take(queue, t0 + 9s), 0U);
    queue.hold_account(account_of(queue, first), t0 + 10s);
    EXPECT_EQ(take(queue, t0 + 10s), 1U);
}

TEST(QueueHolds, AHeldAccountSavesUpNoCredit) {
    Queue queue;
    Queue::Handle held{};
    for (std::uint64_t id = 1; id <= 100; ++id) held = queue.add(item(id, "held"), 0, t0);
    for (std::uint64_t id = 1001; id <= 1100; ++id) queue.add(item(id, "other"), 0, t0);
    queue.hold_account(account_of(queue, held), WallTime::max());
    for (int i = 0; i < 50; ++i) EXPECT_GT(take(queue), 1000U);
    queue.release_account(account_of(queue, held));
    int from_held = 0;
    for (int i = 0; i < 20; ++i) from_held += take(queue) <= 1000 ? 1 : 0;
    EXPECT_NEAR(from_held, 10, 1);
}

TEST(QueueHolds, AnOverdueMessageOfAHeldAccountIsStillFound) {
    Queue queue;
    QueueItem one = item(1, "held");
    one.deadline = t0 + 1h;
    const auto handle = queue.add(one, 0, t0);
    queue.hold_account(account_of(queue, handle), WallTime::max());
    EXPECT_EQ(queue.next_due(), t0 + 1h);
    EXPECT_TRUE(queue.next_overdue(t0 + 1h));
}

TEST(QueueFront, NamesTheNextMessageAndLeavesItThere) {
    Queue queue;
    queue.add(item(1), 0, t0);
    const auto front = queue.front(0, t0);
    ASSERT_TRUE(front);
    EXPECT_EQ(queue.front(0, t0), front);
    EXPECT_EQ(queue.counts().front().ready, 1U);
    queue.take(*front, 1);
    EXPECT_EQ(queue.counts().front().in_flight, 1U);
    EXPECT_FALSE(queue.front(0, t0));
}

TEST(QueueFront, LooksAtThePrioritiesAskedForAlone) {
    Queue queue;
    queue.add(item(1, "shop", 2), 0, t0);
    EXPECT_FALSE(queue.front(0, t0, 1));
    EXPECT_TRUE(queue.front(0, t0, 2));
}

TEST(QueueFront, AMessageTakenInPartIsChargedForThatPart) {
    Queue queue;
    QueueItem large = item(1, "lists");
    large.recipients = 50;
    const auto handle = queue.add(large, 0, t0);
    for (std::uint64_t id = 2; id <= 100; ++id) queue.add(item(id, "single"), 0, t0);
    std::map<bool, int> served;  // recipients, by whether of lists
    for (int i = 0; i < 40; ++i) {
        const auto front = queue.front(0, t0);
        const bool lists = front == handle;
        queue.take(*front, lists ? 2 : 1);
        served[lists] += lists ? 2 : 1;
        if (lists) queue.requeue(*front, {.recipients = 48}, t0);
    }
    EXPECT_NEAR(served[true], served[false], 3);
}

/// Serves `rounds` recipients of two backlogged accounts of these weights.
std::array<int, 2> serve_weighted(std::uint32_t first, std::uint32_t second, int rounds) {
    Queue queue;
    queue.set_weight("first", first);
    queue.set_weight("second", second);
    for (std::uint64_t id = 1; id <= 2000; ++id)
        queue.add(item(id, id % 2 == 0 ? "first" : "second"), 0, t0);
    std::array<int, 2> served{};
    for (int i = 0; i < rounds; ++i) ++served[take(queue) % 2];
    return served;
}

TEST(QueueWeights, AccountsShareByWeight) {
    const auto served = serve_weighted(3, 1, 400);
    EXPECT_NEAR(served[0], 300, 2);
    EXPECT_NEAR(served[1], 100, 2);
    const auto other = serve_weighted(7, 1000, 1007);
    EXPECT_NEAR(other[0], 7, 2);
}

TEST(QueueShares, PrioritiesShareByWeightAndNoneStarves) {
    Queue queue;
    queue.set_shares(0, PriorityShares{8, 4, 2, 1, 1});
    std::uint64_t id = 0;
    for (int i = 0; i < 1000; ++i)
        for (std::uint8_t priority = 1; priority <= 5; ++priority)
            queue.add(item(++id, "shop", priority), 0, t0);
    std::array<int, 6> served{};
    for (int i = 0; i < 1600; ++i) ++served[queue.entry(*queue.next(0, t0)).priority];
    EXPECT_NEAR(served[1], 800, 3);
    EXPECT_NEAR(served[2], 400, 3);
    EXPECT_NEAR(served[3], 200, 3);
    EXPECT_NEAR(served[4], 100, 3);
    EXPECT_NEAR(served[5], 100, 3);
}

TEST(QueueShares, APriorityWithoutMailLeavesItsShareAndSavesUpNone) {
    Queue queue;
    queue.set_shares(0, PriorityShares{10, 1, 1, 1, 1});
    for (std::uint64_t id = 1; id <= 1000; ++id) queue.add(item(id, "shop", 5), 0, t0);
    for (int i = 0; i < 500; ++i) EXPECT_NE(take(queue), 0U);
    for (std::uint64_t id = 2001; id <= 2100; ++id) queue.add(item(id, "shop", 4), 0, t0);
    int fourth = 0;
    for (int i = 0; i < 100; ++i) fourth += take(queue) > 2000 ? 1 : 0;
    EXPECT_NEAR(fourth, 50, 2);
}

TEST(QueueShares, CountRecipients) {
    Queue queue;
    queue.set_shares(0, PriorityShares{1, 1, 1, 1, 1});
    for (std::uint64_t id = 1; id <= 1000; ++id) {
        QueueItem large = item(id, "lists", 2);
        large.recipients = 10;
        queue.add(large, 0, t0);
        queue.add(item(10'000 + id, "single", 3), 0, t0);
    }
    std::array<int, 6> served{};
    for (int i = 0; i < 550; ++i) {
        const QueueEntry& entry = queue.entry(*queue.next(0, t0));
        served[entry.priority] += static_cast<int>(entry.recipients);
    }
    EXPECT_NEAR(served[2], served[3], 10);
}

/// Against a plain model: what is served is always ready, not held, and within its chain in order.
TEST(QueueHolds, RandomHoldsLoseNothing) {
    Queue queue;
    std::mt19937 random(11);
    std::array<Queue::Handle, 10> some{};
    std::uint64_t id = 0;
    std::size_t added = 0;
    std::size_t served = 0;
    WallTime now = t0;
    for (int step = 0; step < 20'000; ++step) {
        const auto which = random() % some.size();
        const std::string account = "account" + std::to_string(which);
        switch (random() % 4) {
            case 0:
            case 1:
                some[which] = queue.add(item(++id, account, 1 + random() % 5), 0, now);
                ++added;
                break;
            case 2:
                if (added > 100) queue.hold_account(random() % 5, now + 1ms * (random() % 50));
                break;
            default:
                if (const auto next = queue.next(0, now)) {
                    EXPECT_FALSE(queue.account_held(account_of(queue, *next)));
                    queue.remove(*next);
                    ++served;
                }
        }
        now += 1ms;
    }
    while (const auto next = queue.next(0, now + 1h)) {
        queue.remove(*next);
        ++served;
    }
    EXPECT_EQ(served, added);
    EXPECT_EQ(queue.size(), 0U);
}

}  // namespace
}  // namespace outpost::spool

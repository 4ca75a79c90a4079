#include "limit/limiter.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "limit/memory_store.hpp"
#include "limit/test_time.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using For = Wait::For;

Limits hourly_quota(std::uint64_t count) {
    Limits limits;
    limits.quota.hourly = count;
    return limits;
}

struct Told {
    std::vector<std::string> lines;
    Limiter::Events events() {
        return {
            .warning =
                [this](const std::string& key, const Warning& warning) {
                    lines.push_back(key + " " + std::to_string(warning.percent));
                },
            .trouble = [this](const std::string& error) { lines.push_back("store " + error); },
            .unreadable = [this](const std::string& key,
                                 const std::string& why) { lines.push_back(key + ": " + why); }};
    }
};

/// Runs the store in a thread of its own, as a real one does.
class StoreThread {
  public:
    explicit StoreThread(MemoryStore& store)
        : thread_([this, &store] {
              while (!stop_) {
                  if (store.run() == 0) std::this_thread::yield();
              }
          }) {}
    ~StoreThread() {
        stop_ = true;
        thread_.join();
    }

  private:
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

class LimiterTest : public testing::Test {
  protected:
    /// All of `recipients`, one after the other, as far as they may go.
    std::uint32_t send(Limiter& limiter, Limiter::Id id, std::uint32_t recipients) {
        std::uint32_t sent = 0;
        while (sent < recipients) {
            if (limiter.take(id, {}).recipients == 0) {
                if (store.run() == 0) break;
                continue;
            }
            limiter.settle(id, {1, 1, 0}, {1, 1, 0});
            ++sent;
        }
        return sent;
    }

    FakeClock clock;
    MemoryStore store;
    Told told;
};

TEST_F(LimiterTest, NamesAllItsCounters) {
    Limiter limiter(store, clock, {});
    const auto one = limiter.define("upstream/a", hourly_quota(1));
    const auto two = limiter.define("account/b/quota", hourly_quota(1));
    EXPECT_EQ(limiter.define("upstream/a", hourly_quota(2)), one);
    EXPECT_EQ(limiter.all(), (std::vector{one, two}));
    EXPECT_EQ(limiter.key(two), "account/b/quota");
}

TEST_F(LimiterTest, KeepsCountersApart) {
    Limiter limiter(store, clock, {});
    const auto a = limiter.define("a", hourly_quota(3));
    const auto b = limiter.define("b", hourly_quota(5));
    const auto free = limiter.define("free", {});
    EXPECT_EQ(send(limiter, a, 10), 3U);
    EXPECT_EQ(send(limiter, b, 10), 5U);
    EXPECT_EQ(send(limiter, free, 100), 100U);
    EXPECT_EQ(limiter.key(b), "b");
    EXPECT_EQ(limiter.limits(b), hourly_quota(5));
    EXPECT_EQ(limiter.levels(a)[0].used, 3U);
    EXPECT_TRUE(limiter.levels(free).empty());
    EXPECT_EQ(limiter.describe(a, limiter.take(a, {}).wait), "quota hourly 3");
}

TEST_F(LimiterTest, DefiningAgainChangesTheLimitsAndKeepsWhatWasUsed) {
    Limiter limiter(store, clock, {});
    const auto a = limiter.define("a", hourly_quota(3));
    EXPECT_EQ(send(limiter, a, 10), 3U);
    EXPECT_EQ(limiter.define("a", hourly_quota(4)), a);
    EXPECT_EQ(send(limiter, a, 10), 1U);
}

TEST_F(LimiterTest, AWaiterIsCalledWhenTheStoreHasAnswered) {
    Limiter limiter(store, clock, {});
    const auto a = limiter.define("a", hourly_quota(3));
    EXPECT_EQ(limiter.take(a, {}).wait.what, For::lease);
    std::uint32_t got = 0;
    int called = 0;
    limiter.when_leased(a, [&] {
        ++called;
        got = limiter.take(a, {}).recipients;
    });
    EXPECT_EQ(called, 0);
    store.run();
    EXPECT_EQ(called, 1);
    EXPECT_EQ(got, 1U);
    while (store.run() > 0) {
    }
    EXPECT_EQ(called, 1);
    limiter.when_leased(a, [&] { ++called; });
    EXPECT_EQ(called, 2) << "nothing is under way: at once";
}

TEST_F(LimiterTest, TellsOfTroubleAndOfItsEndOnce) {
    Limiter limiter(store, clock, told.events());
    store.fail("disk full");
    const auto a = limiter.define("a", hourly_quota(100));
    const auto b = limiter.define("b", hourly_quota(100));
    store.run();
    EXPECT_EQ(told.lines, (std::vector<std::string>{"store disk full"}));
    const Wait wait = limiter.take(a, {}).wait;
    EXPECT_EQ(wait.what, For::lease);
    EXPECT_EQ(wait.until, clock.wall() + 1s);
    store.fail("");
    EXPECT_EQ(send(limiter, a, 1), 0U) << "too early";
    clock.advance(1s);
    EXPECT_EQ(send(limiter, a, 1), 1U);
    EXPECT_EQ(send(limiter, b, 1), 1U);
    EXPECT_EQ(told.lines, (std::vector<std::string>{"store disk full", "store "}));
}

TEST_F(LimiterTest, WarnsAndReportsWhatCannotBeRead) {
    LeaseRequest damaged;
    damaged.key = "a";
    damaged.state = "xxxxxxxxxxxxxxxxxxxx";
    store.lease(damaged, [](const LeaseAnswer&) {});
    store.run();
    Limiter limiter(store, clock, told.events());
    const auto a = limiter.define("a", hourly_quota(5));
    ASSERT_EQ(told.lines.size(), 1U);
    EXPECT_TRUE(told.lines[0].starts_with("a: the kept state of a cannot be read"));
    EXPECT_EQ(send(limiter, a, 5), 5U);
    EXPECT_EQ(told.lines[1], "a 80");
    EXPECT_EQ(told.lines[2], "a 100");
}

TEST_F(LimiterTest, AnOrderlyEndKeepsTheExactState) {
    {
        Limiter limiter(store, clock, {});
        const auto a = limiter.define("a", hourly_quota(1000));
        limiter.define("free", {});
        EXPECT_EQ(send(limiter, a, 123), 123U);
        const StoreThread thread(store);
        limiter.close();
        EXPECT_EQ(limiter.take(a, {}).recipients, 0U);
        limiter.close();
    }
    EXPECT_FALSE(store.restore("free"));
    Limiter limiter(store, clock, {});
    EXPECT_EQ(limiter.levels(limiter.define("a", hourly_quota(1000)))[0].used, 123U);
}

TEST_F(LimiterTest, AnswersAfterItsEndDoNoHarm) {
    bool called = false;
    {
        Limiter limiter(store, clock, told.events());
        const auto a = limiter.define("a", hourly_quota(3));
        limiter.when_leased(a, [&] { called = true; });
    }
    store.fail("disk full");
    EXPECT_EQ(store.run(), 1U);
    EXPECT_FALSE(called);
    EXPECT_TRUE(told.lines.empty());
}

TEST_F(LimiterTest, FiftyThreadsAtTheEdgeOfAQuotaGetExactlyTheQuota) {
    constexpr std::uint64_t quota = 2000;
    const StoreThread thread(store);
    Limiter limiter(store, clock, {});
    const auto id = limiter.define("a", hourly_quota(quota));
    std::atomic<std::uint64_t> granted{0};
    const auto work = [&](std::uint32_t most) {
        for (;;) {
            const Answer answer = limiter.take(id, {.recipients = most, .divisible = true});
            if (answer.recipients > 0) {
                granted += answer.recipients;
                limiter.settle(id, {answer.recipients, 1, 0}, {answer.recipients, 1, 0});
            } else if (answer.wait.what == For::lease) {
                std::promise<void> ready;
                limiter.when_leased(id, [&] { ready.set_value(); });
                ready.get_future().wait();
            } else {
                EXPECT_EQ(answer.wait.what, For::quota);
                return;
            }
        }
    };
    std::vector<std::jthread> threads;
    for (std::uint32_t i = 0; i < 50; ++i) threads.emplace_back(work, 1 + i % 3);
    threads.clear();
    EXPECT_EQ(granted, quota);
    EXPECT_EQ(limiter.levels(id)[0].used, quota);
}

TEST_F(LimiterTest, WhatFiftyThreadsGiveBackIsNeitherLostNorDoubled) {
    constexpr std::uint64_t quota = 300;
    const StoreThread thread(store);
    Limiter limiter(store, clock, {});
    const auto id = limiter.define("a", hourly_quota(quota));
    std::atomic<std::uint64_t> in_flight{0};
    std::atomic<std::uint64_t> used{0};
    std::atomic<bool> over{false};
    const auto work = [&] {
        for (int i = 0; i < 200; ++i) {
            if (limiter.take(id, {}).recipients == 0) {
                std::this_thread::yield();
                continue;
            }
            if (++in_flight + used > quota) over = true;
            const std::uint64_t gone = i % 8 == 0 ? 1 : 0;
            used += gone;
            --in_flight;
            limiter.settle(id, {1, 1, 0}, {gone, gone, 0});
        }
    };
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 50; ++i) threads.emplace_back(work);
    }
    EXPECT_FALSE(over);
    EXPECT_EQ(limiter.levels(id)[0].used, used);
}

}  // namespace
}  // namespace outpost::limit

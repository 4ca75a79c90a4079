#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "store/redis_lease_store.hpp"

namespace outpost::store {

/// A real redis-server on a free port of 127.0.0.1 that keeps nothing on disk.
class RedisServer {
  public:
    explicit RedisServer(std::string password = {});
    ~RedisServer();
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;
    /// On the port of before; returns once it answers.
    void start();
    void kill();
    /// Hangs without closing anything, as a machine that is too busy.
    void pause() const;
    void resume() const;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

  private:
    std::string password_;
    std::filesystem::path directory_;
    std::uint16_t port_ = 0;
    pid_t pid_ = -1;
};

/// Between a node and Redis.
class Proxy {
  public:
    explicit Proxy(std::uint16_t to);
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// Closes what is open and takes no more connections through.
    void cut() { cut_ = true; }
    void mend() { cut_ = false; }
    /// Every n-th answer is lost, and its connection with it; 0: none.
    void lose_answers(unsigned every) { every_ = every; }
    [[nodiscard]] unsigned lost() const { return lost_; }

  private:
    void run();
    struct Pair;
    [[nodiscard]] bool forward(Pair& pair, bool answers);

    std::uint16_t to_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    std::atomic<bool> cut_{false};
    std::atomic<unsigned> every_{0};
    std::atomic<unsigned> answers_{0};
    std::atomic<unsigned> lost_{0};
    std::atomic<bool> ending_{false};
    std::thread thread_;
};

struct NodeOptions : RedisOptions {
    std::filesystem::path memory;
};

/// All permits that were used by anybody, with their times.
class Observer {
  public:
    void saw(std::uint64_t count) {
        const std::lock_guard lock(mutex_);
        seen_.push_back({std::chrono::steady_clock::now(), count});
    }
    /// The fullest window of this length, wherever it begins.
    [[nodiscard]] std::uint64_t worst(std::chrono::milliseconds period) const;
    [[nodiscard]] std::uint64_t total() const;
    /// Until so many were used in all, or fails the test after a minute.
    void wait_for(std::uint64_t total) const;

  private:
    struct Seen {
        std::chrono::steady_clock::time_point at;
        std::uint64_t count;
    };
    mutable std::mutex mutex_;
    std::vector<Seen> seen_;
};

/// A node whose counter uses every permit as soon as it has it, so that only the store holds it.
class Eater {
  public:
    Eater(NodeOptions options, limit::Limits limits, std::uint64_t block, Observer& observer);
    ~Eater() { stop(); }
    Eater(const Eater&) = delete;
    Eater& operator=(const Eater&) = delete;
    /// Ends in order, what is in hand goes back.
    void stop();
    /// As kill -9.
    void kill();
    [[nodiscard]] std::uint64_t used() const { return used_; }
    [[nodiscard]] bool away() const { return away_; }
    [[nodiscard]] std::vector<std::string> words() const;
    /// Waits until the node has used so many more, or fails the test after a minute.
    void wait_for_more(std::uint64_t more) const;
    void wait_for_away(bool away) const;
    /// Until it has told the operator something with this in it.
    void wait_for_words(const std::string& part) const;

  private:
    void run(const std::string& key, std::uint64_t block);
    limit::LeaseAnswer ask(const std::string& key, std::uint64_t want);

    base::SystemClock clock_;
    limit::Limits limits_;
    Observer& observer_;
    std::atomic<std::uint64_t> used_{0};
    std::atomic<bool> away_{false};
    mutable std::mutex mutex_;
    std::vector<std::string> words_;
    std::atomic<bool> ending_{false};
    std::atomic<bool> killed_{false};
    std::unique_ptr<RedisLeaseStore> store_;
    std::thread thread_;
};

/// A node whose counter does what the test says, one request after the other.
class Hand {
  public:
    Hand(NodeOptions options, limit::Limits limits);
    /// Asks for so many and uses what it gets; how many that were.
    std::uint64_t take(std::uint64_t want);
    /// As take(), until there is something or the test fails after a minute.
    std::uint64_t take_some(std::uint64_t want);
    /// As take(), again and again: more than any node could get, were it not for the limit.
    std::uint64_t take_all(std::uint64_t want);
    /// Asks for so many and keeps them in hand; how many it has there now.
    std::uint64_t hold(std::uint64_t want);
    void kill() { store_->drop(); }
    [[nodiscard]] std::uint64_t used() const { return used_; }
    [[nodiscard]] const limit::LeaseAnswer& answer() const { return answer_; }
    void wait_for_away(bool away) const;

  private:
    void ask(std::uint64_t want);

    base::SystemClock clock_;
    limit::Limits limits_;
    std::atomic<bool> away_{false};
    std::uint64_t used_ = 0;
    limit::LeaseAnswer answer_;
    std::unique_ptr<RedisLeaseStore> store_;
};

struct RedisTest : testing::Test {
    RedisTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "outpost-XXXXXX").string();
        directory = mkdtemp(pattern.data());
    }
    ~RedisTest() override { std::filesystem::remove_all(directory); }
    /// Of a node by this name, quicker than in real life.
    [[nodiscard]] NodeOptions options(const std::string& node, double share,
                                      std::uint16_t port) const;

    std::filesystem::path directory;
    Observer observer;
};

}  // namespace outpost::store

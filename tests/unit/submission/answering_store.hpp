#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "limit/memory_store.hpp"

namespace outpost::test {

/// A lease store in memory that answers from a thread of its own, at once or when it may.
class AnsweringStore final : public limit::LeaseStore {
  public:
    AnsweringStore() : thread_([this] { answer(); }) {}
    ~AnsweringStore() override {
        set(ended_, true);
        thread_.join();
    }

    std::optional<std::string> restore(const std::string& key) override {
        return memory_.restore(key);
    }
    void lease(limit::LeaseRequest request,
               std::function<void(const limit::LeaseAnswer&)> done) override {
        memory_.lease(std::move(request), std::move(done));
        set(asked_, true);
    }

    /// While set, requests wait.
    void hold(bool on) { set(held_, on); }
    void fail(std::string error) { memory_.fail(std::move(error)); }

  private:
    void set(bool& flag, bool value) {
        const std::lock_guard lock(mutex_);
        flag = value;
        changed_.notify_all();
    }
    void answer() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return ended_ || (asked_ && !held_); });
            if (ended_) return;
            asked_ = false;
            lock.unlock();
            memory_.run();
            lock.lock();
        }
    }

    limit::MemoryStore memory_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool asked_ = false;
    bool held_ = false;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace outpost::test

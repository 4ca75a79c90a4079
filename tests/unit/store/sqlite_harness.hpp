#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "store/sqlite_lease_store.hpp"

namespace outpost::store {

/// A directory of its own for each test.
struct SqliteTest : testing::Test {
    SqliteTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "outpost-XXXXXX").string();
        directory = mkdtemp(pattern.data());
        file = directory / "outpost.db";
    }
    ~SqliteTest() override { std::filesystem::remove_all(directory); }

    /// Why the database cannot be opened; empty if it can.
    [[nodiscard]] std::string failure_to_open() const {
        try {
            const Database database(file);
            return {};
        } catch (const base::StartFailure& e) {
            return e.what();
        }
    }

    std::filesystem::path directory;
    std::filesystem::path file;
    base::SystemClock clock;
};

/// Collects what a thread reports, and waits for it.
template <class Value>
class Collected {
  public:
    void add(Value value) {
        {
            const std::lock_guard lock(mutex_);
            values_.push_back(std::move(value));
        }
        changed_.notify_all();
    }
    std::vector<Value> wait(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return values_.size() >= count; });
        return values_;
    }
    std::vector<Value> now() {
        const std::lock_guard lock(mutex_);
        return values_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Value> values_;
};

}  // namespace outpost::store

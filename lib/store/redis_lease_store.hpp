#pragma once

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "store/redis_node.hpp"

/// The counters of limits in Redis, for several nodes that share them. docs/limits.md, "Several
/// nodes", says what holds and why.
namespace outpost::store {

class RedisLeaseStore final : public limit::LeaseStore {
  public:
    /// Connects in the background. `memory`: the file of NodeMemory. `on_change` is called on the
    /// store's thread.
    RedisLeaseStore(RedisOptions options, const std::filesystem::path& memory,
                    const base::Clock& clock, OnRedisChange on_change);
    /// Answers what waits, takes leave of Redis, then ends. No counter gives anything out any more.
    ~RedisLeaseStore() override;
    RedisLeaseStore(const RedisLeaseStore&) = delete;
    RedisLeaseStore& operator=(const RedisLeaseStore&) = delete;

    /// Always nothing: what was used is in Redis, and every grant takes it into account.
    std::optional<std::string> restore(const std::string& key) override;
    void lease(limit::LeaseRequest request,
               std::function<void(const limit::LeaseAnswer&)> done) override;
    /// Ends as a crash would: without taking leave, what waits is lost. For tests.
    void drop();

  private:
    enum class End : std::uint8_t { no, orderly, dropped };

    void run();
    void handle(std::vector<RedisNode::Pending>& batch);
    void stop(End end);

    RedisNode node_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<RedisNode::Pending> waiting_;
    End end_ = End::no;
    std::thread thread_;
};

}  // namespace outpost::store

#include "store/redis_lease_store.hpp"

#include <set>
#include <utility>

#include "store/redis_connection.hpp"

namespace outpost::store {

RedisLeaseStore::RedisLeaseStore(RedisOptions options, const std::filesystem::path& memory,
                                 const base::Clock& clock, OnRedisChange on_change)
    : node_(std::move(options), NodeMemory(memory), RedisConnection::open, clock,
            std::move(on_change)),
      thread_([this] { run(); }) {}

RedisLeaseStore::~RedisLeaseStore() {
    stop(End::orderly);
}

void RedisLeaseStore::drop() {
    stop(End::dropped);
}

void RedisLeaseStore::stop(End end) {
    {
        const std::lock_guard lock(mutex_);
        if (end_ == End::no) end_ = end;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

std::optional<std::string> RedisLeaseStore::restore(const std::string&) {
    return std::nullopt;
}

void RedisLeaseStore::lease(limit::LeaseRequest request,
                            std::function<void(const limit::LeaseAnswer&)> done) {
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back({std::move(request), std::move(done)});
    }
    wake_.notify_one();
}

void RedisLeaseStore::run() {
    for (;;) {
        std::vector<RedisNode::Pending> batch;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_until(lock, node_.next_tick(),
                             [this] { return end_ != End::no || !waiting_.empty(); });
            if (end_ == End::dropped) return;
            if (end_ == End::orderly && waiting_.empty()) break;
            batch.swap(waiting_);
        }
        handle(batch);
        node_.tick();
    }
    node_.leave();
}

void RedisLeaseStore::handle(std::vector<RedisNode::Pending>& batch) {
    constexpr std::size_t most = 128;  // in one write
    while (!batch.empty()) {
        std::vector<RedisNode::Pending> round;
        std::vector<RedisNode::Pending> later;
        std::set<std::string> keys;
        for (auto& pending : batch) {
            const bool now = round.size() < most && keys.insert(pending.request.key).second;
            (now ? round : later).push_back(std::move(pending));
        }
        node_.handle(round);
        batch = std::move(later);
    }
}

}  // namespace outpost::store

#include "limit/memory_store.hpp"

#include <utility>

namespace outpost::limit {

std::optional<std::string> MemoryStore::restore(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find(key);
    if (found == states_.end()) return std::nullopt;
    return found->second;
}

void MemoryStore::lease(LeaseRequest request, std::function<void(const LeaseAnswer&)> done) {
    const std::lock_guard lock(mutex_);
    pending_.push_back({std::move(request), std::move(done)});
}

std::size_t MemoryStore::run() {
    std::vector<Pending> pending;
    std::string error;
    {
        const std::lock_guard lock(mutex_);
        pending = std::exchange(pending_, {});
        error = error_;
        if (error.empty()) {
            for (Pending& each : pending) states_[each.request.key] = std::move(each.request.state);
        }
    }
    for (const Pending& each : pending) {
        LeaseAnswer answer;
        if (error.empty()) answer.allowance = each.request.want;
        answer.error = error;
        each.done(answer);
    }
    return pending.size();
}

void MemoryStore::fail(std::string error) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
}

void MemoryStore::drop() {
    const std::lock_guard lock(mutex_);
    pending_.clear();
}

}  // namespace outpost::limit

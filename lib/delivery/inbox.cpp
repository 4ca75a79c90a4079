#include "delivery/inbox.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace outpost::delivery {

void Inbox::put(std::span<const spool::Summary> stored) {
    if (stored.empty()) return;
    {
        const std::lock_guard lock(mutex_);
        const bool under_way = !waiting_.empty();
        waiting_.insert(waiting_.end(), stored.begin(), stored.end());
        if (under_way) return;
    }
    boost::asio::post(executor_, [self = shared_from_this()] { self->deliver(); });
}

void Inbox::deliver() {
    std::vector<spool::Summary> batch;
    {
        const std::lock_guard lock(mutex_);
        batch.swap(waiting_);
    }
    if (arrived_) arrived_(std::move(batch));
}

}  // namespace outpost::delivery

#include "spool/hot_cache.hpp"

namespace outpost::spool {

std::size_t HotMessage::cost() const noexcept {
    constexpr std::size_t fixed = 512;  // the structs, their allocations and the cache's own
    std::size_t octets = fixed + content.head.capacity() + content.data.capacity();
    for (const auto& recipient : envelope.recipients)
        octets += sizeof recipient + recipient.address.capacity() + recipient.orcpt.capacity();
    return octets;
}

void HotCache::put(base::MessageId id, std::unique_ptr<HotMessage> message, base::MonoTime now) {
    const std::size_t cost = message->cost();
    const std::lock_guard lock(mutex_);
    if (octets_ + cost > max_octets_) {
        expire_locked(now);
        if (octets_ + cost > max_octets_) return;
    }
    octets_ += cost;
    entries_.insert_or_assign(id.value, Entry{std::move(message), cost});
    arrivals_.push_back({id.value, now});
}

std::unique_ptr<HotMessage> HotCache::take(base::MessageId id) {
    const std::lock_guard lock(mutex_);
    auto message = remove(id.value);
    while (!arrivals_.empty() && !entries_.contains(arrivals_.front().id)) arrivals_.pop_front();
    return message;
}

std::optional<smtp::Envelope> HotCache::envelope(base::MessageId id) const {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(id.value);
    if (entry == entries_.end()) return std::nullopt;
    return entry->second.message->envelope;
}

std::size_t HotCache::expire(base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    return expire_locked(now);
}

std::size_t HotCache::octets() const {
    const std::lock_guard lock(mutex_);
    return octets_;
}

std::unique_ptr<HotMessage> HotCache::remove(std::uint64_t id) {
    const auto entry = entries_.find(id);
    if (entry == entries_.end()) return nullptr;
    auto message = std::move(entry->second.message);
    octets_ -= entry->second.cost;
    entries_.erase(entry);
    return message;
}

std::size_t HotCache::expire_locked(base::MonoTime now) {
    std::size_t gone = 0;
    while (!arrivals_.empty() &&
           (now - arrivals_.front().time >= max_age_ || !entries_.contains(arrivals_.front().id))) {
        if (remove(arrivals_.front().id)) ++gone;
        arrivals_.pop_front();
    }
    return gone;
}

}  // namespace outpost::spool

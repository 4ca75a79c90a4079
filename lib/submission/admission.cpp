#include "submission/admission.hpp"

namespace outpost::submission {

std::optional<Admission::Ticket> Admission::admit() {
    if (connections_.fetch_add(1, std::memory_order_relaxed) >= most_) {
        connections_.fetch_sub(1, std::memory_order_relaxed);
        return std::nullopt;
    }
    return Ticket(shared_from_this());
}

Admission::Shard& Admission::shard(const config::IpAddress& client) noexcept {
    return shards_[std::hash<config::IpAddress>{}(client) % shards_.size()];
}

bool Admission::Ticket::claim(const config::IpAddress& client) {
    Shard& shard = owner_->shard(client);
    const std::lock_guard lock(shard.mutex);
    std::uint32_t& count = shard.counts[client];
    if (count >= owner_->most_per_address_) return false;
    ++count;
    client_ = client;
    return true;
}

Admission::Ticket& Admission::Ticket::operator=(Ticket&& other) noexcept {
    if (this != &other) {
        release();
        owner_ = std::move(other.owner_);
        client_ = std::exchange(other.client_, {});
    }
    return *this;
}

void Admission::Ticket::release() noexcept {
    if (!owner_) return;
    if (client_) {
        Shard& shard = owner_->shard(*client_);
        const std::lock_guard lock(shard.mutex);
        if (const auto it = shard.counts.find(*client_);
            it != shard.counts.end() && --it->second == 0)
            shard.counts.erase(it);
    }
    owner_->connections_.fetch_sub(1, std::memory_order_relaxed);
    owner_.reset();
}

}  // namespace outpost::submission

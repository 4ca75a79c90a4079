#include "spool/inbox.hpp"

#include <algorithm>

namespace outpost::spool {

namespace {

constexpr std::size_t many_states = 4096;

std::uint64_t octets_of(const OutgoingState& state) {
    constexpr std::uint64_t range_size = 8;
    return record_header_size + (state.done ? range_size : state.metadata.size());
}

}  // namespace

bool Inbox::put_message(std::unique_ptr<OutgoingMessage>& message) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return false;
        messages_.push_back(std::move(message));
        wake = std::exchange(waiting_, false);
    }
    if (wake) wake_.notify_one();
    return true;
}

void Inbox::put_state(base::MessageId id, OutgoingState state) {
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (states_.empty()) first_state_ = std::chrono::steady_clock::now();
        auto [entry, added] = states_.try_emplace(id.value);
        if (!added) {
            if (entry->second.done) return;
            states_octets_ -= octets_of(entry->second);
        }
        states_octets_ += octets_of(state);
        entry->second = std::move(state);
        if (states_.size() == 1 || states_.size() == many_states)
            wake = std::exchange(waiting_, false);
    }
    if (wake) wake_.notify_one();
}

bool Inbox::put_moves(std::shared_ptr<MoveBatch> moves) {
    {
        const std::lock_guard lock(mutex_);
        if (closed_) return false;
        moves_.push_back(std::move(moves));
        waiting_ = false;
    }
    wake_.notify_one();
    return true;
}

std::optional<OutgoingState> Inbox::find_state(base::MessageId id) const {
    const std::lock_guard lock(mutex_);
    for (const OutgoingStates* states : {&states_, &in_flight_})
        if (const auto entry = states->find(id.value); entry != states->end()) return entry->second;
    return std::nullopt;
}

void Inbox::close() {
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        waiting_ = false;
    }
    wake_.notify_one();
}

bool Inbox::take(Batch& batch, const Limits& limits) {
    std::unique_lock lock(mutex_);
    for (;;) {
        const auto now = std::chrono::steady_clock::now();
        const bool states = states_due(limits, now);
        if (!messages_.empty() || !moves_.empty() || states) {
            take_messages(batch, limits);
            if (states || (!states_.empty() && now >= limits.states_from))
                batch.octets += take_states(limits.octets);
            return true;
        }
        if (closed_) return false;
        waiting_ = true;
        if (states_.empty())
            wake_.wait(lock);
        else
            wake_.wait_until(lock, std::max(first_state_ + state_delay_, limits.states_from));
        waiting_ = false;
    }
}

bool Inbox::states_due(const Limits& limits, base::MonoTime now) const {
    if (states_.empty() || now < limits.states_from) return false;
    return closed_ || states_.size() >= many_states || now >= first_state_ + state_delay_;
}

void Inbox::take_messages(Batch& batch, const Limits& limits) {
    while (!messages_.empty()) {
        const std::uint64_t next = messages_.front()->octets();
        if (!batch.messages.empty() && batch.octets + next > limits.octets) break;
        batch.octets += next;
        batch.messages.push_back(std::move(messages_.front()));
        messages_.pop_front();
    }
    if (!moves_.empty()) {
        batch.moves = std::move(moves_.front());
        batch.octets += batch.moves->octets;
        moves_.pop_front();
    }
}

std::uint64_t Inbox::take_states(std::uint64_t octets) {
    if (states_octets_ <= octets) {
        in_flight_.swap(states_);
        return std::exchange(states_octets_, 0);
    }
    std::uint64_t taken = 0;
    boost::unordered::erase_if(states_, [&](auto& entry) {
        if (taken >= octets) return false;
        taken += octets_of(entry.second);
        in_flight_.emplace(entry.first, std::move(entry.second));
        return true;
    });
    states_octets_ -= std::min(taken, states_octets_);
    return taken;
}

void Inbox::states_stored() {
    constexpr std::size_t worth_keeping = 16384;  // entries; above, the memory is given back
    OutgoingStates grown;                         // freed outside the lock
    const std::lock_guard lock(mutex_);
    if (in_flight_.bucket_count() > worth_keeping)
        grown.swap(in_flight_);
    else
        in_flight_.clear();
}

void Inbox::states_failed() {
    const std::lock_guard lock(mutex_);
    if (states_.empty()) first_state_ = std::chrono::steady_clock::now();
    for (auto& [id, state] : in_flight_) {
        const std::uint64_t size = octets_of(state);
        auto [entry, added] = states_.try_emplace(id, std::move(state));
        if (added) states_octets_ += size;
    }
    in_flight_.clear();
}

}  // namespace outpost::spool

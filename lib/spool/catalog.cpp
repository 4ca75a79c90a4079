#include "spool/catalog.hpp"

#include <algorithm>

namespace outpost::spool {

void Catalog::add_segment(std::uint32_t segment, std::uint64_t size, bool sealed) {
    const std::lock_guard lock(mutex_);
    segments_[segment].size = size;
    segments_[segment].sealed = sealed;
}

void Catalog::grow_segment(std::uint32_t segment, std::uint64_t size) {
    const std::lock_guard lock(mutex_);
    segments_[segment].size = size;
}

void Catalog::seal_segment(std::uint32_t segment) {
    const std::lock_guard lock(mutex_);
    segments_[segment].sealed = true;
}

void Catalog::forget_segment(std::uint32_t segment) {
    const std::lock_guard lock(mutex_);
    segments_.erase(segment);
    boost::unordered::erase_if(moved_from_,
                               [&](const auto& moved) { return moved.second == segment; });
}

std::vector<std::uint32_t> Catalog::unneeded_segments() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint32_t> numbers;
    for (const auto& [number, segment] : segments_)
        if (segment.sealed && !needs_records(number, segment)) numbers.push_back(number);
    return numbers;
}

std::vector<std::uint32_t> Catalog::unneeded_segments_when_full() const {
    const std::lock_guard lock(mutex_);
    // A superseded record in an older segment needs the done record after all.
    if (finishing_.empty() || !moved_from_.empty()) return {};
    std::set<std::uint32_t> needed;
    for (const auto& [id, where] : messages_)
        if (!finishing_.contains(id)) needed.insert(where.segment);
    for (const auto& [id, where] : states_) {
        const auto message = messages_.find(id);
        // The message may come back as long as its record exists, and must then know its state.
        const std::uint32_t home = message->second.segment;
        if (!finishing_.contains(id) || (home != where.segment && segments_.contains(home)))
            needed.insert(where.segment);
    }
    std::vector<std::uint32_t> numbers;
    for (const auto& [number, segment] : segments_) {
        const bool done = std::ranges::any_of(
            segment.done, [&](const auto& entry) { return holds(number, entry.first); });
        if (segment.sealed && !done && !needed.contains(number)) numbers.push_back(number);
    }
    return numbers;
}

bool Catalog::needs_records(std::uint32_t number, const Segment& segment) const {
    return segment.messages > 0 || segment.states > 0 ||
           std::ranges::any_of(segment.done,
                               [&](const auto& done) { return holds(number, done.first); });
}

std::optional<std::uint32_t> Catalog::most_dead(unsigned dead_percent,
                                                const std::set<std::uint32_t>& leave_alone) const {
    const std::lock_guard lock(mutex_);
    for (const auto& [number, segment] : segments_) {
        if (!segment.sealed || leave_alone.contains(number)) continue;
        if (!needs_records(number, segment)) continue;
        std::uint64_t needed = segment.live_octets;
        for (const auto& [range, octets] : segment.done)
            if (holds(number, range)) needed += octets;
        if (needed * 100 < segment.size * (100 - dead_percent)) return number;
    }
    return std::nullopt;
}

std::size_t Catalog::segment_count() const {
    const std::lock_guard lock(mutex_);
    return segments_.size();
}

DiskUse Catalog::use() const {
    const std::lock_guard lock(mutex_);
    DiskUse use{.messages = messages_.size() - finishing_.size(),
                .large_files = large_.size(),
                .segments = segments_.size(),
                .segment_octets = 0};
    for (const auto& [number, segment] : segments_) use.segment_octets += segment.size;
    return use;
}

bool Catalog::needs_done(std::uint32_t number, const SegmentRange& range) const {
    const std::lock_guard lock(mutex_);
    return holds(number, range);
}

void Catalog::drop_done(std::uint32_t number) {
    const std::lock_guard lock(mutex_);
    if (Segment* now = segment(number)) now->done.clear();
}

bool Catalog::holds(std::uint32_t self, const SegmentRange& range) const {
    auto next = segments_.lower_bound(range.oldest);
    if (next != segments_.end() && next->first == self) ++next;  // goes together with the record
    return next != segments_.end() && next->first <= range.newest;
}

void Catalog::put_message(base::MessageId id, const Location& where, bool large) {
    const std::lock_guard lock(mutex_);
    auto [entry, added] = messages_.try_emplace(id.value, where);
    if (!added) {
        const Location old = std::exchange(entry->second, where);
        release(old, &Segment::messages);
        if (old.segment != where.segment) {
            auto [moved, first] = moved_from_.try_emplace(id.value, old.segment);
            moved->second = std::min(moved->second, old.segment);
        }
    }
    if (large) large_.insert(id.value);
    if (Segment* now = segment(where.segment)) {
        ++now->messages;
        now->live_octets += where.length;
    }
}

void Catalog::put_state(base::MessageId id, const Location& where) {
    const std::lock_guard lock(mutex_);
    if (!messages_.contains(id.value)) return;
    auto [entry, added] = states_.try_emplace(id.value, where);
    if (!added) release(std::exchange(entry->second, where), &Segment::states);
    if (Segment* now = segment(where.segment)) {
        ++now->states;
        now->live_octets += where.length;
    }
}

void Catalog::put_done(base::MessageId id, const Location& where, const SegmentRange& range) {
    const std::lock_guard lock(mutex_);
    if (Segment* now = segment(where.segment)) now->done[range] += where.length;
    if (const auto entry = messages_.find(id.value); entry != messages_.end()) {
        release(entry->second, &Segment::messages);
        messages_.erase(entry);
        finishing_.erase(id.value);
    }
    if (const auto entry = states_.find(id.value); entry != states_.end()) {
        release(entry->second, &Segment::states);
        states_.erase(entry);
    }
    large_.erase(id.value);
    moved_from_.erase(id.value);
}

std::optional<Location> Catalog::find(base::MessageId id) const {
    const std::lock_guard lock(mutex_);
    const auto entry = messages_.find(id.value);
    if (entry == messages_.end() || finishing_.contains(id.value)) return std::nullopt;
    return entry->second;
}

std::optional<Location> Catalog::find_state(base::MessageId id) const {
    const std::lock_guard lock(mutex_);
    const auto entry = states_.find(id.value);
    if (entry == states_.end()) return std::nullopt;
    return entry->second;
}

bool Catalog::finish(base::MessageId id) {
    const std::lock_guard lock(mutex_);
    return messages_.contains(id.value) && finishing_.insert(id.value).second;
}

Departure Catalog::departure(base::MessageId id) const {
    const std::lock_guard lock(mutex_);
    const auto entry = messages_.find(id.value);
    if (entry == messages_.end()) return {};
    const std::uint32_t newest = entry->second.segment;
    const auto moved = moved_from_.find(id.value);
    return {{moved == moved_from_.end() ? newest : moved->second, newest},
            large_.contains(id.value)};
}

std::size_t Catalog::size() const {
    const std::lock_guard lock(mutex_);
    return messages_.size() - finishing_.size();
}

void Catalog::release(const Location& where, std::uint32_t Segment::* counter) {
    if (Segment* old = segment(where.segment)) {
        --(old->*counter);
        old->live_octets -= where.length;
    }
}

Catalog::Segment* Catalog::segment(std::uint32_t number) {
    const auto found = segments_.find(number);
    return found == segments_.end() ? nullptr : &found->second;
}

}  // namespace outpost::spool

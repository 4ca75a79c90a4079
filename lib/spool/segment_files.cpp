#include "spool/segment_files.hpp"

#include "spool/segment_writer.hpp"

namespace outpost::spool {

std::shared_ptr<File> SegmentFiles::find(std::uint32_t segment) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(segment);
    if (entry == entries_.end()) return nullptr;
    uses_.splice(uses_.begin(), uses_, entry->second.use);
    return entry->second.file;
}

IoResult<std::shared_ptr<File>> SegmentFiles::get(std::uint32_t segment) {
    if (auto open = find(segment)) return open;
    auto file = files_.open(directory_ / segment_name(segment), OpenMode::read);
    if (!file) return std::unexpected(file.error());
    std::shared_ptr<File> shared = std::move(*file);
    put(segment, shared);
    return shared;
}

void SegmentFiles::put(std::uint32_t segment, std::shared_ptr<File> file) {
    std::shared_ptr<File> closing;  // outside the lock
    const std::lock_guard lock(mutex_);
    const auto [entry, added] = entries_.try_emplace(segment);
    entry->second.file.swap(file);
    closing = std::move(file);
    if (!added) return;
    uses_.push_front(segment);
    entry->second.use = uses_.begin();
    if (entries_.size() > most_open) {
        const auto oldest = entries_.find(uses_.back());
        closing = std::move(oldest->second.file);
        entries_.erase(oldest);
        uses_.pop_back();
    }
}

void SegmentFiles::drop(std::uint32_t segment) {
    const std::lock_guard lock(mutex_);
    const auto entry = entries_.find(segment);
    if (entry == entries_.end()) return;
    uses_.erase(entry->second.use);
    entries_.erase(entry);
}

}  // namespace outpost::spool

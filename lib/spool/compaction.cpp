#include "spool/compaction.hpp"

#include "base/log.hpp"
#include "spool/index_file.hpp"

namespace outpost::spool {

bool Compaction::step() {
    if (!source_ && !open_source()) return false;
    const auto file = parts_.segments.get(source_->number);
    if (!file) {
        close_source(false);
        return false;
    }
    const auto batch = collect(**file);
    if (batch->moves.empty()) {  // the end of the segment
        close_source(source_->complete);
        return false;
    }
    auto stored = batch->stored.get_future();
    if (!parts_.inbox.put_moves(batch) || !stored.get()) {
        source_.reset();  // no room, or the spool closes: begin anew when that is over
        return false;
    }
    return true;
}

bool Compaction::open_source() {
    const auto candidate = parts_.catalog.most_dead(dead_percent, given_up_);
    if (!candidate) return false;
    const auto file = parts_.segments.get(*candidate);
    if (!file) {
        given_up_.insert(*candidate);
        return false;
    }
    source_ = std::make_unique<CompactionSource>();
    source_->number = *candidate;
    if (auto index = read_index(parts_.files, parts_.paths.segments, *candidate, **file)) {
        source_->entries = std::move(index->entries);
    } else if (auto scan = scan_segment(**file, *candidate)) {
        source_->entries = std::move(scan->entries);
    } else {
        close_source(false);
        return false;
    }
    return true;
}

std::shared_ptr<MoveBatch> Compaction::collect(File& file) {
    auto batch = std::make_shared<MoveBatch>();
    CompactionSource& source = *source_;
    while (source.next < source.entries.size() && batch->octets < step_octets) {
        const IndexEntry& entry = source.entries[source.next++];
        const Location where{source.number, entry.offset, entry.length};
        if (!needed(entry, where)) continue;
        auto record = read_record(file, where, entry.id());
        if (!record) {  // the next read of the message tells whoever must know
            source.complete = false;
            continue;
        }
        batch->octets += entry.length;
        batch->moves.push_back({where, std::move(*record)});
    }
    return batch;
}

bool Compaction::needed(const IndexEntry& entry, const Location& where) const {
    switch (entry.type) {
        case RecordType::message:
        case RecordType::large_message: return parts_.catalog.find(entry.id()) == where;
        case RecordType::state:
            return parts_.catalog.contains(entry.id()) &&
                   parts_.catalog.find_state(entry.id()) == where;
        case RecordType::done: return parts_.catalog.needs_done(where.segment, entry.range);
    }
    return false;
}

void Compaction::close_source(bool emptied) {
    if (emptied) {
        parts_.catalog.drop_done(source_->number);
    } else {
        base::log::warning("spool: a segment cannot be compacted, parts of it are unreadable",
                           {{"segment", source_->number}});
        given_up_.insert(source_->number);
    }
    source_.reset();
}

}  // namespace outpost::spool

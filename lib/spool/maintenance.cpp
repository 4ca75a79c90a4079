#include "spool/maintenance.hpp"

#include <malloc.h>

#include "base/log.hpp"
#include "spool/index_file.hpp"

namespace outpost::spool {

void Maintenance::start() {
    thread_ = std::thread([this] { run(); });
}

void Maintenance::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Maintenance::sealed(SealedSegment segment) {
    {
        const std::lock_guard lock(mutex_);
        sealed_.push_back(std::move(segment));
    }
    wake_.notify_one();
}

void Maintenance::run() {
    for (;;) {
        write_indexes();
        parts_.large->remove_discarded();
        age_cache();
        parts_.space->check();
        bool more = false;
        if (!parts_.gate->stopped()) {  // after a failure nothing is touched any more
            remove_segments();
            more = parts_.gate->open() && compaction_.step();
        }
        std::unique_lock lock(mutex_);
        if (!more && sealed_.empty() && !stopping_)
            wake_.wait_for(lock, parts_.tuning.maintenance_interval,
                           [this] { return stopping_ || !sealed_.empty(); });
        if (stopping_) break;
    }
    write_indexes();
    parts_.large->remove_discarded(true);
}

void Maintenance::age_cache() {
    constexpr auto trim_interval = std::chrono::seconds(1);  // a trim takes some 100 us
    const base::MonoTime now = parts_.clock.mono();
    if (parts_.cache.expire(now) > 0) trim_due_ = true;
    if (!trim_due_ || now - trimmed_ < trim_interval) return;
    // Mail piles up: its octets are on disk alone now, and their memory is the system's again.
    ::malloc_trim(0);
    trim_due_ = false;
    trimmed_ = now;
}

void Maintenance::write_indexes() {
    for (;;) {
        SealedSegment segment;
        {
            const std::lock_guard lock(mutex_);
            if (sealed_.empty()) return;
            segment = std::move(sealed_.front());
            sealed_.pop_front();
        }
        if (parts_.gate->stopped()) continue;
        // Gives back what was laid out beyond the end. Without an index the next start scans.
        auto done = segment.file->truncate(segment.identity.size);
        if (done)
            done =
                write_index(parts_.files, parts_.paths.segments, segment.identity, segment.entries);
        if (!done)
            base::log::warning("spool: cannot write an index file; the next start takes longer",
                               {{"reason", done.error().text}});
    }
}

void Maintenance::remove_segments() {
    const auto unneeded = parts_.gate->lacks_space() ? parts_.catalog.unneeded_segments_when_full()
                                                     : parts_.catalog.unneeded_segments();
    if (unneeded.empty()) return;
    std::vector<std::uint32_t> removed;
    for (const std::uint32_t number : unneeded) {
        auto done = parts_.files.remove(parts_.paths.segments / segment_name(number));
        if (done) done = parts_.files.remove(parts_.paths.segments / index_name(number));
        if (done)
            removed.push_back(number);
        else
            base::log::warning("spool: cannot remove a segment", {{"reason", done.error().text}});
    }
    // Only when the removal is durable may others go whose done records kept its messages dead.
    if (auto synced = parts_.files.sync_directory(parts_.paths.segments); !synced) {
        parts_.gate->stop(synced.error().text);
        return;
    }
    for (const std::uint32_t number : removed) {
        parts_.catalog.forget_segment(number);
        parts_.segments.drop(number);
    }
}

}  // namespace outpost::spool

#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "base/clock.hpp"
#include "spool/catalog.hpp"
#include "spool/file_system.hpp"
#include "spool/gate.hpp"
#include "spool/hot_cache.hpp"
#include "spool/inbox.hpp"
#include "spool/large_store.hpp"
#include "spool/segment_files.hpp"
#include "spool/space_guard.hpp"

/// What the parts of one spool share. Each part guards itself.
namespace outpost::spool {

struct Paths {
    explicit Paths(const std::filesystem::path& directory)
        : root(directory),
          lock(directory / "lock"),
          segments(directory / "segments"),
          large(directory / "large"),
          damaged(directory / "damaged") {}

    const std::filesystem::path root;
    const std::filesystem::path lock;
    const std::filesystem::path segments;
    const std::filesystem::path large;
    const std::filesystem::path damaged;  ///< what could not be read, for a person to look at
};

/// What only a test has reason to change.
struct Tuning {
    std::chrono::milliseconds maintenance_interval{250};
    /// How long a state alone waits for company. It is to be synced within 50 ms of being known,
    /// and the sync takes some of that.
    std::chrono::milliseconds state_delay{25};
    std::uint64_t smallest_segment = 64 << 10;
    std::size_t hot_octets = 4 << 20;  ///< some tenths of a second of full load
    std::chrono::milliseconds hot_age{2000};
};

struct Parts {
    Parts(const Options& options, FileSystem& file_system, const base::Clock& time,
          net::OffloadPool& pool, const Tuning& tune)
        : files(file_system),
          clock(time),
          readers(pool),
          paths(options.directory),
          segment_size(std::clamp<std::uint64_t>(options.segment_size, tune.smallest_segment,
                                                 max_segment_size)),
          tuning(tune),
          gate(std::make_shared<Gate>()),
          space(
              std::make_shared<SpaceGuard>(file_system, options.directory, options.min_free, gate)),
          large(std::make_shared<LargeStore>(file_system, pool, paths.large, gate, space)),
          segments(file_system, paths.segments),
          cache(tune.hot_octets, tune.hot_age),
          inbox(tune.state_delay) {}

    FileSystem& files;
    const base::Clock& clock;
    net::OffloadPool& readers;
    const Paths paths;
    const std::uint64_t segment_size;
    const Tuning tuning;
    const std::shared_ptr<Gate> gate;
    const std::shared_ptr<SpaceGuard> space;
    const std::shared_ptr<LargeStore> large;
    SegmentFiles segments;
    Catalog catalog;
    HotCache cache;
    Inbox inbox;
};

}  // namespace outpost::spool

#pragma once

#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <mutex>

#include "spool/file_system.hpp"

/// Open segment files for reading, the most recently used ones. Thread-safe.
namespace outpost::spool {

class SegmentFiles {
  public:
    SegmentFiles(FileSystem& files, std::filesystem::path directory)
        : files_(files), directory_(std::move(directory)) {}

    /// Null if it is not open. Does no I/O.
    [[nodiscard]] std::shared_ptr<File> find(std::uint32_t segment);
    /// Opens it if need be.
    [[nodiscard]] IoResult<std::shared_ptr<File>> get(std::uint32_t segment);
    void put(std::uint32_t segment, std::shared_ptr<File> file);
    /// The file is going away.
    void drop(std::uint32_t segment);

  private:
    struct Entry {
        std::shared_ptr<File> file;
        std::list<std::uint32_t>::iterator use;
    };
    static constexpr std::size_t most_open = 128;

    FileSystem& files_;
    const std::filesystem::path directory_;
    std::mutex mutex_;
    std::map<std::uint32_t, Entry> entries_;
    std::list<std::uint32_t> uses_;  ///< the latest first
};

}  // namespace outpost::spool

#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The operating system's files behind the few calls that the spool makes, so that a test can put
/// a simulator in their place that loses power at every one of them. All calls block; all but a
/// FileLock's are thread-safe. Implementations never throw for what a disk can do.
namespace outpost::spool {

/// A call that failed: `text` names call, path and reason.
struct IoError {
    int code = 0;  ///< errno
    std::string text;

    /// ENOSPC or EDQUOT: the caller can undo and go on once there is room.
    [[nodiscard]] bool no_space() const noexcept;
};

template <class Value>
using IoResult = std::expected<Value, IoError>;

/// An open file. Closing (destruction) syncs nothing.
class File {
  public:
    virtual ~File() = default;
    /// Writes all pieces one after the other from `offset` on. After an error any part of them may
    /// have been written.
    [[nodiscard]] virtual IoResult<void> write_at(std::uint64_t offset,
                                                  std::span<const std::string_view> pieces) = 0;
    /// Fills `buffer` from `offset` on; returns fewer octets only at the end of the file.
    [[nodiscard]] virtual IoResult<std::size_t> read_at(std::uint64_t offset,
                                                        std::span<char> buffer) = 0;
    /// The same, but only if it takes no wait for the disk: false if it would or on any error.
    [[nodiscard]] virtual bool read_cached_at(std::uint64_t offset, std::span<char> buffer) = 0;
    /// fdatasync: content and size are on stable storage. Once it failed, what was written since
    /// the last success is of unknown fate, and a second call proves nothing.
    [[nodiscard]] virtual IoResult<void> sync() = 0;
    [[nodiscard]] virtual IoResult<void> truncate(std::uint64_t size) = 0;
    [[nodiscard]] virtual IoResult<std::uint64_t> size() = 0;
    /// Asks for room up to `size` without changing the file's size: syncs of later appends get
    /// cheaper. A hint: failure is no matter.
    virtual void reserve(std::uint64_t size) noexcept = 0;
};

/// Held by one process at a time; released by destruction, and by the kernel after a crash.
class FileLock {
  public:
    virtual ~FileLock() = default;
};

enum class OpenMode : std::uint8_t {
    read,
    update,  ///< read and write; must exist
    create,  ///< read and write; replaces a file of that name. Durable only with its directory.
};

class FileSystem {
  public:
    virtual ~FileSystem() = default;
    [[nodiscard]] virtual IoResult<std::unique_ptr<File>> open(const std::filesystem::path& path,
                                                               OpenMode mode) = 0;
    /// With its parents; fine if it exists. New entries are durable on return.
    [[nodiscard]] virtual IoResult<void> create_directories(const std::filesystem::path& path) = 0;
    /// The names in a directory, sorted, without `.` and `..`.
    [[nodiscard]] virtual IoResult<std::vector<std::string>> list(
        const std::filesystem::path& path) = 0;
    /// Replaces `to`. Like remove, durable only with its directory.
    [[nodiscard]] virtual IoResult<void> rename(const std::filesystem::path& from,
                                                const std::filesystem::path& to) = 0;
    /// Fine if there is no such file.
    [[nodiscard]] virtual IoResult<void> remove(const std::filesystem::path& path) = 0;
    /// Makes creations, renames and removals in a directory durable.
    [[nodiscard]] virtual IoResult<void> sync_directory(const std::filesystem::path& path) = 0;
    /// Octets that this process may still write to the file system of `path`.
    [[nodiscard]] virtual IoResult<std::uint64_t> free_space(const std::filesystem::path& path) = 0;
    /// Locks `path` for this process and writes its pid there. The error names path and holder.
    [[nodiscard]] virtual IoResult<std::unique_ptr<FileLock>> lock(
        const std::filesystem::path& path) = 0;
};

/// The machine's own files.
class PosixFileSystem final : public FileSystem {
  public:
    IoResult<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) override;
    IoResult<void> create_directories(const std::filesystem::path& path) override;
    IoResult<std::vector<std::string>> list(const std::filesystem::path& path) override;
    IoResult<void> rename(const std::filesystem::path& from,
                          const std::filesystem::path& to) override;
    IoResult<void> remove(const std::filesystem::path& path) override;
    IoResult<void> sync_directory(const std::filesystem::path& path) override;
    IoResult<std::uint64_t> free_space(const std::filesystem::path& path) override;
    IoResult<std::unique_ptr<FileLock>> lock(const std::filesystem::path& path) override;
};

}  // namespace outpost::spool

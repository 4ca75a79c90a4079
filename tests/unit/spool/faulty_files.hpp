#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "spool/file_system.hpp"

namespace outpost::spool {

/// A disk in memory that knows what has been synced. Any changing call can be the one at which the
/// power goes, or fail with an error. After a power cut, each write and each change of a directory
/// that was not synced survives whole, in part or not at all, independent of the others.
class FaultyFiles final : public FileSystem {
  public:
    FaultyFiles();

    // Faults. Changing calls are counted from 1.
    void lose_power_at(std::uint64_t call);
    /// `times` calls from that one on fail; a failed write leaves a part behind, and after a failed
    /// sync the octets may be on disk or not, and no later sync brings them there.
    void fail_at(std::uint64_t call, int code, std::uint64_t times = 1);
    /// Only calls whose name contains `word` ("write", "sync", ...) count and fail.
    void fail_only(std::string word);
    void set_free_space(std::uint64_t octets);
    /// How often the free space was asked for.
    [[nodiscard]] std::uint64_t free_space_asked() const;
    /// Reads of files whose name contains `part` fail.
    void fail_reads_of(std::string part);
    /// Removals of files whose name contains `part` fail.
    void fail_removals_of(std::string part);
    [[nodiscard]] std::uint64_t removals_failed() const;
    /// Syncs of files wait until they may go on.
    void hold_syncs(bool hold);
    [[nodiscard]] std::uint64_t calls() const;
    [[nodiscard]] bool power_lost() const;

    // What is left after an end of the process.
    [[nodiscard]] std::unique_ptr<FaultyFiles> after_power_cut(std::uint64_t seed) const;
    /// kill -9: nothing written is lost, but it is no more durable than it was.
    [[nodiscard]] std::unique_ptr<FaultyFiles> after_kill() const;

    [[nodiscard]] std::uint64_t random_cached();  ///< for FaultyFile

    // A look from outside.
    [[nodiscard]] std::optional<std::string> content(const std::filesystem::path& path) const;
    void set_content(const std::filesystem::path& path, std::string content);
    [[nodiscard]] std::vector<std::string> names(const std::filesystem::path& directory) const;
    /// Waits until `condition` holds, looking at each change; false after `limit`.
    bool wait_until(const std::function<bool()>& condition,
                    std::chrono::seconds limit = std::chrono::seconds(20));

    IoResult<std::unique_ptr<File>> open(const std::filesystem::path& path, OpenMode mode) override;
    IoResult<void> create_directories(const std::filesystem::path& path) override;
    IoResult<std::vector<std::string>> list(const std::filesystem::path& path) override;
    IoResult<void> rename(const std::filesystem::path& from,
                          const std::filesystem::path& to) override;
    IoResult<void> remove(const std::filesystem::path& path) override;
    IoResult<void> sync_directory(const std::filesystem::path& path) override;
    IoResult<std::uint64_t> free_space(const std::filesystem::path& path) override;
    IoResult<std::unique_ptr<FileLock>> lock(const std::filesystem::path& path) override;

  private:
    friend class FaultyFile;
    friend class FaultyLock;
    struct Write {
        std::uint64_t offset;
        std::string octets;
    };
    struct Truncate {
        std::uint64_t size;
    };
    using Change = std::variant<Write, Truncate>;
    struct Node {
        std::string content;          ///< as the process sees it
        std::string durable;          ///< as the platter has it
        std::vector<Change> pending;  ///< since the last sync
    };
    using NodePtr = std::shared_ptr<Node>;
    using Entries = std::map<std::string, NodePtr>;
    struct EntryChange {
        std::string gone;  ///< name that goes
        std::string name;  ///< name that comes or is replaced
        NodePtr node;
    };
    struct Directory {
        Entries entries;
        Entries durable;
        std::vector<EntryChange> pending;
    };

    /// Counts a changing call; the error it is to fail with, if any.
    std::optional<IoError> fault(std::string_view call, const std::filesystem::path& path);
    static void apply(std::string& content, const Change& change);
    static void apply(Entries& entries, const EntryChange& change);
    static std::string survivor(const Node& node, std::mt19937_64& random);
    void change_entry(const std::filesystem::path& directory, EntryChange change);
    NodePtr find(const std::filesystem::path& path) const;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Directory> directories_;
    std::set<std::string> locks_;
    std::uint64_t calls_ = 0;
    std::uint64_t power_lost_at_ = 0;
    bool power_lost_ = false;
    std::uint64_t fail_at_ = 0;
    std::uint64_t fail_times_ = 0;
    int fail_code_ = 0;
    std::string fail_only_;
    std::string unreadable_;
    std::string unremovable_;
    std::uint64_t removals_failed_ = 0;
    bool syncs_held_ = false;
    std::uint64_t free_space_ = 1ULL << 40;
    std::uint64_t free_space_asked_ = 0;
    std::mt19937_64 random_{1};
};

}  // namespace outpost::spool

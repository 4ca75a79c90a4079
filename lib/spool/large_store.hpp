#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/checksum.hpp"
#include "net/offload.hpp"
#include "spool/file_system.hpp"
#include "spool/gate.hpp"
#include "spool/large_body.hpp"
#include "spool/space_guard.hpp"

/// The folder of large messages. A file is complete and synced before a record speaks of it, and
/// goes away only after the message's done record is durable; a file that no record speaks of is
/// removed at the next start.
namespace outpost::spool {

class LargeStore;

/// A large message's file while it is written, and until its record is durable.
struct LargeFile {
    LargeFile(std::shared_ptr<LargeStore> owner, std::filesystem::path name,
              std::unique_ptr<File> opened);
    ~LargeFile();
    LargeFile(const LargeFile&) = delete;
    LargeFile& operator=(const LargeFile&) = delete;

    const std::shared_ptr<LargeStore> store;
    const std::filesystem::path path;
    const std::unique_ptr<File> file;
    std::uint64_t size = 0;
    base::Checksum checksum;
    std::atomic<bool> kept{false};  ///< a durable record speaks of it
};

class LargeStore : public std::enable_shared_from_this<LargeStore> {
  public:
    LargeStore(FileSystem& files, net::OffloadPool& pool, std::filesystem::path directory,
               std::shared_ptr<Gate> gate, std::shared_ptr<SpaceGuard> space);

    boost::asio::awaitable<std::expected<LargeBodyWriter, StoreFailure>> begin(base::MessageId id);
    boost::asio::awaitable<std::expected<void, StoreFailure>> write(std::shared_ptr<LargeFile> file,
                                                                    std::string piece);
    /// Syncs the file and its directory entry, beside the commits of others.
    boost::asio::awaitable<std::expected<void, StoreFailure>> make_durable(
        std::shared_ptr<LargeFile> file);

    [[nodiscard]] std::filesystem::path path(base::MessageId id) const;
    /// Nobody needs the file any more; remove_discarded() removes it later. Does not block until
    /// the spool has closed, removes at once afterwards.
    void discard(std::filesystem::path path);
    /// Blocks. `last`: the spool is closing, nobody calls this again.
    void remove_discarded(bool last = false);
    /// At the start: removes files without a record. Returns how many.
    std::size_t remove_orphans(const std::function<bool(base::MessageId)>& wanted);

    /// A file was found damaged while it was read: the next Spool::read sets the message aside.
    void report_damage(base::MessageId id, std::string reason);
    [[nodiscard]] std::optional<std::string> damage_of(base::MessageId id) const;

  private:
    StoreFailure refuse(const IoError& error, std::uint64_t octets, bool undone);

    FileSystem& files_;
    net::OffloadPool& pool_;
    const std::filesystem::path directory_;
    const std::shared_ptr<Gate> gate_;
    const std::shared_ptr<SpaceGuard> space_;
    mutable std::mutex mutex_;
    bool closed_ = false;
    std::vector<std::filesystem::path> discarded_;
    std::vector<std::pair<base::MessageId, std::string>> damaged_;
};

}  // namespace outpost::spool

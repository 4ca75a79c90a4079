#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "spool/file_system.hpp"
#include "spool/gate.hpp"

/// Keeps the configured reserve of free space (S5): closes the gate when it is touched, opens it
/// when it is whole again. Thread-safe.
namespace outpost::spool {

class SpaceGuard {
  public:
    SpaceGuard(FileSystem& files, std::filesystem::path directory, std::uint64_t min_free,
               std::shared_ptr<Gate> gate);

    /// May `octets` of new mail be written? Asks the file system at most every 100 ms or 4 MB.
    [[nodiscard]] bool allows(std::uint64_t octets, base::MonoTime now);
    /// Asks the file system now, and opens or closes the gate by the answer.
    void check();
    /// A write of that many octets found the disk full: new mail waits until there is room for it.
    void ran_out(std::uint64_t octets, const std::string& reason);
    [[nodiscard]] std::optional<std::uint64_t> free() const;
    /// Plenty of room beyond the reserve: files may be laid out ahead of their use.
    [[nodiscard]] bool plenty(std::uint64_t octets) const;

  private:
    FileSystem& files_;
    const std::filesystem::path directory_;
    const std::uint64_t min_free_;
    const std::shared_ptr<Gate> gate_;
    std::atomic<std::uint64_t> wanted_{0};   ///< what the write that ran out needed
    std::atomic<std::int64_t> asked_{0};     ///< when, in ticks of MonoTime; 0: never
    std::atomic<std::uint64_t> written_{0};  ///< octets allowed since
};

}  // namespace outpost::spool

#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "spool/file_system.hpp"

/// A note beside a segment, `NNNNNNNN.void`: what stands from an offset on was refused, though it
/// may be on disk. It is written where the segment itself could not be cut after a failure. Blocks.
namespace outpost::spool {

[[nodiscard]] IoResult<void> write_void_note(FileSystem& files,
                                             const std::filesystem::path& directory,
                                             std::uint32_t number, std::uint64_t offset);
/// The offset; nothing if there is no note or it is damaged.
[[nodiscard]] std::optional<std::uint64_t> read_void_note(FileSystem& files,
                                                          const std::filesystem::path& directory,
                                                          std::uint32_t number);

}  // namespace outpost::spool

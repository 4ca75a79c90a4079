#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

#include "spool/file_system.hpp"
#include "spool/segment_index.hpp"

/// Index files on disk. Blocks.
namespace outpost::spool {

/// Writes a new index beside its segment: whole and durable on return, or not there.
[[nodiscard]] IoResult<void> write_index(FileSystem& files, const std::filesystem::path& directory,
                                         const SegmentIdentity& segment, std::string_view entries);

/// Nothing if there is no index, it is damaged, or it was not made from this very segment: size,
/// marker and the last record must agree.
[[nodiscard]] std::optional<SegmentIndex> read_index(FileSystem& files,
                                                     const std::filesystem::path& directory,
                                                     std::uint32_t number, File& segment);

}  // namespace outpost::spool

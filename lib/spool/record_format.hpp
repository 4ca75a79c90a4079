#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/id.hpp"

/// The frame around every record of a segment, and the head of the segment itself; docs/spool.md
/// has the layout byte by byte. Pure.
///
/// Each segment has a random marker that begins every one of its records. After damage a reader
/// finds the next record by it; as nobody outside can know it, and a header also names segment and
/// offset, no message can bring octets that pass for a record.
namespace outpost::spool {

inline constexpr std::size_t segment_header_size = 64;
inline constexpr std::size_t record_header_size = 64;
/// Offsets are 32 bits, and a batch may run over the configured segment size.
inline constexpr std::uint64_t max_segment_size = 1ULL << 30;
inline constexpr std::uint64_t max_record_size = 1ULL << 30;

struct SegmentHeader {
    std::uint32_t number = 0;
    std::uint64_t marker = 0;
};

enum class RecordType : std::uint8_t {
    message = 1,        ///< metadata: envelope; content: the octets of the message
    large_message = 2,  ///< metadata: envelope, size and checksum of the file; no content
    state = 3,          ///< metadata: MessageState
    done = 4,           ///< the message has left the spool
};

struct RecordHeader {
    std::uint64_t marker = 0;
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;       ///< of this header in the segment
    std::uint32_t batch_start = 0;  ///< offset of the first record written with this one
    RecordType type = RecordType::message;
    base::MessageId id;
    std::uint32_t metadata_length = 0;
    std::uint32_t content_length = 0;
    std::uint64_t metadata_checksum = 0;
    std::uint64_t content_checksum = 0;

    bool operator==(const RecordHeader&) const = default;
    /// Octets of the whole record.
    [[nodiscard]] std::uint64_t length() const noexcept {
        return record_header_size + std::uint64_t{metadata_length} + content_length;
    }
};

/// Both write 64 octets.
void encode(const SegmentHeader& header, char* out) noexcept;
void encode(const RecordHeader& header, char* out) noexcept;

/// Nothing if the octets are too few or their checksum is wrong.
[[nodiscard]] std::optional<SegmentHeader> decode_segment_header(std::string_view octets) noexcept;
[[nodiscard]] std::optional<RecordHeader> decode_record_header(std::string_view octets) noexcept;

/// The checksum that ends an encoded record header: it identifies the record.
[[nodiscard]] std::uint64_t header_checksum(std::string_view octets) noexcept;

}  // namespace outpost::spool

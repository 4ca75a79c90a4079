#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "spool/file_system.hpp"
#include "spool/segment_index.hpp"
#include "spool/spool.hpp"

/// Reads records back: one by its place, or all of a segment that has no usable index file.
/// Blocks.
namespace outpost::spool {

/// Where a record lies.
struct Location {
    std::uint32_t segment = 0;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;  ///< of the whole record

    bool operator==(const Location&) const = default;
};

/// A record whose checksums are right.
struct Record {
    RecordHeader header;
    std::string octets;  ///< header included

    [[nodiscard]] std::string_view metadata() const noexcept {
        return std::string_view(octets).substr(record_header_size, header.metadata_length);
    }
    [[nodiscard]] std::string_view content() const noexcept {
        return std::string_view(octets).substr(record_header_size + header.metadata_length);
    }
};

/// Checks octets that were read from `where`. The failure is `damaged`.
[[nodiscard]] std::expected<Record, ReadFailure> verify_record(std::string octets,
                                                               const Location& where,
                                                               base::MessageId id);
[[nodiscard]] std::expected<Record, ReadFailure> read_record(File& file, const Location& where,
                                                             base::MessageId id);

/// The envelope of the message whose record stands there, checked, without its content; nothing if
/// it is not there or damaged.
[[nodiscard]] std::optional<smtp::Envelope> read_envelope(File& file, const Location& where,
                                                          base::MessageId id);

/// What an index says of a record; nothing if its metadata does not fit its type. The payload's
/// checksums have been checked before.
[[nodiscard]] std::optional<IndexEntry> index_entry(const RecordHeader& header,
                                                    std::string_view metadata);

/// Octets of a segment that are no valid record.
struct DamagedRange {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    /// Nothing that was acknowledged can be lost: the range belongs to the last commit of the
    /// segment, so it can come from a crash in the middle of it.
    bool unfinished_commit = false;
    std::string reason;
};

struct SegmentScan {
    SegmentIdentity identity;  ///< with the size that the valid records end at
    std::vector<IndexEntry> entries;
    std::vector<DamagedRange> damage;
};

/// Reads a whole segment, checks every record, and finds its way again after damage by the marker.
/// Octets that the disk cannot read count as damage. The error is for a file that says nothing of
/// its size.
[[nodiscard]] IoResult<SegmentScan> scan_segment(File& file, std::uint32_t number);

}  // namespace outpost::spool

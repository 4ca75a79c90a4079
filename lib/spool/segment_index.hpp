#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "spool/record_format.hpp"
#include "spool/record_payload.hpp"
#include "spool/spool.hpp"

/// The index file of a sealed segment, `NNNNNNNN.idx`: what a start needs to know of every record,
/// so that it reads no bodies. It is believed only for the very segment it was made from. Pure.
namespace outpost::spool {

/// One record, without its octets.
struct IndexEntry {
    RecordType type = RecordType::message;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;  ///< of the whole record
    Summary summary;     ///< always the id; of a message all of it, of a state what it changes
    SegmentRange range;  ///< of a done record

    [[nodiscard]] base::MessageId id() const noexcept { return summary.id; }
};

/// What makes a segment the one that an index was made from.
struct SegmentIdentity {
    std::uint32_t number = 0;
    std::uint64_t marker = 0;
    std::uint64_t size = 0;           ///< octets of the segment file
    std::uint32_t last_offset = 0;    ///< of the last record; 0 in a segment without any
    std::uint64_t last_checksum = 0;  ///< header_checksum() of the last record

    bool operator==(const SegmentIdentity&) const = default;
};

struct SegmentIndex {
    SegmentIdentity segment;
    std::vector<IndexEntry> entries;  ///< by offset
};

/// The summary of a message nobody has tried yet.
[[nodiscard]] Summary summarize(base::MessageId id, const smtp::Envelope& envelope,
                                std::uint64_t size);
/// What a state changes in a summary: recipients, next_attempt, attempts, delay_notified, decided,
/// priority (0: not changed).
[[nodiscard]] Summary summarize(base::MessageId id, const MessageState& state);
/// Takes over what `change`, made from a state, says.
void apply_state(Summary& summary, const Summary& change);

/// Entries are kept encoded while a segment is written, to save memory.
void append_entry(std::string& entries, const IndexEntry& entry);
[[nodiscard]] std::string encode_index(const SegmentIdentity& segment, std::string_view entries);
/// Nothing if the octets are damaged in any way or are no index.
[[nodiscard]] std::optional<SegmentIndex> decode_index(std::string_view octets);

}  // namespace outpost::spool

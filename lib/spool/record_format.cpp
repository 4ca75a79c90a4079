#include "spool/record_format.hpp"

#include <bit>
#include <cstring>

#include "base/checksum.hpp"

namespace outpost::spool {

namespace {

constexpr std::string_view segment_magic = "OPSPOOL1";
constexpr std::size_t checksum_at = 56;

struct SegmentHeaderOctets {
    char magic[8];
    std::uint32_t number;
    std::uint32_t zero1;
    std::uint64_t marker;
    std::uint64_t zero2[4];
    std::uint64_t checksum;
};
static_assert(sizeof(SegmentHeaderOctets) == segment_header_size);

struct RecordHeaderOctets {
    std::uint64_t marker;
    std::uint32_t segment;
    std::uint32_t offset;
    std::uint32_t batch_start;
    std::uint8_t type;
    std::uint8_t zero[3];
    std::uint64_t id;
    std::uint32_t metadata_length;
    std::uint32_t content_length;
    std::uint64_t metadata_checksum;
    std::uint64_t content_checksum;
    std::uint64_t checksum;
};
static_assert(sizeof(RecordHeaderOctets) == record_header_size);
static_assert(std::endian::native == std::endian::little, "the spool's files are little-endian");

std::uint64_t checksum_of(std::string_view header) noexcept {
    return base::checksum(header.substr(0, checksum_at));
}

template <class Octets>
std::optional<Octets> verified(std::string_view octets) noexcept {
    Octets raw;
    if (octets.size() < sizeof raw) return std::nullopt;
    octets.copy(reinterpret_cast<char*>(&raw), sizeof raw);
    if (raw.checksum != checksum_of(octets)) return std::nullopt;
    return raw;
}

}  // namespace

void encode(const SegmentHeader& header, char* out) noexcept {
    SegmentHeaderOctets raw{};
    std::memcpy(raw.magic, segment_magic.data(), sizeof raw.magic);
    raw.number = header.number;
    raw.marker = header.marker;
    std::memcpy(out, &raw, sizeof raw);
    raw.checksum = checksum_of({out, sizeof raw});
    std::memcpy(out, &raw, sizeof raw);
}

void encode(const RecordHeader& header, char* out) noexcept {
    RecordHeaderOctets raw{};
    raw.marker = header.marker;
    raw.segment = header.segment;
    raw.offset = header.offset;
    raw.batch_start = header.batch_start;
    raw.type = static_cast<std::uint8_t>(header.type);
    raw.id = header.id.value;
    raw.metadata_length = header.metadata_length;
    raw.content_length = header.content_length;
    raw.metadata_checksum = header.metadata_checksum;
    raw.content_checksum = header.content_checksum;
    std::memcpy(out, &raw, sizeof raw);
    raw.checksum = checksum_of({out, sizeof raw});
    std::memcpy(out, &raw, sizeof raw);
}

std::optional<SegmentHeader> decode_segment_header(std::string_view octets) noexcept {
    const auto raw = verified<SegmentHeaderOctets>(octets);
    if (!raw || std::string_view(raw->magic, sizeof raw->magic) != segment_magic)
        return std::nullopt;
    return SegmentHeader{.number = raw->number, .marker = raw->marker};
}

std::optional<RecordHeader> decode_record_header(std::string_view octets) noexcept {
    const auto raw = verified<RecordHeaderOctets>(octets);
    if (!raw) return std::nullopt;
    return RecordHeader{.marker = raw->marker,
                        .segment = raw->segment,
                        .offset = raw->offset,
                        .batch_start = raw->batch_start,
                        .type = static_cast<RecordType>(raw->type),
                        .id = base::MessageId{raw->id},
                        .metadata_length = raw->metadata_length,
                        .content_length = raw->content_length,
                        .metadata_checksum = raw->metadata_checksum,
                        .content_checksum = raw->content_checksum};
}

std::uint64_t header_checksum(std::string_view octets) noexcept {
    std::uint64_t value = 0;
    if (octets.size() >= record_header_size)
        std::memcpy(&value, octets.data() + checksum_at, sizeof value);
    return value;
}

}  // namespace outpost::spool

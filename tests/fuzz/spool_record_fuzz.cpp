// links: spool
// Feeds octets to every decoder of the spool: as a segment file (scanned, then read record by
// record), as an index, and as the metadata of each kind of record.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "base/checksum.hpp"
#include "spool/record_payload.hpp"
#include "spool/segment_index.hpp"
#include "spool/segment_reader.hpp"

namespace {

using namespace outpost::spool;

class MemoryFile final : public File {
  public:
    explicit MemoryFile(std::string_view octets) : octets_(octets) {}
    IoResult<void> write_at(std::uint64_t, std::span<const std::string_view>) override {
        return std::unexpected(IoError{});
    }
    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<char> buffer) override {
        if (offset >= octets_.size()) return 0;
        return octets_.copy(buffer.data(), buffer.size(), offset);
    }
    bool read_cached_at(std::uint64_t, std::span<char>) override { return false; }
    IoResult<void> sync() override { return {}; }
    IoResult<void> truncate(std::uint64_t) override { return {}; }
    IoResult<std::uint64_t> size() override { return octets_.size(); }
    void reserve(std::uint64_t) noexcept override {}

  private:
    std::string_view octets_;
};

void require(bool holds) {
    if (!holds) std::abort();
}

void scan(std::string_view octets) {
    MemoryFile file(octets);
    const auto scanned = scan_segment(file, 1);
    require(scanned.has_value());
    std::uint64_t end = 0;
    for (const auto& entry : scanned->entries) {
        require(entry.offset >= end);
        end = std::uint64_t{entry.offset} + entry.length;
        require(end <= octets.size());
        require(read_record(file, {1, entry.offset, entry.length}, entry.id()).has_value());
    }
    require(scanned->identity.size <= octets.size());
    // What is no record is damage: every octet after the head of the segment is one or the other.
    std::uint64_t covered = 0;
    for (const auto& entry : scanned->entries) covered += entry.length;
    for (const auto& range : scanned->damage) {
        require(range.begin < range.end && range.end <= octets.size());
        covered += range.end - range.begin;
    }
    require(covered == octets.size() || covered + segment_header_size == octets.size());
}

/// The fuzzer cannot make checksums: this puts right those of headers and payloads where it left a
/// marker.
std::string with_checksums(std::string_view octets) {
    std::string out(octets);
    if (out.size() < segment_header_size) return out;
    constexpr std::uint64_t marker = 0x4141414141414141;  // AAAAAAAA
    encode(SegmentHeader{1, marker}, out.data());
    for (std::size_t at = segment_header_size; at + record_header_size <= out.size();) {
        if (out.compare(at, 8, "AAAAAAAA") != 0) {
            ++at;
            continue;
        }
        RecordHeader header;
        header.marker = marker;
        header.segment = 1;
        header.offset = static_cast<std::uint32_t>(at);
        header.type = static_cast<RecordType>(out[at + 20]);
        std::memcpy(&header.id.value, out.data() + at + 24, sizeof header.id.value);
        std::memcpy(&header.metadata_length, out.data() + at + 32, 4);
        std::memcpy(&header.content_length, out.data() + at + 36, 4);
        const std::string_view payload = std::string_view(out).substr(at + record_header_size);
        if (std::uint64_t{header.metadata_length} + header.content_length <= payload.size()) {
            header.metadata_checksum =
                outpost::base::checksum(payload.substr(0, header.metadata_length));
            header.content_checksum = outpost::base::checksum(
                payload.substr(header.metadata_length, header.content_length));
            encode(header, out.data() + at);
            at += header.length();
        } else {
            encode(header, out.data() + at);
            at += record_header_size;
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view octets(reinterpret_cast<const char*>(data), size);
    scan(octets);
    scan(with_checksums(octets));
    (void)decode_index(octets);
    std::optional<LargeReference> large;
    if (const auto envelope = decode_envelope(octets, large))
        require(encode(*envelope).size() <= octets.size());
    if (const auto state = decode_state(octets)) {
        const auto again = decode_state(encode(*state));
        require(again && again->recipients.size() == state->recipients.size());
    }
    (void)decode_range(octets);
    return 0;
}

#include "spool/segment_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/checksum.hpp"

namespace outpost::spool {

namespace {

/// A file seen through a buffer that moves forward. Unreadable blocks read as zeros.
class Window {
  public:
    Window(File& file, std::uint64_t size) : file_(file), size_(size) {}

    /// `length` octets from `offset` on, fewer at the end of the file; valid until the next call.
    std::string_view view(std::uint64_t offset, std::uint64_t length) {
        length = offset >= size_ ? 0 : std::min(length, size_ - offset);
        if (offset < begin_ || offset + length > begin_ + buffer_.size()) fill(offset, length);
        return std::string_view(buffer_).substr(offset - begin_, length);
    }
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

  private:
    static constexpr std::uint64_t read_ahead = 1 << 20;
    static constexpr std::uint64_t block = 4096;

    void fill(std::uint64_t offset, std::uint64_t length) {
        length = std::min(std::max(length, read_ahead), size_ - std::min(offset, size_));
        begin_ = offset;
        buffer_.resize(length);
        if (auto read = file_.read_at(offset, buffer_); read && *read == length) return;
        for (std::uint64_t at = 0; at < length; at += block) {
            const std::span part(buffer_.data() + at, std::min(block, length - at));
            std::ranges::fill(part, '\0');
            if (!file_.read_at(offset + at, part)) std::ranges::fill(part, '\0');
        }
    }

    File& file_;
    std::uint64_t size_;
    std::uint64_t begin_ = 0;
    std::string buffer_;
};

class Scanner {
  public:
    Scanner(File& file, std::uint64_t size, std::uint32_t number) : window_(file, size) {
        scan_.identity.number = number;
    }

    SegmentScan run() {
        std::uint64_t at = 0;
        if (const auto head = decode_segment_header(window_.view(0, segment_header_size));
            head && head->number == scan_.identity.number) {
            scan_.identity.marker = head->marker;
            at = segment_header_size;
        } else {
            scan_.identity.marker = guess_marker();
            damaged_from_ = 0;
        }
        scan_.identity.size = at;
        while (at < window_.size()) at = step(at);
        close_damage(window_.size());
        for (auto& range : scan_.damage) range.unfinished_commit = last_batch_ <= range.begin;
        return std::move(scan_);
    }

  private:
    /// Takes the record at `at` or skips what is none; returns where to go on.
    std::uint64_t step(std::uint64_t at) {
        const auto header = header_at(at);
        if (!header) {
            if (!damaged_from_) damaged_from_ = at;
            return next_header(at + 1);
        }
        close_damage(at);
        last_batch_ = std::max<std::uint64_t>(last_batch_, header->batch_start);
        if (std::string why = take(*header); !why.empty())
            scan_.damage.push_back({at, at + header->length(), false, std::move(why)});
        return at + header->length();
    }

    /// The header of a record that begins here and ends within the file.
    std::optional<RecordHeader> header_at(std::uint64_t at) {
        const auto header = decode_record_header(window_.view(at, record_header_size));
        if (!header || header->marker != scan_.identity.marker || header->offset != at ||
            header->segment != scan_.identity.number || header->batch_start > at ||
            header->length() > window_.size() - at)
            return std::nullopt;
        return header;
    }

    /// Adds the record to the scan, or says what is wrong with it.
    std::string take(const RecordHeader& header) {
        const std::string_view octets = window_.view(header.offset, header.length());
        const std::uint64_t mark = header_checksum(octets);
        const auto metadata = octets.substr(record_header_size, header.metadata_length);
        const auto content = octets.substr(record_header_size + header.metadata_length);
        if (base::checksum(metadata) != header.metadata_checksum)
            return fmt::format("metadata of {} has a wrong checksum", header.id.text());
        if (base::checksum(content) != header.content_checksum)
            return fmt::format("content of {} has a wrong checksum", header.id.text());
        auto entry = index_entry(header, metadata);
        if (!entry)
            return fmt::format("record of {}, type {}, cannot be decoded", header.id.text(),
                               static_cast<int>(header.type));
        scan_.entries.push_back(std::move(*entry));
        scan_.identity.size = header.offset + header.length();
        scan_.identity.last_offset = header.offset;
        scan_.identity.last_checksum = mark;
        return {};
    }

    /// Where the next valid header stands, or the end of the file.
    std::uint64_t next_header(std::uint64_t at) {
        char marker[8];
        std::memcpy(marker, &scan_.identity.marker, sizeof marker);
        const std::string_view wanted(marker, sizeof marker);
        while (at < window_.size()) {
            const std::string_view octets = window_.view(at, search_step);
            const auto found = octets.find(wanted);
            if (found == std::string_view::npos) {
                if (octets.size() < search_step) break;
                at += octets.size() - (sizeof marker - 1);
            } else if (header_at(at + found)) {
                return at + found;
            } else {
                at += found + 1;
            }
        }
        return window_.size();
    }

    /// The segment's own header is damaged: the first record that knows its place tells.
    std::uint64_t guess_marker() {
        for (std::uint64_t at = 0; at + record_header_size <= window_.size(); ++at) {
            const std::string_view octets = window_.view(at, record_header_size);
            std::uint32_t place[2];
            std::memcpy(place, octets.data() + sizeof(std::uint64_t), sizeof place);
            if (place[0] != scan_.identity.number || place[1] != at) continue;
            if (const auto header = decode_record_header(octets)) return header->marker;
        }
        return 0;
    }

    void close_damage(std::uint64_t end) {
        if (damaged_from_ && *damaged_from_ < end)
            scan_.damage.push_back({*damaged_from_, end, false, "no valid record"});
        damaged_from_.reset();
    }

    static constexpr std::uint64_t search_step = 64 << 10;

    Window window_;
    SegmentScan scan_;
    std::optional<std::uint64_t> damaged_from_;
    std::uint64_t last_batch_ = 0;  ///< where the last commit that left a header begins
};

ReadFailure damaged(const Location& where, std::string_view what) {
    return {true, fmt::format("segment {:08}, offset {}: {}", where.segment, where.offset, what)};
}

}  // namespace

std::expected<Record, ReadFailure> verify_record(std::string octets, const Location& where,
                                                 base::MessageId id) {
    const auto header = decode_record_header(octets);
    if (!header) return std::unexpected(damaged(where, "the record's header is damaged"));
    if (header->segment != where.segment || header->offset != where.offset || header->id != id ||
        header->length() != octets.size())
        return std::unexpected(damaged(where, "another record stands here"));
    Record record{*header, std::move(octets)};
    if (base::checksum(record.metadata()) != header->metadata_checksum)
        return std::unexpected(damaged(where, "the record's metadata has a wrong checksum"));
    if (base::checksum(record.content()) != header->content_checksum)
        return std::unexpected(damaged(where, "the record's content has a wrong checksum"));
    return record;
}

std::expected<Record, ReadFailure> read_record(File& file, const Location& where,
                                               base::MessageId id) {
    std::string octets(where.length, '\0');
    const auto read = file.read_at(where.offset, octets);
    if (!read) return std::unexpected(ReadFailure{false, read.error().text});
    if (*read != octets.size())
        return std::unexpected(damaged(where, "the segment ends within the record"));
    return verify_record(std::move(octets), where, id);
}

std::optional<smtp::Envelope> read_envelope(File& file, const Location& where, base::MessageId id) {
    // Enough for the usual envelope and header at once.
    constexpr std::uint32_t usual = 1024;
    std::string octets(std::min(where.length, usual), '\0');
    const auto read = file.read_at(where.offset, octets);
    if (!read || *read != octets.size()) return std::nullopt;
    const auto header = decode_record_header(octets);
    if (!header || header->segment != where.segment || header->offset != where.offset ||
        header->id != id || header->length() != where.length)
        return std::nullopt;
    const std::size_t have = octets.size();
    octets.resize(record_header_size + header->metadata_length);
    if (octets.size() > have) {
        const std::span rest(octets.data() + have, octets.size() - have);
        const auto more = file.read_at(where.offset + have, rest);
        if (!more || *more != rest.size()) return std::nullopt;
    }
    const auto metadata = std::string_view(octets).substr(record_header_size);
    if (base::checksum(metadata) != header->metadata_checksum) return std::nullopt;
    std::optional<LargeReference> large;
    return decode_envelope(metadata, large);
}

std::optional<IndexEntry> index_entry(const RecordHeader& header, std::string_view metadata) {
    IndexEntry entry;
    entry.type = header.type;
    entry.offset = header.offset;
    entry.length = static_cast<std::uint32_t>(header.length());
    switch (header.type) {
        case RecordType::message:
        case RecordType::large_message: {
            std::optional<LargeReference> large;
            const auto envelope = decode_envelope(metadata, large);
            if (!envelope) return std::nullopt;
            if (large.has_value() != (header.type == RecordType::large_message))
                return std::nullopt;
            entry.summary =
                summarize(header.id, *envelope, large ? large->size : header.content_length);
            return entry;
        }
        case RecordType::state: {
            const auto state = decode_state(metadata);
            if (!state) return std::nullopt;
            entry.summary = summarize(header.id, *state);
            return entry;
        }
        case RecordType::done: {
            const auto range = decode_range(metadata);
            if (!range) return std::nullopt;
            entry.summary.id = header.id;
            entry.range = *range;
            return entry;
        }
    }
    return std::nullopt;
}

IoResult<SegmentScan> scan_segment(File& file, std::uint32_t number) {
    const auto size = file.size();
    if (!size) return std::unexpected(size.error());
    return Scanner(file, *size, number).run();
}

}  // namespace outpost::spool

#include "spool/segment_writer.hpp"

#include <fmt/format.h>

#include <cstring>

#include "base/random.hpp"

namespace outpost::spool {

namespace {

std::uint64_t random_marker() {
    std::uint64_t marker = 0;
    const std::string octets = base::random_octets(sizeof marker);
    std::memcpy(&marker, octets.data(), sizeof marker);
    return marker | 1;  // never zero, which is what a lost page reads as
}

}  // namespace

std::string segment_name(std::uint32_t number) {
    return fmt::format("{:08}.log", number);
}
std::string index_name(std::uint32_t number) {
    return fmt::format("{:08}.idx", number);
}
std::string void_name(std::uint32_t number) {
    return fmt::format("{:08}.void", number);
}

BatchLayout::BatchLayout(const SegmentIdentity& segment, std::size_t records)
    : segment_(segment.number), marker_(segment.marker), start_(segment.size), end_(segment.size) {
    constexpr std::size_t pieces_each = 4;
    headers_.reserve(records);
    pieces_.reserve(records * pieces_each);
}

Location BatchLayout::add(RecordHeader header, std::string_view metadata, std::string_view content1,
                          std::string_view content2) {
    header.marker = marker_;
    header.segment = segment_;
    header.offset = static_cast<std::uint32_t>(end_);
    header.batch_start = static_cast<std::uint32_t>(start_);
    auto& octets = headers_.emplace_back();
    encode(header, octets.data());
    pieces_.emplace_back(octets.data(), octets.size());
    for (const std::string_view piece : {metadata, content1, content2})
        if (!piece.empty()) pieces_.push_back(piece);
    last_offset_ = header.offset;
    end_ += header.length();
    return {segment_, header.offset, static_cast<std::uint32_t>(header.length())};
}

std::uint64_t BatchLayout::last_checksum() const noexcept {
    return headers_.empty() ? 0 : header_checksum({headers_.back().data(), headers_.back().size()});
}

IoResult<std::unique_ptr<SegmentWriter>> SegmentWriter::create(
    FileSystem& files, const std::filesystem::path& directory, std::uint32_t number) {
    OpenSegment segment;
    segment.identity.number = number;
    segment.identity.marker = random_marker();
    segment.identity.size = segment_header_size;
    const auto path = directory / segment_name(number);
    auto file = files.open(path, OpenMode::create);
    if (!file) return std::unexpected(file.error());
    std::array<char, segment_header_size> head{};
    encode(SegmentHeader{number, segment.identity.marker}, head.data());
    const std::array<std::string_view, 1> pieces{std::string_view(head.data(), head.size())};
    auto made = (*file)->write_at(0, pieces);
    if (made) made = files.sync_directory(directory);
    if (!made) {
        (void)files.remove(path);
        return std::unexpected(made.error());
    }
    return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(*file), std::move(segment)));
}

IoResult<std::unique_ptr<SegmentWriter>> SegmentWriter::resume(
    FileSystem& files, const std::filesystem::path& directory, OpenSegment segment) {
    auto file = files.open(directory / segment_name(segment.identity.number), OpenMode::update);
    if (!file) return std::unexpected(file.error());
    return std::unique_ptr<SegmentWriter>(new SegmentWriter(std::move(*file), std::move(segment)));
}

IoResult<void> SegmentWriter::write(const BatchLayout& batch) {
    return file_->write_at(identity_.size, batch.pieces());
}

void SegmentWriter::accept(const BatchLayout& batch) {
    if (batch.empty()) return;
    identity_.size = batch.end();
    identity_.last_offset = batch.last_offset();
    identity_.last_checksum = batch.last_checksum();
    entries_.append(batch.entries());
}

IoResult<void> SegmentWriter::undo() {
    if (auto cut = file_->truncate(identity_.size); !cut) return cut;
    return file_->sync();
}

SealedSegment SegmentWriter::seal() && {
    return {identity_, std::move(entries_), std::move(file_)};
}

}  // namespace outpost::spool

#include "spool/index_file.hpp"

#include <array>
#include <string>

#include "spool/segment_writer.hpp"

namespace outpost::spool {

IoResult<void> write_index(FileSystem& files, const std::filesystem::path& directory,
                           const SegmentIdentity& segment, std::string_view entries) {
    const auto path = directory / index_name(segment.number);
    auto temporary = path;
    temporary += ".tmp";
    auto file = files.open(temporary, OpenMode::create);
    if (!file) return std::unexpected(file.error());
    const std::string octets = encode_index(segment, entries);
    const std::array<std::string_view, 1> pieces{octets};
    auto done = (*file)->write_at(0, pieces);
    if (done) done = (*file)->sync();
    if (done) done = files.rename(temporary, path);
    if (!done) {
        (void)files.remove(temporary);
        return done;
    }
    return files.sync_directory(directory);
}

namespace {

bool made_from(const SegmentIdentity& identity, std::uint32_t number, File& segment) {
    if (identity.number != number) return false;
    const auto size = segment.size();
    if (!size || *size != identity.size) return false;
    std::array<char, segment_header_size> head{};
    if (!segment.read_at(0, head)) return false;
    const auto header = decode_segment_header({head.data(), head.size()});
    if (header && (header->number != number || header->marker != identity.marker)) return false;
    if (identity.last_offset == 0) return header.has_value();
    std::array<char, record_header_size> octets{};
    if (!segment.read_at(identity.last_offset, octets)) return false;
    const auto last = decode_record_header({octets.data(), octets.size()});
    return last && last->marker == identity.marker && last->segment == number &&
           header_checksum({octets.data(), octets.size()}) == identity.last_checksum;
}

}  // namespace

std::optional<SegmentIndex> read_index(FileSystem& files, const std::filesystem::path& directory,
                                       std::uint32_t number, File& segment) {
    const auto file = files.open(directory / index_name(number), OpenMode::read);
    if (!file) return std::nullopt;
    const auto size = (*file)->size();
    if (!size) return std::nullopt;
    std::string octets(*size, '\0');
    const auto read = (*file)->read_at(0, octets);
    if (!read || *read != octets.size()) return std::nullopt;
    auto index = decode_index(octets);
    if (!index || !made_from(index->segment, number, segment)) return std::nullopt;
    return index;
}

}  // namespace outpost::spool

#include "spool/void_note.hpp"

#include <array>
#include <string>

#include "base/checksum.hpp"
#include "spool/octets.hpp"
#include "spool/segment_writer.hpp"

namespace outpost::spool {

IoResult<void> write_void_note(FileSystem& files, const std::filesystem::path& directory,
                               std::uint32_t number, std::uint64_t offset) {
    std::string octets;
    put(octets, number);
    put(octets, offset);
    put(octets, base::checksum(octets));
    auto file = files.open(directory / void_name(number), OpenMode::create);
    if (!file) return std::unexpected(file.error());
    const std::array<std::string_view, 1> pieces{octets};
    auto done = (*file)->write_at(0, pieces);
    if (done) done = (*file)->sync();
    if (done) done = files.sync_directory(directory);
    return done;
}

std::optional<std::uint64_t> read_void_note(FileSystem& files,
                                            const std::filesystem::path& directory,
                                            std::uint32_t number) {
    const auto file = files.open(directory / void_name(number), OpenMode::read);
    if (!file) return std::nullopt;
    constexpr std::size_t note_size = 20;
    std::string octets(note_size, '\0');
    const auto read = (*file)->read_at(0, octets);
    if (!read || *read != octets.size()) return std::nullopt;
    OctetReader in(octets);
    const auto noted = in.number<std::uint32_t>();
    const auto offset = in.number<std::uint64_t>();
    const auto sum = in.number<std::uint64_t>();
    if (noted != number || sum != base::checksum(std::string_view(octets).substr(0, 12)))
        return std::nullopt;
    return offset;
}

}  // namespace outpost::spool

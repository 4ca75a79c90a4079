#include "spool/damage.hpp"

#include <algorithm>
#include <array>

namespace outpost::spool {

namespace {

constexpr std::uint64_t block = 64 << 10;

/// Blocks that cannot be read stay zeros.
std::uint64_t read_some(File& source, std::uint64_t offset, std::span<char> buffer) {
    std::ranges::fill(buffer, '\0');
    if (const auto read = source.read_at(offset, buffer)) return *read;
    constexpr std::size_t sector = 4096;
    for (std::size_t at = 0; at < buffer.size(); at += sector) {
        const auto part = buffer.subspan(at, std::min(sector, buffer.size() - at));
        if (!source.read_at(offset + at, part)) std::ranges::fill(part, '\0');
    }
    return buffer.size();
}

IoResult<void> write_file(FileSystem& files, const std::filesystem::path& path,
                          std::string_view octets) {
    auto file = files.open(path, OpenMode::create);
    if (!file) return std::unexpected(file.error());
    const std::array<std::string_view, 1> pieces{octets};
    if (auto written = (*file)->write_at(0, pieces); !written) return written;
    return (*file)->sync();
}

}  // namespace

IoResult<void> set_aside(FileSystem& files, const Paths& paths, const std::string& name,
                         File& source, std::uint64_t begin, std::uint64_t end,
                         const std::string& note) {
    auto copy = files.open(paths.damaged / name, OpenMode::create);
    if (!copy) return std::unexpected(copy.error());
    bool anything = false;
    std::string buffer;
    for (std::uint64_t at = begin; at < end; at += block) {
        buffer.resize(std::min(block, end - at));
        buffer.resize(read_some(source, at, buffer));
        anything = anything || buffer.find_first_not_of('\0') != std::string::npos;
        const std::array<std::string_view, 1> pieces{buffer};
        if (auto written = (*copy)->write_at(at - begin, pieces); !written) return written;
    }
    if (!anything) return files.remove(paths.damaged / name);
    if (auto synced = (*copy)->sync(); !synced) return synced;
    if (auto noted = write_file(files, paths.damaged / (name + ".txt"), note + "\n"); !noted)
        return noted;
    return files.sync_directory(paths.damaged);
}

}  // namespace outpost::spool

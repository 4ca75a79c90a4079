#include "store/node_memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

namespace outpost::store {

namespace {

constexpr const char* alone = "on its share";
constexpr const char* together = "shared";

bool write_synced(const std::filesystem::path& file, const std::string& text) {
    const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (opened < 0) return false;
    const bool written =
        ::write(opened, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        fsync(opened) == 0;
    return close(opened) == 0 && written;
}

bool sync_directory(const std::filesystem::path& directory) {
    const int opened = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return false;
    const bool synced = fsync(opened) == 0;
    close(opened);
    return synced;
}

std::string read(const std::filesystem::path& file) {
    const std::ifstream stream(file);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

std::string replace(const std::filesystem::path& file, const std::string& text) {
    const std::filesystem::path fresh = file.string() + ".new";
    if (write_synced(fresh, text) && rename(fresh.c_str(), file.c_str()) == 0 &&
        sync_directory(file.parent_path()))
        return {};
    return fmt::format("cannot write {}: {}", file.string(), strerror(errno));
}

}  // namespace

NodeMemory::NodeMemory(const std::filesystem::path& file)
    : NodeMemory(read(file), [file](const std::string& text) { return replace(file, text); }) {}

NodeMemory::NodeMemory(const std::string& kept, Write write) : write_(std::move(write)) {
    std::istringstream stream(kept);
    std::string state;
    if (!std::getline(stream, epoch_) || !std::getline(stream, state)) return;
    on_its_share_ = state != together;
}

bool NodeMemory::remember(const std::string& epoch, bool on_its_share) {
    if (epoch == epoch_ && on_its_share == on_its_share_) return true;
    error_ = write_(fmt::format("{}\n{}\n", epoch, on_its_share ? alone : together));
    if (!error_.empty()) return false;
    epoch_ = epoch;
    on_its_share_ = on_its_share;
    return true;
}

}  // namespace outpost::store

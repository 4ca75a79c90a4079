#include "store/node_memory.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

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

}  // namespace

NodeMemory::NodeMemory(std::filesystem::path file) : file_(std::move(file)) {
    if (file_.empty()) return;
    std::ifstream stream(file_);
    std::string state;
    if (!std::getline(stream, epoch_) || !std::getline(stream, state)) return;
    on_its_share_ = state != together;
}

bool NodeMemory::remember(const std::string& epoch, bool on_its_share) {
    if (epoch == epoch_ && on_its_share == on_its_share_) return true;
    if (!file_.empty() && !write(fmt::format("{}\n{}\n", epoch, on_its_share ? alone : together)))
        return false;
    epoch_ = epoch;
    on_its_share_ = on_its_share;
    return true;
}

bool NodeMemory::write(const std::string& text) {
    const std::filesystem::path fresh = file_.string() + ".new";
    if (write_synced(fresh, text) && rename(fresh.c_str(), file_.c_str()) == 0 &&
        sync_directory(file_.parent_path()))
        return true;
    error_ = fmt::format("cannot write {}: {}", file_.string(), strerror(errno));
    return false;
}

}  // namespace outpost::store

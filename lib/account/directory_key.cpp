#include "account/directory_key.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/random.hpp"

namespace outpost::account {

namespace {

constexpr std::size_t key_size = 32;

std::unexpected<std::string> failed(const char* what, const std::filesystem::path& file) {
    return std::unexpected(fmt::format("cannot {} {}: {}", what, file.string(), strerror(errno)));
}

bool write_all(int file, const std::string& octets) {
    return write(file, octets.data(), octets.size()) == static_cast<ssize_t>(octets.size()) &&
           fsync(file) == 0;
}

}  // namespace

std::expected<std::string, std::string> directory_key(const std::filesystem::path& file) {
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    if (std::ifstream stream(file, std::ios::binary); stream) {
        std::string key((std::istreambuf_iterator<char>(stream)), {});
        if (key.size() == key_size) return key;
        // Cut short by a crash at the first start; nothing depends on the old value.
    }
    const std::filesystem::path fresh = file.string() + ".new";
    const int opened = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (opened < 0) return failed("create", fresh);
    std::string key = base::random_octets(key_size);
    const bool written = write_all(opened, key);
    close(opened);
    if (!written) return failed("write", fresh);
    if (rename(fresh.c_str(), file.c_str()) != 0) return failed("create", file);
    return key;
}

}  // namespace outpost::account

#include "store/private_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.hpp"

namespace outpost::store {

namespace {

constexpr mode_t file_mode = 0600;

}  // namespace

void create_private(const std::filesystem::path& file) {
    const int made = open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, file_mode);
    if (made >= 0) {
        close(made);
    } else if (errno != EEXIST) {
        throw base::StartFailure(
            EX_CANTCREAT,
            fmt::format("cannot create {}: {}; data_dir must exist and belong to the user that "
                        "runs outpostd",
                        file.string(), strerror(errno)));
    } else if (chmod(file.c_str(), file_mode) != 0) {
        throw base::StartFailure(EX_NOPERM, fmt::format("cannot make {} private (mode 0600): {}",
                                                        file.string(), strerror(errno)));
    }
}

}  // namespace outpost::store

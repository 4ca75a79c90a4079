#include "config/executable.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "config/units.hpp"

namespace outpost::config {

std::optional<std::string> not_executable(const std::string& path) {
    struct stat status{};
    const bool found = ::stat(path.c_str(), &status) == 0;
    if (found && !S_ISREG(status.st_mode)) return fmt::format("{} is not a file", in_quotes(path));
    if (found && ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0) return std::nullopt;
    return fmt::format("{}: {}", in_quotes(path), std::system_category().message(errno));
}

}  // namespace outpost::config

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "config/section.hpp"

namespace outpost::config {

/// Reads a secret of a section: a plain string, `{file: PATH}`, `{env: NAME}` or
/// `{credential: NAME}`. Nothing if the key is missing or faulty; what is wrong is reported, naming
/// the source and never the value. Reads files and the environment.
[[nodiscard]] std::optional<base::Secret> read_secret(Section& section, std::string_view key);

/// `path`, or if it is relative, `path` in the directory of the file where it is written.
[[nodiscard]] std::string resolve_path(const Place& place, const std::string& path);
/// Why a file cannot be read as a regular file; nothing if it can.
[[nodiscard]] std::optional<std::string> unreadable(const std::string& path);

}  // namespace outpost::config

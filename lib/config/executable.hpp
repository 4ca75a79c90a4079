#pragma once

#include <optional>
#include <string>

namespace outpost::config {

/// Why we cannot run this file as a program, with its name; nothing if we can.
[[nodiscard]] std::optional<std::string> not_executable(const std::string& path);

}  // namespace outpost::config

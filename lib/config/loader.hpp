#pragma once

#include <expected>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/types.hpp"

namespace outpost::config {

/// Reads the file and those that it includes, fetches secrets, and checks all of it. Every fault is
/// reported at once (up to a bound), in order of place. Reads files, environment variables and the
/// machine's name; blocks.
[[nodiscard]] std::expected<Config, std::vector<Diagnostic>> load(const std::string& path);

}  // namespace outpost::config

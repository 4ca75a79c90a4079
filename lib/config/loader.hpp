#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/diagnostic.hpp"
#include "config/types.hpp"

namespace outpost::config {

/// What is wrong with a certificate and its key, both readable; nothing if they are good.
using CertificateCheck = std::function<std::optional<std::string>(const Certificate&)>;

/// Reads the file and those that it includes, fetches secrets, and checks all of it. Every fault is
/// reported at once (up to a bound), in order of place. Reads files, environment variables and the
/// machine's name; blocks.
[[nodiscard]] std::expected<Config, std::vector<Diagnostic>> load(
    const std::string& path, const CertificateCheck& check_certificate = {});

}  // namespace outpost::config

#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace outpost::account {

/// The key of Directory::build, 32 octets kept in `file` with mode 0600 and made at the first
/// start: with another one at each start, whoever compares SCRAM salts could tell the names of
/// accounts from others. Its directory is made if missing. Blocks. The error names the file.
[[nodiscard]] std::expected<std::string, std::string> directory_key(
    const std::filesystem::path& file);

}  // namespace outpost::account

#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace outpost::config {

/// What is kept of a password (RFC 5803 with SCRAM-SHA-256 of RFC 7677). Keys and salt are octets.
struct ScramValue {
    std::uint32_t iterations = 0;
    std::string salt;
    std::string stored_key;  ///< 32 octets
    std::string server_key;  ///< 32 octets

    bool operator==(const ScramValue&) const = default;
    /// Reads `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. The error says what is
    /// wrong without showing any part of the value.
    [[nodiscard]] static std::expected<ScramValue, std::string> parse(std::string_view text);
    [[nodiscard]] std::string text() const;
};

}  // namespace outpost::config

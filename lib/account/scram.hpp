#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/scram_value.hpp"

namespace outpost::account::scram {

constexpr std::uint32_t default_iterations = 4096;
constexpr std::size_t default_salt_size = 16;

/// What is to be stored of `password` (RFC 5802 section 3 with SHA-256). Takes milliseconds.
[[nodiscard]] config::ScramValue make(std::string_view password, std::string salt,
                                      std::uint32_t iterations = default_iterations);
/// The same with a random salt and the default iterations.
[[nodiscard]] config::ScramValue make(std::string_view password);
/// Takes the same time whether right or wrong; milliseconds.
[[nodiscard]] bool verify(const config::ScramValue& value, std::string_view password);

/// HMAC-SHA-256 (RFC 2104), 32 octets.
[[nodiscard]] std::string hmac(std::string_view key, std::string_view octets);

}  // namespace outpost::account::scram

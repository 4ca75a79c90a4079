#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "config/types.hpp"

/// Values with units. An error is a sentence that begins with the value in quotes.
namespace outpost::config {

/// `500ms 30s 5m 4h 5d`, and `0`. At most ten years.
[[nodiscard]] std::expected<Duration, std::string> parse_duration(std::string_view text);
/// `100 512KB 25MB 2GB 1TB` in octets, powers of 1024.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_size(std::string_view text);
/// `20/10m`, `20/h`, `20/hour`; neither part is 0.
[[nodiscard]] std::expected<CountPerPeriod, std::string> parse_count_per_period(
    std::string_view text);
/// `25` or `1025-5000`.
[[nodiscard]] std::expected<PortRange, std::string> parse_ports(std::string_view text);
/// A decimal number without sign.
[[nodiscard]] std::expected<std::uint64_t, std::string> parse_number(std::string_view text);
/// A decimal fraction without sign or exponent, `0.2`.
[[nodiscard]] std::expected<double, std::string> parse_fraction(std::string_view text);

/// The value as it may stand in a message: in quotes, on one line, not too long.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace outpost::config

#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "limit/usage.hpp"

namespace outpost::limit {

/// At most `count` in any sliding window of `period`.
struct Rate {
    std::uint64_t count = 0;
    std::chrono::milliseconds period{};
    Unit unit = Unit::recipients;

    bool operator==(const Rate&) const = default;
    /// As parse_rate() takes it, in its shortest form: `14/s`, `500 messages/5m`, `80MB/5m`.
    [[nodiscard]] std::string text() const;
};

/// `14/s`, `1200/h`, `1200/hour`, `500/5m`, `80MB/5m`, `500 messages/5m`, `20 recipients/s`. A
/// period is a number (1 if left out) and ms, s, m, h, d or their English names (sec, second(s),
/// min, minute(s), hour(s), day(s)); at least a second, at most 31 days. The error is a sentence
/// that begins with the value in quotes: `"1200/x" is not a rate; write COUNT/PERIOD, such as
/// 1200/h`.
[[nodiscard]] std::expected<Rate, std::string> parse_rate(std::string_view text);

}  // namespace outpost::limit

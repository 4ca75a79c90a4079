#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace outpost::base {

[[nodiscard]] constexpr char ascii_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// ASCII case folded; octets over 127 are left as they are.
[[nodiscard]] std::string to_lower(std::string_view text);
/// Equal but for ASCII case.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b) noexcept;
/// Without leading and trailing spaces and tabs.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;
/// The parts between separators, each trimmed, empty ones left out.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text, char separator);
/// A value as safe, single-line text for a log or a reply: control characters become `?`, and
/// what is over `limit` octets is cut at a UTF-8 boundary and marked with `...`.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 256);
/// The candidate nearest to `word` by edit distance, if near enough to be a likely slip.
[[nodiscard]] std::optional<std::string> near_match(std::string_view word,
                                                    std::span<const std::string_view> candidates);
/// Well-formed UTF-8 (RFC 3629): no surrogates, no overlong forms.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;
[[nodiscard]] bool is_ascii(std::string_view text) noexcept;

}  // namespace outpost::base

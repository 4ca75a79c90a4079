#include "smtp/domain.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>

#include "base/text.hpp"

namespace outpost::smtp {
namespace {

constexpr std::size_t max_domain = 255;  // RFC 5321 section 4.5.3.1.2
constexpr std::size_t max_label = 63;    // RFC 1035 section 2.3.4

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr bool is_hex(char c) noexcept {
    const char lower = base::ascii_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'f');
}
constexpr bool is_high(char c) noexcept {
    return static_cast<unsigned char>(c) >= 128;
}

constexpr bool is_let_dig(char c, bool allow_utf8) noexcept {
    const char lower = base::ascii_lower(c);
    return is_digit(c) || (lower >= 'a' && lower <= 'z') || (allow_utf8 && is_high(c));
}

bool is_label(std::string_view label, bool allow_utf8) noexcept {
    if (label.empty() || label.front() == '-' || label.back() == '-') return false;
    // The bound of a U-label holds for its A-label form, which is not computed here.
    if (label.size() > max_label && base::is_ascii(label)) return false;
    return std::ranges::all_of(label,
                               [=](char c) { return c == '-' || is_let_dig(c, allow_utf8); });
}

/// The number of 16-bit groups in `text`, `1:2:3` or with a dotted IPv4 address as the last two;
/// nothing if malformed. The empty text has none.
std::optional<std::size_t> count_groups(std::string_view text, bool ipv4_allowed) noexcept {
    if (text.empty()) return 0;
    std::size_t count = 0;
    for (const auto part : std::views::split(text, ':')) {
        const std::string_view group(part.begin(), part.end());
        const bool last = part.end() == text.end();
        if (last && ipv4_allowed && is_ipv4(group)) return count + 2;
        if (group.empty() || group.size() > 4 || !std::ranges::all_of(group, is_hex)) return {};
        ++count;
    }
    return count;
}

}  // namespace

bool is_domain(std::string_view text, bool allow_utf8) noexcept {
    if (text.empty() || text.size() > max_domain) return false;
    if (allow_utf8 && !base::is_utf8(text)) return false;
    for (const auto part : std::views::split(text, '.')) {
        if (!is_label({part.begin(), part.end()}, allow_utf8)) return false;
    }
    return true;
}

bool is_ipv4(std::string_view text) noexcept {
    int count = 0;
    for (const auto part : std::views::split(text, '.')) {
        const std::string_view octet(part.begin(), part.end());
        if (octet.empty() || octet.size() > 3 || !std::ranges::all_of(octet, is_digit))
            return false;
        if (octet.size() > 1 && octet.front() == '0') return false;
        int value = 0;
        for (const char c : octet) value = value * 10 + (c - '0');
        if (value > 255) return false;
        ++count;
    }
    return count == 4;
}

bool is_ipv6(std::string_view text) noexcept {
    const auto gap = text.find("::");
    if (gap == std::string_view::npos) return count_groups(text, true) == 8;
    const auto before = count_groups(text.substr(0, gap), false);
    const auto after = count_groups(text.substr(gap + 2), true);
    return before && after && *before + *after <= 7;
}

bool is_address_literal(std::string_view text) noexcept {
    if (text.size() < 2 || text.front() != '[' || text.back() != ']') return false;
    text = text.substr(1, text.size() - 2);
    constexpr std::string_view tag = "IPv6:";
    if (base::iequals(text.substr(0, tag.size()), tag)) return is_ipv6(text.substr(tag.size()));
    return is_ipv4(text);
}

}  // namespace outpost::smtp

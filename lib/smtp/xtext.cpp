#include "smtp/xtext.hpp"

namespace outpost::smtp {
namespace {

constexpr bool is_xchar(char c) noexcept {
    return c >= 33 && c <= 126 && c != '+' && c != '=';
}

/// Upper case alone, as RFC 3461 asks.
constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string xtext_encode(std::string_view octets) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    out.reserve(octets.size());
    for (const char c : octets) {
        if (is_xchar(c)) {
            out += c;
        } else {
            const auto octet = static_cast<unsigned char>(c);
            out += '+';
            out += digits[octet >> 4];
            out += digits[octet & 15];
        }
    }
    return out;
}

std::optional<std::string> xtext_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_xchar(text[i])) {
            out += text[i];
            continue;
        }
        if (text[i] != '+' || text.size() - i < 3) return {};
        const int high = hex_value(text[i + 1]);
        const int low = hex_value(text[i + 2]);
        if (high < 0 || low < 0) return {};
        out += static_cast<char>(high << 4 | low);
        i += 2;
    }
    return out;
}

}  // namespace outpost::smtp

#include "smtp/dsn_parameters.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/text.hpp"
#include "smtp/xtext.hpp"

namespace outpost::smtp {
namespace {

constexpr std::size_t max_envid = 100;  // RFC 3461 section 5.4
constexpr std::size_t max_orcpt = 500;  // section 5.4

bool is_printable_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return c >= 32 && c <= 126; });
}

/// Decoded values end up in header fields of reports: no control characters, whatever the xtext.
bool decodes_to_printable(std::string_view xtext) {
    const auto decoded = xtext_decode(xtext);
    return decoded && !decoded->empty() && is_printable_ascii(*decoded);
}

bool is_atom(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        const char lower = base::ascii_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c);
    });
}

/// The length of `\x{HEX}` at the front of `text`, 0 if it is none or names what is no
/// character or a control character.
std::size_t embedded_unicode(std::string_view text) noexcept {
    if (!text.starts_with("\\x{")) return 0;
    const auto close = text.find('}');
    if (close == std::string_view::npos || close < 5 || close > 9) return 0;
    std::uint32_t code = 0;
    const char* const end = text.data() + close;
    if (std::from_chars(text.data() + 3, end, code, 16).ptr != end) return 0;
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    return control || surrogate || code > 0x10FFFF ? 0 : close + 1;
}

/// utf-8-addr-xtext or utf-8-addr-unitext, with `+HH` taken as well since it is still xtext.
bool is_utf8_address(std::string_view text) {
    if (text.empty() || !base::is_utf8(text)) return false;
    while (!text.empty()) {
        const auto octet = static_cast<unsigned char>(text.front());
        std::size_t length = 1;
        if (octet == '\\') {
            length = embedded_unicode(text);
        } else if (octet == '+') {
            length = decodes_to_printable(text.substr(0, 3)) ? 3 : 0;
        } else if (octet < 33 || octet == '=' || octet == 127) {
            length = 0;
        }
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

}  // namespace

bool parse_notify(std::string_view value, Notify& notify) {
    notify = Notify{.given = true};
    if (base::iequals(value, "NEVER")) {
        notify.never = true;
        return true;
    }
    for (;;) {
        const auto comma = value.find(',');
        const auto word = value.substr(0, comma);
        bool* const flag = base::iequals(word, "SUCCESS")   ? &notify.success
                           : base::iequals(word, "FAILURE") ? &notify.failure
                           : base::iequals(word, "DELAY")   ? &notify.delay
                                                            : nullptr;
        if (flag == nullptr) return false;
        *flag = true;
        if (comma == std::string_view::npos) return true;
        value.remove_prefix(comma + 1);
    }
}

bool parse_ret(std::string_view value, Ret& ret) noexcept {
    if (base::iequals(value, "FULL")) {
        ret = Ret::full;
    } else if (base::iequals(value, "HDRS")) {
        ret = Ret::headers;
    } else {
        return false;
    }
    return true;
}

bool is_envid(std::string_view value) {
    return value.size() <= max_envid && decodes_to_printable(value);
}

bool is_orcpt(std::string_view value) {
    const auto semicolon = value.find(';');
    if (value.size() > max_orcpt || semicolon == std::string_view::npos) return false;
    const auto type = value.substr(0, semicolon);
    const auto address = value.substr(semicolon + 1);
    if (!is_atom(type)) return false;
    return base::iequals(type, "utf-8") ? is_utf8_address(address) : decodes_to_printable(address);
}

}  // namespace outpost::smtp

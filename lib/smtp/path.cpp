#include "smtp/path.hpp"

#include <algorithm>
#include <cstddef>

#include "base/text.hpp"
#include "smtp/domain.hpp"

namespace outpost::smtp {
namespace {

constexpr std::size_t max_local = 64;     // RFC 5321 section 4.5.3.1.1
constexpr std::size_t max_address = 254;  // section 4.5.3.1.3: 256 with the angle brackets

constexpr bool is_high(char c) noexcept {
    return static_cast<unsigned char>(c) >= 128;
}

/// atext of RFC 5322 section 3.2.3, with UTF-8 (RFC 6531 section 3.3). Whether UTF-8 is allowed
/// and well-formed is checked for the whole address at once.
constexpr bool is_atext(char c) noexcept {
    const char lower = base::ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || is_high(c) ||
           std::string_view("!#$%&'*+-/=?^_`{|}~").contains(c);
}

bool is_dot_string(std::string_view text) noexcept {
    if (text.empty() || text.front() == '.' || text.back() == '.') return false;
    if (text.contains("..")) return false;
    return std::ranges::all_of(text, [](char c) { return c == '.' || is_atext(c); });
}

/// Octets that may stand between quotes, some of them only behind a backslash.
constexpr bool is_quotable(char c) noexcept {
    return (c >= 32 && c <= 126) || is_high(c);
}

/// No C1 control characters (U+0080 to U+009F): they are text to nobody.
bool has_c1_control(std::string_view text) noexcept {
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        if (text[i] == '\xC2' && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
    }
    return false;
}

struct LocalPart {
    std::string value;
    std::size_t length = 0;  ///< octets it takes as written
};

/// `"..."` at the front of `text`.
std::optional<LocalPart> quoted_string(std::string_view text) {
    LocalPart part;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            part.length = i + 1;
            return part;
        }
        const bool pair = text[i] == '\\';
        if (pair && ++i == text.size()) return {};
        if (!is_quotable(text[i]) || (pair && is_high(text[i]))) return {};
        part.value.push_back(text[i]);
    }
    return {};
}

std::optional<LocalPart> local_part(std::string_view text) {
    if (text.starts_with('"')) return quoted_string(text);
    const auto at = text.find('@');
    if (at == std::string_view::npos || !is_dot_string(text.substr(0, at))) return {};
    return LocalPart{std::string(text.substr(0, at)), at};
}

}  // namespace

std::string Mailbox::address() const {
    std::string out;
    out.reserve(local.size() + domain.size() + 3);
    if (is_dot_string(local)) {
        out = local;
    } else {
        out += '"';
        for (const char c : local) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        out += '"';
    }
    if (!domain.empty()) out.append("@").append(domain);
    return out;
}

bool Mailbox::needs_smtputf8() const noexcept {
    return std::ranges::any_of(local, is_high) || std::ranges::any_of(domain, is_high);
}

std::optional<Mailbox> parse_mailbox(std::string_view text, bool allow_utf8) {
    if (text.size() > max_address) return {};
    if (!base::is_ascii(text)) {
        if (!allow_utf8 || !base::is_utf8(text) || has_c1_control(text)) return {};
    }
    auto local = local_part(text);
    if (!local || local->length > max_local) return {};
    text.remove_prefix(local->length);
    if (!text.starts_with('@')) return {};
    text.remove_prefix(1);
    if (!is_domain(text, allow_utf8) && !is_address_literal(text)) return {};
    return Mailbox{std::move(local->value), std::string(text)};
}

}  // namespace outpost::smtp

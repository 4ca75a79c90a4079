#include "smtp/reply_parser.hpp"

#include <algorithm>
#include <utility>

namespace outpost::smtp {

namespace {

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// One to three digits at the front of `text`, taken off.
std::optional<std::uint16_t> take_number(std::string_view& text) {
    std::uint16_t value = 0;
    std::size_t used = 0;
    while (used < text.size() && used < 3 && is_digit(text[used])) {
        value = static_cast<std::uint16_t>(value * 10 + (text[used] - '0'));
        ++used;
    }
    if (used == 0) return std::nullopt;
    text.remove_prefix(used);
    return value;
}

/// The enhanced status code at the front of `text` (RFC 2034), taken off with the space after it.
/// Its class must be that of the reply code, else it is text like any other.
EnhancedStatus take_status(std::string_view& text, int code) {
    if (text.size() < 5 || text[1] != '.' || text[0] != '0' + code / 100 || text[0] == '3')
        return {};
    std::string_view rest = text.substr(2);
    const auto subject = take_number(rest);
    if (!subject || rest.empty() || rest.front() != '.') return {};
    rest.remove_prefix(1);
    const auto detail = take_number(rest);
    if (!detail || (!rest.empty() && rest.front() != ' ')) return {};
    text = rest.empty() ? rest : rest.substr(1);
    return {static_cast<std::uint8_t>(code / 100), *subject, *detail};
}

std::string shown(std::string_view text) {
    std::string result(text);
    std::ranges::replace_if(
        result,
        [](char c) {
            const auto octet = static_cast<unsigned char>(c);
            return octet < 0x20 || octet == 0x7f;
        },
        '?');
    return result;
}

}  // namespace

std::string_view describe(ReplyFault fault) noexcept {
    switch (fault) {
        case ReplyFault::bare_newline: return "a reply line with a bare CR or LF";
        case ReplyFault::malformed: return "a line that is no SMTP reply";
        case ReplyFault::mixed_codes: return "a reply whose lines carry different codes";
        case ReplyFault::line_too_long: return "a reply line of over 2048 octets";
        case ReplyFault::too_many_lines: return "a reply of over 512 lines";
        case ReplyFault::reply_too_long: return "a reply of over 64 KB";
    }
    return "a line that is no SMTP reply";
}

void ReplyParser::reset() {
    reply_ = {};
    line_.clear();
    octets_ = 0;
    fault_.reset();
}

ReplyParser::Result ReplyParser::take(std::string_view& input) {
    while (!fault_ && !input.empty()) {
        const auto end = input.find('\n');
        const auto piece = input.substr(0, end == std::string_view::npos ? end : end + 1);
        if (line_.size() + piece.size() > max_line) {
            fault_ = ReplyFault::line_too_long;
            break;
        }
        input.remove_prefix(piece.size());
        if (end == std::string_view::npos) {
            line_ += piece;
            break;
        }
        std::string_view line = piece;
        if (!line_.empty()) line = line_ += piece;
        const auto last = add_line(line);
        line_.clear();
        if (!last) {
            fault_ = last.error();
        } else if (*last) {
            octets_ = 0;
            return std::exchange(reply_, {});
        }
    }
    if (fault_) return std::unexpected(*fault_);
    return std::nullopt;
}

std::expected<bool, ReplyFault> ReplyParser::add_line(std::string_view line) {
    octets_ += line.size();
    if (octets_ > max_reply) return std::unexpected(ReplyFault::reply_too_long);
    if (reply_.lines.size() == max_lines) return std::unexpected(ReplyFault::too_many_lines);
    if (!line.ends_with("\r\n")) return std::unexpected(ReplyFault::bare_newline);
    line.remove_suffix(2);
    if (line.find('\r') != std::string_view::npos) return std::unexpected(ReplyFault::bare_newline);
    if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) ||
        !is_digit(line[2]))
        return std::unexpected(ReplyFault::malformed);
    const int code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    line.remove_prefix(3);
    const bool more = line.starts_with('-');
    if (!line.empty()) {
        if (!more && line.front() != ' ') return std::unexpected(ReplyFault::malformed);
        line.remove_prefix(1);
    }
    if (reply_.code != 0 && reply_.code != code) return std::unexpected(ReplyFault::mixed_codes);
    reply_.code = code;
    if (const auto status = take_status(line, code); status.present() && !reply_.status.present())
        reply_.status = status;
    reply_.lines.push_back(shown(line));
    return !more;
}

}  // namespace outpost::smtp

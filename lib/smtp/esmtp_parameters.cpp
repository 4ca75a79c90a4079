#include "smtp/esmtp_parameters.hpp"

#include <algorithm>

namespace outpost::smtp {
namespace {

constexpr std::size_t shown_octets = 128;

bool is_keyword(std::string_view text) noexcept {
    const auto alnum = [](char c) {
        const char lower = base::ascii_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
    };
    return !text.empty() && alnum(text.front()) &&
           std::ranges::all_of(text, [&](char c) { return c == '-' || alnum(c); });
}

/// esmtp-value, with the UTF-8 of RFC 6531 section 3.3.
bool is_value(std::string_view text) noexcept {
    return !text.empty() && base::is_utf8(text) && std::ranges::all_of(text, [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return octet > 32 && octet != '=' && octet != 127;
    });
}

}  // namespace

std::unexpected<CommandError> refuse(CommandFault fault, std::string_view text,
                                     std::string_view expected) {
    return std::unexpected(
        CommandError{fault, base::printable(text, shown_octets), std::string(expected)});
}

std::expected<EsmtpParameter, CommandError> take_parameter(std::string_view& rest) {
    constexpr std::string_view blank = " \t";
    rest.remove_prefix(std::min(rest.find_first_not_of(blank), rest.size()));
    const auto word = rest.substr(0, rest.find_first_of(blank));
    rest.remove_prefix(word.size());
    const auto equals = word.find('=');
    EsmtpParameter parameter{word.substr(0, equals), {}};
    if (equals != std::string_view::npos) parameter.value = word.substr(equals + 1);
    if (!is_keyword(parameter.keyword) || (parameter.value && !is_value(*parameter.value)))
        return refuse(CommandFault::bad_parameter, word, "KEYWORD or KEYWORD=VALUE");
    return parameter;
}

}  // namespace outpost::smtp

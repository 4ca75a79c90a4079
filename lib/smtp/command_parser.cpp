#include "smtp/command_parser.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.hpp"
#include "smtp/command_parsers.hpp"
#include "smtp/esmtp_parameters.hpp"

namespace outpost::smtp {
namespace {

constexpr std::string_view blank = " \t";
constexpr std::size_t max_helo = 255;  // RFC 5321 section 4.5.3.1.2
constexpr std::size_t shown_verb = 32;

/// What cannot stand in a Received field without quoting, or could break its comment.
bool is_fit_for_trace(char c) noexcept {
    const auto octet = static_cast<unsigned char>(c);
    return octet > 32 && octet != 127 && !std::string_view("<>()\\\";@,").contains(c);
}

/// RFC 5321 section 4.1.4 forbids refusing mail for the name, and clients send anything from
/// `[192.0.2.1]` to `John's PC`: the text is only made harmless.
std::expected<std::string, CommandError> helo_name(std::string_view argument) {
    if (argument.empty()) return refuse(CommandFault::missing_argument, {}, "your host name");
    if (argument.size() > max_helo)
        return refuse(CommandFault::bad_argument, argument, "at most 255 octets");
    std::string name(argument);
    const bool utf8 = base::is_utf8(name);
    for (char& c : name) {
        if (!is_fit_for_trace(c) || (!utf8 && static_cast<unsigned char>(c) > 127)) c = '?';
    }
    return name;
}

template <class Greeting>
CommandResult parse_greeting(std::string_view argument, bool /*smtputf8*/) {
    auto name = helo_name(argument);
    if (!name) return std::unexpected(std::move(name.error()));
    return Greeting{*std::move(name)};
}

template <class Simple>
CommandResult parse_bare(std::string_view argument, bool /*smtputf8*/) {
    if (!argument.empty()) return refuse(CommandFault::unexpected_argument, argument);
    return Simple{};
}

/// NOOP and HELP, whose argument means nothing to us.
template <class Simple>
CommandResult parse_any(std::string_view /*argument*/, bool /*smtputf8*/) {
    return Simple{};
}

template <class Asking>
CommandResult parse_asking(std::string_view argument, bool /*smtputf8*/) {
    if (argument.empty()) return refuse(CommandFault::missing_argument, {}, "a name or an address");
    return Asking{base::printable(argument)};
}

struct Verb {
    std::string_view name;
    CommandResult (*parse)(std::string_view argument, bool smtputf8);
};

/// The frequent ones first.
constexpr std::array<Verb, 14> verbs{{
    {"MAIL", parse_mail},
    {"RCPT", parse_rcpt},
    {"DATA", parse_bare<DataCommand>},
    {"BDAT", parse_bdat},
    {"EHLO", parse_greeting<EhloCommand>},
    {"QUIT", parse_bare<QuitCommand>},
    {"AUTH", parse_auth},
    {"STARTTLS", parse_bare<StartTlsCommand>},
    {"RSET", parse_bare<RsetCommand>},
    {"HELO", parse_greeting<HeloCommand>},
    {"NOOP", parse_any<NoopCommand>},
    {"VRFY", parse_asking<VrfyCommand>},
    {"EXPN", parse_asking<ExpnCommand>},
    {"HELP", parse_any<HelpCommand>},
}};

bool is_verb(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        const char lower = base::ascii_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
}

}  // namespace

std::expected<Command, CommandError> parse_command(std::string_view line, bool smtputf8) {
    const auto end = std::min(line.find_first_of(blank), line.size());
    const auto name = line.substr(0, end);
    if (!is_verb(name)) return refuse(CommandFault::syntax, base::printable(name, shown_verb));
    const auto argument = base::trim(line.substr(end));
    for (const Verb& verb : verbs) {
        if (base::iequals(verb.name, name)) return verb.parse(argument, smtputf8);
    }
    return UnknownCommand{base::printable(name, shown_verb)};
}

}  // namespace outpost::smtp

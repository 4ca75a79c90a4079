#include "upstream/sendmail_command.hpp"

#include <fmt/format.h>
#include <string.h>
#include <sysexits.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "smtp/client_machine.hpp"

namespace outpost::upstream {

namespace {

constexpr std::size_t longest_words = 1000;  // of the program's, in a reply

/// An argument's octets on the new program's stack: its text, the NUL and a pointer.
std::size_t room_for(std::string_view argument) {
    return argument.size() + 1 + sizeof(char*);
}

std::string_view sender_argument(const smtp::Envelope& envelope) {
    // The null reverse-path. `<>` means it to Sendmail (whose vacation(1) writes it so), to
    // Postfix, to Exim (whose manual names it) and to msmtp; an empty argument means our own user
    // to some.
    return envelope.reverse_path.empty() ? std::string_view("<>") : envelope.reverse_path;
}

/// One line of printable text; its lines are set off by ` / `.
std::string one_line(std::string_view output) {
    std::string line;
    while (!output.empty()) {
        const auto end = std::min(output.find_first_of("\r\n"), output.size());
        const auto part = base::trim(output.substr(0, end));
        if (!part.empty()) {
            if (!line.empty()) line += " / ";
            line += part;
        }
        output.remove_prefix(std::min(end + 1, output.size()));
    }
    if (!base::is_utf8(line))
        std::ranges::replace_if(
            line, [](char c) { return static_cast<unsigned char>(c) > 127; }, '?');
    return base::printable(line, longest_words);
}

struct Meaning {
    int code;
    Verdict verdict;
    Scope scope;
    smtp::EnhancedStatus status;
    std::string_view words;
};

using enum Verdict;
/// A deferral is the upstream's where the system or the connection is at fault: then other mail
/// would fare no better. msmtp says 65 and 69 where a server refuses one recipient, for good and
/// for now.
constexpr auto meanings = std::to_array<Meaning>({
    {EX_USAGE, deferred, Scope::message, {}, "wrong arguments"},
    {EX_DATAERR, failed, Scope::message, {5, 6, 0}, "the message is refused"},
    {EX_NOUSER, failed, Scope::message, {5, 1, 1}, "unknown recipient"},
    {EX_NOHOST, failed, Scope::message, {5, 1, 2}, "unknown domain"},
    {EX_UNAVAILABLE, deferred, Scope::message, {}, "service unavailable"},
    {EX_SOFTWARE, deferred, Scope::message, {}, "an internal error"},
    {EX_OSERR, deferred, Scope::upstream, {}, "an error of the system"},
    {EX_OSFILE, deferred, Scope::upstream, {}, "a system file is missing"},
    {EX_CANTCREAT, deferred, Scope::upstream, {}, "cannot create a file"},
    {EX_IOERR, deferred, Scope::upstream, {}, "an I/O error"},
    {EX_TEMPFAIL, deferred, Scope::upstream, {}, "a temporary failure"},
    {EX_PROTOCOL, deferred, Scope::message, {}, "a protocol error"},
    {EX_NOPERM, misconfigured, Scope::message, {}, "no permission"},
    {EX_CONFIG, misconfigured, Scope::upstream, {}, "its configuration is wrong"},
});

Meaning meaning_of(const SendmailEnd& end) {
    if (end.timed_out || !end.code) return {0, deferred, Scope::upstream, {}, ""};
    const auto* const known = std::ranges::find(meanings, *end.code, &Meaning::code);
    if (known != meanings.end()) return *known;
    return {*end.code, deferred, Scope::message, {}, "not a code of sysexits.h"};
}

std::string how_it_ended(const SendmailEnd& end, const Meaning& meaning) {
    if (end.timed_out) return "took too long and was stopped";
    if (end.signal != 0)
        return fmt::format("was ended by signal {} ({})", end.signal, ::strsignal(end.signal));
    if (!end.code) return "ended, but its exit code cannot be had";
    return fmt::format("ended with code {} ({})", meaning.code, meaning.words);
}

}  // namespace

std::vector<std::string> sendmail_arguments(const smtp::Envelope& envelope,
                                            std::span<const std::uint32_t> recipients) {
    // What follows -f is its value and what follows -- is an address, however it begins.
    std::vector<std::string> arguments{"-i", "-f", std::string(sender_argument(envelope)), "--"};
    arguments.reserve(arguments.size() + recipients.size());
    for (const auto index : recipients) arguments.push_back(envelope.recipients[index].address);
    return arguments;
}

std::size_t sendmail_batch(const smtp::Envelope& envelope,
                           std::span<const std::uint32_t> recipients, std::size_t octets) {
    std::size_t used =
        room_for("-i") + room_for("-f") + room_for(sender_argument(envelope)) + room_for("--");
    std::size_t count = 0;
    for (const auto index : recipients) {
        used += room_for(envelope.recipients[index].address);
        if (used > octets) break;
        ++count;
    }
    return std::max<std::size_t>(count, 1);
}

void LineFeeds::convert(std::string_view octets, std::string& out) {
    if (octets.empty()) return;
    if (std::exchange(held_, false) && octets.front() != '\n') out += '\r';
    held_ = octets.back() == '\r';
    if (held_) octets.remove_suffix(1);
    for (;;) {
        const auto end = octets.find("\r\n");
        out += octets.substr(0, end);
        if (end == std::string_view::npos) return;
        octets.remove_prefix(end + 1);
    }
}

void LineFeeds::finish(std::string& out) {
    if (std::exchange(held_, false)) out += '\r';
}

Outcome classify_sendmail(std::string_view command, const SendmailEnd& end) {
    Outcome outcome;
    outcome.remote = command;
    const std::string said = one_line(end.output);
    if (end.code == EX_OK && !end.timed_out) {
        outcome.verdict = delivered;
        outcome.reply = {.code = 250,
                         .status = {2, 0, 0},
                         .lines = {said.empty() ? fmt::format("handed to {}", command) : said}};
        return outcome;
    }
    const Meaning meaning = meaning_of(end);
    outcome.verdict = meaning.verdict;
    outcome.scope = meaning.scope;
    outcome.reply = smtp::own_words(fmt::format("{} {}{}{}", command, how_it_ended(end, meaning),
                                                said.empty() ? "" : ": ", said));
    outcome.reply.status = meaning.status;
    return outcome;
}

bool may_be_one_recipients_fault(const Outcome& outcome) noexcept {
    return (outcome.verdict == failed || outcome.verdict == deferred) &&
           outcome.scope == Scope::message;
}

}  // namespace outpost::upstream

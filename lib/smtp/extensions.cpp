#include "smtp/extensions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"

namespace outpost::smtp {
namespace {

struct Flag {
    std::string_view keyword;
    bool Extensions::* member;
};

/// Keywords that say all by themselves.
constexpr std::array<Flag, 9> flags{{
    {"PIPELINING", &Extensions::pipelining},
    {"STARTTLS", &Extensions::starttls},
    {"8BITMIME", &Extensions::eight_bit_mime},
    {"SMTPUTF8", &Extensions::smtputf8},
    {"CHUNKING", &Extensions::chunking},
    {"BINARYMIME", &Extensions::binary_mime},
    {"DSN", &Extensions::dsn},
    {"ENHANCEDSTATUSCODES", &Extensions::enhanced_status_codes},
    {"MT-PRIORITY", &Extensions::mt_priority},
}};

template <class Number>
std::optional<Number> number(std::string_view text) noexcept {
    Number value{};
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (stop != end || error != std::errc{}) return {};
    return value;
}

/// The next word of `text`, which is shortened; empty at the end.
std::string_view take_word(std::string_view& text) noexcept {
    constexpr std::string_view blank = " \t";
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    const auto word = text.substr(0, text.find_first_of(blank));
    text.remove_prefix(word.size());
    return word;
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

void read_auth(std::string_view arguments, Extensions& out) {
    for (auto word = take_word(arguments); !word.empty(); word = take_word(arguments)) {
        auto mechanism = upper(word);
        if (!out.has_auth(mechanism)) out.auth.push_back(std::move(mechanism));
    }
}

/// `RCPTMAX=100`: from 1 up to 6 digits, the first not 0 (RFC 9422 section 4).
void read_limits(std::string_view arguments, Extensions& out) {
    constexpr std::size_t max_digits = 6;
    for (auto word = take_word(arguments); !word.empty(); word = take_word(arguments)) {
        const auto equals = word.find('=');
        if (equals == std::string_view::npos || word.size() - equals - 1 > max_digits) continue;
        const auto value = number<std::uint32_t>(word.substr(equals + 1));
        if (!value || *value == 0) continue;
        const auto name = word.substr(0, equals);
        if (base::iequals(name, "MAILMAX")) out.mail_max = value;
        if (base::iequals(name, "RCPTMAX")) out.rcpt_max = value;
        if (base::iequals(name, "RCPTDOMAINMAX")) out.rcpt_domain_max = value;
    }
}

/// `DELIVERBY 120`: a list, separated by commas, of which RFC 2852 section 2 defines the number.
void read_deliver_by(std::string_view arguments, Extensions& out) {
    const auto list = take_word(arguments);
    out.deliver_by = number<std::uint32_t>(list.substr(0, list.find(','))).value_or(0);
}

void read_line(std::string_view line, Extensions& out) {
    const auto keyword = take_word(line);
    constexpr std::string_view old_auth = "AUTH=";
    if (base::iequals(keyword.substr(0, old_auth.size()), old_auth)) {
        read_auth(keyword.substr(old_auth.size()), out);
        read_auth(line, out);
    } else if (base::iequals(keyword, "AUTH")) {
        read_auth(line, out);
    } else if (base::iequals(keyword, "SIZE")) {
        const auto value = take_word(line);
        out.size = value.empty() ? 0 : number<std::uint64_t>(value);
    } else if (base::iequals(keyword, "DELIVERBY")) {
        read_deliver_by(line, out);
    } else if (base::iequals(keyword, "LIMITS")) {
        read_limits(line, out);
    } else {
        for (const Flag& flag : flags) {
            if (base::iequals(flag.keyword, keyword)) out.*flag.member = true;
        }
    }
}

}  // namespace

bool Extensions::has_auth(std::string_view mechanism) const noexcept {
    return std::ranges::find(auth, mechanism) != auth.end();
}

Reply ehlo_reply(std::string_view hostname, const Extensions& offered) {
    Reply reply{250, {}, {std::string(hostname)}};
    for (const Flag& flag : flags) {
        if (offered.*flag.member) reply.lines.emplace_back(flag.keyword);
    }
    if (offered.size) reply.lines.push_back(fmt::format("SIZE {}", *offered.size));
    if (!offered.auth.empty()) {
        std::string line = "AUTH";
        for (const auto& mechanism : offered.auth) line.append(" ").append(mechanism);
        reply.lines.push_back(std::move(line));
    }
    if (offered.deliver_by)
        reply.lines.push_back(*offered.deliver_by == 0
                                  ? std::string("DELIVERBY")
                                  : fmt::format("DELIVERBY {}", *offered.deliver_by));
    if (const auto& hold = offered.future_release)
        reply.lines.push_back(fmt::format("FUTURERELEASE {} {}", hold->max_interval.count(),
                                          base::rfc3339_seconds(hold->max_time)));
    std::string limits;
    if (offered.mail_max) limits += fmt::format(" MAILMAX={}", *offered.mail_max);
    if (offered.rcpt_max) limits += fmt::format(" RCPTMAX={}", *offered.rcpt_max);
    if (offered.rcpt_domain_max)
        limits += fmt::format(" RCPTDOMAINMAX={}", *offered.rcpt_domain_max);
    if (!limits.empty()) reply.lines.push_back("LIMITS" + limits);
    return reply;
}

Extensions parse_extensions(std::span<const std::string> lines) {
    Extensions out;
    for (std::size_t i = 1; i < lines.size(); ++i) read_line(lines[i], out);
    return out;
}

}  // namespace outpost::smtp

#include <array>
#include <charconv>
#include <limits>

#include "base/text.hpp"
#include "smtp/command_parsers.hpp"
#include "smtp/dsn_parameters.hpp"
#include "smtp/esmtp_parameters.hpp"
#include "smtp/path_argument.hpp"
#include "smtp/xtext.hpp"

namespace outpost::smtp {
namespace {

/// 1*20DIGIT (RFC 1870 section 3); what exceeds 64 bits is certainly too big as well.
bool apply_size(MailCommand& mail, ParameterValue value) {
    constexpr std::size_t max_digits = 20;
    if (!value || value->size() > max_digits) return false;
    std::uint64_t size = 0;
    const char* const begin = value->data();
    const char* const end = begin + value->size();
    const auto [stop, error] = std::from_chars(begin, end, size);
    if (stop != end || error == std::errc::invalid_argument) return false;
    mail.size = error == std::errc{} ? size : std::numeric_limits<std::uint64_t>::max();
    return true;
}

/// 1*9DIGIT.
std::optional<std::chrono::seconds> parse_seconds(std::string_view digits) {
    constexpr std::size_t max_digits = 9;
    if (digits.empty() || digits.size() > max_digits) return {};
    std::uint32_t seconds = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, seconds);
    if (stop != end || error != std::errc{}) return {};
    return std::chrono::seconds(seconds);
}

bool apply_body(MailCommand& mail, ParameterValue value) {
    if (!value) return false;
    if (base::iequals(*value, "7BIT")) {
        mail.body = BodyType::seven_bit;
    } else if (base::iequals(*value, "8BITMIME")) {
        mail.body = BodyType::eight_bit_mime;
    } else if (base::iequals(*value, "BINARYMIME")) {
        mail.body = BodyType::binary_mime;
    } else {
        return false;
    }
    return true;
}

bool apply_smtputf8(MailCommand& mail, ParameterValue value) {
    mail.smtputf8 = true;
    return !value;
}

bool apply_ret(MailCommand& mail, ParameterValue value) {
    return value && parse_ret(*value, mail.ret);
}

bool apply_envid(MailCommand& mail, ParameterValue value) {
    if (!value || !is_envid(*value)) return false;
    mail.envid = *value;
    return true;
}

/// RFC 4954 section 5: who submitted it first. We trust nobody with it and drop it.
bool ignore_auth(MailCommand&, ParameterValue value) {
    return value && xtext_decode(*value);
}

/// `-`, then a digit from 1 to 9; or `0` (RFC 6710 section 4.1).
bool apply_mt_priority(MailCommand& mail, ParameterValue value) {
    if (!value || *value == "-0") return false;
    const bool negative = value->starts_with('-');
    const auto digits = value->substr(negative ? 1 : 0);
    if (digits.size() != 1 || digits[0] < '0' || digits[0] > '9') return false;
    const int priority = digits[0] - '0';
    mail.mt_priority = static_cast<std::int8_t>(negative ? -priority : priority);
    return true;
}

/// future-release-integer: 1 to 9 digits, the first not 0 (RFC 4865 section 3).
bool apply_holdfor(MailCommand& mail, ParameterValue value) {
    if (!value || value->starts_with('0')) return false;
    const auto seconds = parse_seconds(*value);
    if (seconds) mail.hold_for = *seconds;
    return seconds.has_value();
}

bool apply_holduntil(MailCommand& mail, ParameterValue value) {
    if (value) mail.hold_until = base::parse_rfc3339(*value);
    return mail.hold_until.has_value();
}

/// by-time `;` by-mode [by-trace] (RFC 2852 section 4).
bool apply_by(MailCommand& mail, ParameterValue value) {
    const auto semicolon = value ? value->find(';') : std::string_view::npos;
    if (semicolon == std::string_view::npos) return false;
    auto digits = value->substr(0, semicolon);
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    const auto seconds = parse_seconds(digits);
    if (!seconds) return false;
    const auto mode = value->substr(semicolon + 1);
    ByParameter by{.time = negative ? -*seconds : *seconds,
                   .trace = mode.size() == 2 && base::ascii_lower(mode[1]) == 't'};
    if (mode.size() != (by.trace ? 2U : 1U)) return false;
    if (base::ascii_lower(mode[0]) == 'r') {
        by.mode = DeliverBy::Mode::return_mail;
    } else if (base::ascii_lower(mode[0]) != 'n') {
        return false;
    }
    mail.by = by;
    return by.mode == DeliverBy::Mode::notify || by.time.count() > 0;
}

constexpr std::string_view hold_until_form =
    "a date and time of RFC 3339, such as 2030-01-31T08:00:00Z or 2030-01-31T09:00:00+01:00";

constexpr std::array<ParameterRule<MailCommand>, 10> rules{{
    {"SIZE", "a number of octets", apply_size},
    {"BODY", "7BIT, 8BITMIME or BINARYMIME", apply_body},
    {"SMTPUTF8", "no value", apply_smtputf8},
    {"RET", "FULL or HDRS", apply_ret},
    {"ENVID", "up to 100 octets of xtext", apply_envid},
    {"AUTH", "xtext", ignore_auth},
    {"MT-PRIORITY", "a number from -9 to 9", apply_mt_priority},
    {"HOLDFOR", "a number of seconds from 1 to 999999999", apply_holdfor},
    {"HOLDUNTIL", hold_until_form, apply_holduntil},
    {"BY", "SECONDS;N or SECONDS;R, T behind it for a trace; with R over 0 seconds", apply_by},
}};

}  // namespace

CommandResult parse_mail(std::string_view argument, bool /*smtputf8*/) {
    const auto parts = split_path_argument(argument, "FROM:", CommandFault::bad_reverse_path);
    if (!parts) return std::unexpected(parts.error());
    MailCommand mail;
    if (!parts->path.empty()) {
        auto mailbox = parse_path(parts->path, CommandFault::bad_reverse_path);
        if (!mailbox) return std::unexpected(std::move(mailbox.error()));
        mail.reverse_path = *std::move(mailbox);
    }
    auto applied = apply_parameters<MailCommand>(parts->parameters, rules, mail);
    if (!applied) return std::unexpected(std::move(applied.error()));
    if (mail.hold_for && mail.hold_until)
        return refuse(CommandFault::bad_parameter, "HOLDFOR and HOLDUNTIL", "one of them");
    if (mail.reverse_path && !mail.smtputf8 && mail.reverse_path->needs_smtputf8())
        return refuse(CommandFault::non_ascii_reverse_path, parts->path);
    return mail;
}

}  // namespace outpost::smtp

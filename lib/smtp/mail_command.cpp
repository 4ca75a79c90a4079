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

constexpr std::array<ParameterRule<MailCommand>, 7> rules{{
    {"SIZE", "a number of octets", apply_size},
    {"BODY", "7BIT, 8BITMIME or BINARYMIME", apply_body},
    {"SMTPUTF8", "no value", apply_smtputf8},
    {"RET", "FULL or HDRS", apply_ret},
    {"ENVID", "up to 100 octets of xtext", apply_envid},
    {"AUTH", "xtext", ignore_auth},
    {"MT-PRIORITY", "a number from -9 to 9", apply_mt_priority},
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
    if (mail.reverse_path && !mail.smtputf8 && mail.reverse_path->needs_smtputf8())
        return refuse(CommandFault::non_ascii_reverse_path, parts->path);
    return mail;
}

}  // namespace outpost::smtp

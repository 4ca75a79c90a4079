#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "smtp/command_parsers.hpp"
#include "smtp/esmtp_parameters.hpp"

namespace outpost::smtp {
namespace {

constexpr std::string_view form = "AUTH MECHANISM [initial-response]";

/// sasl-mech of RFC 4422 section 3.1; upper case is made of lower case.
bool is_mechanism(std::string_view text) noexcept {
    constexpr std::size_t max_length = 20;
    return text.size() <= max_length && std::ranges::all_of(text, [](char c) {
               const char lower = base::ascii_lower(c);
               return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '_';
           });
}

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

}  // namespace

// No part of the line but the mechanism ever gets into an error: the rest may be a password.
CommandResult parse_auth(std::string_view argument, bool /*smtputf8*/) {
    if (argument.empty()) return refuse(CommandFault::missing_argument, {}, form);
    const auto end = std::min(argument.find_first_of(" \t"), argument.size());
    const auto mechanism = argument.substr(0, end);
    const auto response = base::trim(argument.substr(end));
    if (!is_mechanism(mechanism)) return refuse(CommandFault::bad_argument, {}, form);
    AuthCommand auth{upper(mechanism), {}};
    if (response.find_first_of(" \t") != std::string_view::npos)
        return refuse(CommandFault::unexpected_argument, {}, form);
    if (response == "=") {
        auth.initial_response.emplace();
    } else if (!response.empty()) {
        auth.initial_response = base::base64_decode(response);
        if (!auth.initial_response) return refuse(CommandFault::bad_base64, {});
    }
    return auth;
}

}  // namespace outpost::smtp

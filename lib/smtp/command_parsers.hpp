#pragma once

#include <expected>
#include <string_view>

#include "smtp/command.hpp"
#include "smtp/command_error.hpp"

/// One function a verb, for parse_command() alone. `argument` is what stands after the verb,
/// without blanks around it.
namespace outpost::smtp {

using CommandResult = std::expected<Command, CommandError>;

[[nodiscard]] CommandResult parse_mail(std::string_view argument, bool smtputf8);
[[nodiscard]] CommandResult parse_rcpt(std::string_view argument, bool smtputf8);
[[nodiscard]] CommandResult parse_auth(std::string_view argument, bool smtputf8);
[[nodiscard]] CommandResult parse_bdat(std::string_view argument, bool smtputf8);

}  // namespace outpost::smtp

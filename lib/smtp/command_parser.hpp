#pragma once

#include <expected>
#include <string_view>

#include "smtp/command.hpp"
#include "smtp/command_error.hpp"

namespace outpost::smtp {

/// Parses one command line, without its CRLF. Verbs and keywords in any case; white space at the
/// end of the line is ignored. `smtputf8`: the open transaction's MAIL asked for it, which lets
/// RCPT carry UTF-8. What the grammar allows but the session does not (an extension that was not
/// offered, a wrong order) is for the caller to judge.
[[nodiscard]] std::expected<Command, CommandError> parse_command(std::string_view line,
                                                                 bool smtputf8);

}  // namespace outpost::smtp

#pragma once

#include <expected>
#include <optional>
#include <string_view>

#include "smtp/command_error.hpp"
#include "smtp/path.hpp"

namespace outpost::smtp {

/// What stands after MAIL or RCPT: `FROM:<path>` or `TO:<path>`, then parameters.
struct PathArgument {
    std::string_view path;        ///< without the angle brackets
    std::string_view parameters;  ///< empty, or starts with white space
};

/// Takes an argument apart. `prefix` is `FROM:` or `TO:`; `bad_path` what a path without its angle
/// brackets counts as. Blanks after the colon are let pass, for the many clients that send one.
[[nodiscard]] std::expected<PathArgument, CommandError> split_path_argument(
    std::string_view argument, std::string_view prefix, CommandFault bad_path);

/// The mailbox of a path that is not empty, UTF-8 or not; a source route has its own fault.
[[nodiscard]] std::expected<Mailbox, CommandError> parse_path(std::string_view path,
                                                              CommandFault bad_path);

}  // namespace outpost::smtp

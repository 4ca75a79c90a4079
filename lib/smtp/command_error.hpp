#pragma once

#include <cstdint>
#include <string>

#include "smtp/reply.hpp"

namespace outpost::smtp {

/// What is wrong with a command line; each has its own reply code and enhanced status code.
enum class CommandFault : std::uint8_t {
    syntax,                  ///< 500 5.5.2: no verb, or not text
    missing_argument,        ///< 501 5.5.4
    bad_argument,            ///< 501 5.5.4
    unexpected_argument,     ///< 501 5.5.4: DATA, QUIT and the like take none
    bad_base64,              ///< 501 5.5.2: AUTH; the text is never kept
    bad_reverse_path,        ///< 501 5.1.7
    bad_forward_path,        ///< 501 5.1.3
    source_route,            ///< 501 5.1.7: `<@a,@b:user@c>`
    non_ascii_reverse_path,  ///< 550 5.6.7: UTF-8 without SMTPUTF8 (RFC 6531 section 3.5)
    non_ascii_forward_path,  ///< 553 5.6.7
    bad_parameter,           ///< 501 5.5.4: a known parameter with a wrong value
    duplicate_parameter,     ///< 501 5.5.4
    unknown_parameter,       ///< 555 5.5.4
};

struct CommandError {
    CommandFault fault;
    /// The offending part of the line, printable and cut to a fit length; may be empty.
    std::string text;
    /// What was expected instead, for the reply: `SIZE takes a number of octets`; may be empty.
    std::string expected;

    bool operator==(const CommandError&) const = default;
};

/// The reply to a client that sent it; names the offending text and what was expected.
[[nodiscard]] Reply reply_to(const CommandError& error);

}  // namespace outpost::smtp

#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "smtp/reply.hpp"

/// Reads what a server says (RFC 5321 section 4.2), piece by piece as it comes from the wire.
/// Lenient in what costs nothing (lines up to 2,048 octets, a missing text), strict where a wrong
/// guess could pair a reply with another command and so lose mail: a bare CR or LF, a reply whose
/// lines carry different codes, a code outside 200 to 599.
namespace outpost::smtp {

/// Why what came is no reply. The connection cannot be used any further.
enum class ReplyFault : std::uint8_t {
    bare_newline,    ///< CR or LF alone
    malformed,       ///< no three-digit code followed by a space, a hyphen or the end
    mixed_codes,     ///< lines of one reply with different codes
    line_too_long,   ///< over ReplyParser::max_line octets
    too_many_lines,  ///< over ReplyParser::max_lines lines
    reply_too_long,  ///< over ReplyParser::max_reply octets
};

/// In words, for logs and outcomes: `a reply line of over 2048 octets`.
[[nodiscard]] std::string_view describe(ReplyFault fault) noexcept;

class ReplyParser {
  public:
    static constexpr std::size_t max_line = 2048;
    static constexpr std::size_t max_lines = 512;
    static constexpr std::size_t max_reply = 64UL * 1024;

    using Result = std::expected<std::optional<Reply>, ReplyFault>;

    /// Takes octets off the front of `input`: up to the end of one reply, which is returned, or
    /// all of them, and then nothing is returned. After a fault every call returns that fault.
    /// Control characters in texts become `?`, so that a reply can be shown as it is.
    Result take(std::string_view& input);

    /// Part of a reply has come.
    [[nodiscard]] bool midway() const noexcept { return !line_.empty() || !reply_.lines.empty(); }
    /// Forgets everything, for a new connection or after STARTTLS.
    void reset();

  private:
    std::expected<bool, ReplyFault> add_line(std::string_view line);

    Reply reply_;
    std::string line_;  ///< the start of a line whose end has not come yet
    std::size_t octets_ = 0;
    std::optional<ReplyFault> fault_;
};

}  // namespace outpost::smtp

#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "smtp/receive_buffer.hpp"

namespace outpost::smtp {

/// Why a line is refused (reply 500 5.5.2).
enum class LineFault : std::uint8_t { too_long, bare_cr, bare_lf, nul };
[[nodiscard]] std::string_view describe(LineFault fault) noexcept;

/// The buffer holds no whole line yet: read more.
struct NeedMore {
    bool operator==(const NeedMore&) const = default;
};
/// A line without its CRLF; a view into the buffer, good until its next prepare().
struct Line {
    std::string_view text;
    bool operator==(const Line&) const = default;
};
/// A line that must not be acted on; reported once, its rest up to CRLF is skipped.
struct BadLine {
    LineFault fault;
    bool operator==(const BadLine&) const = default;
};
using LineEvent = std::variant<NeedMore, Line, BadLine>;

/// Splits what arrives into lines. Only CRLF ends a line (RFC 5321 section 2.3.8).
class LineReader {
  public:
    /// RFC 5321 section 4.5.3.1.4: octets of a command line, CRLF included.
    static constexpr std::size_t command_limit = 512;
    /// RFC 4954 section 4: what AUTH and its responses need; also room for any ESMTP parameters.
    static constexpr std::size_t auth_limit = 12288;

    explicit LineReader(std::size_t limit = command_limit) noexcept : limit_(limit) {}

    /// The next line of `input`, which is used up by it.
    [[nodiscard]] LineEvent next(ReceiveBuffer& input) noexcept;
    /// From the next line on. Octets of a line, CRLF included.
    void set_limit(std::size_t limit) noexcept { limit_ = limit; }
    /// Forgets a begun line; for a buffer that was cleared.
    void reset() noexcept;

  private:
    /// Whether the end of a refused line has been reached.
    [[nodiscard]] bool skip(ReceiveBuffer& input) noexcept;
    [[nodiscard]] LineEvent line_ending_at(ReceiveBuffer& input, std::size_t lf) noexcept;

    std::size_t limit_;
    std::size_t searched_ = 0;  ///< octets at the front known to hold no LF
    bool skipping_ = false;
    bool skipped_cr_ = false;  ///< the last octet skipped was CR
};

}  // namespace outpost::smtp

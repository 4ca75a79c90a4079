#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "smtp/body_account.hpp"

namespace outpost::smtp {

struct OctetCursor;
enum class TextStop : std::uint8_t;

/// Decodes what follows DATA: only CRLF.CRLF ends it, and a dot at the start of a line is taken
/// off (transparency, RFC 5321 section 4.5.2). A line starts only after CRLF, so that no `\n.\n`,
/// `\n.\r\n` or `\r.\r` can pass for an end. After a fault it goes on to the real end without
/// storing, so that the session can answer once.
class DataDecoder {
  public:
    explicit DataDecoder(const BodyRules& rules) noexcept : account_(rules) {}

    struct Progress {
        std::size_t consumed = 0;  ///< octets of the input; what follows the end is left alone
        bool complete = false;     ///< the end has been met
        bool operator==(const Progress&) const = default;
    };
    /// Takes the octets that have arrived and appends the decoded ones to `sink`, which may be
    /// emptied between calls. Not to be called once complete.
    [[nodiscard]] Progress feed(std::string_view input, std::string& sink);

    /// With a fault, what `sink` holds is not the message.
    [[nodiscard]] BodyFault fault() const noexcept { return account_.fault(); }
    /// Octets decoded so far, the discarded ones included.
    [[nodiscard]] std::uint64_t size() const noexcept { return account_.size(); }

  private:
    enum class State : std::uint8_t { line_start, text, cr, dot, dot_cr, complete };

    void step(OctetCursor& cursor, std::string& sink);
    [[nodiscard]] static State state_after(TextStop stop) noexcept;

    BodyAccount account_;
    State state_ = State::line_start;
};

}  // namespace outpost::smtp

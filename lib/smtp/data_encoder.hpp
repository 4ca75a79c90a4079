#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace outpost::smtp {

/// Prepares a message for DATA piece by piece: dots at line starts are doubled (RFC 5321 section
/// 4.5.2), and bare CR and LF become CRLF, so that nothing can be smuggled past the next server.
class DataEncoder {
  public:
    /// The piece as it goes on the wire: `piece` itself where nothing had to be changed, which is
    /// the rule; else a copy in `scratch`, whose old contents are dropped.
    [[nodiscard]] std::string_view encode(std::string_view piece, std::string& scratch);
    /// What follows the last piece: a CRLF where the message lacks it, and `.` CRLF. Static
    /// storage. The encoder is then ready for the next message.
    [[nodiscard]] std::string_view finish() noexcept;

  private:
    enum class State : std::uint8_t { line_start, text, cr };
    class Rewriter;

    void step(Rewriter& rewriter);

    State state_ = State::line_start;
};

}  // namespace outpost::smtp

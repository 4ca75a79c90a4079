#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "smtp/body_rules.hpp"

namespace outpost::smtp {

/// The bookkeeping that the DATA and the BDAT decoder share: size, line length, faults, and the
/// way into the sink, which is closed by the first fault.
class BodyAccount {
  public:
    explicit BodyAccount(const BodyRules& rules) noexcept : rules_(rules) {}

    [[nodiscard]] const BodyRules& rules() const noexcept { return rules_; }
    [[nodiscard]] BodyFault fault() const noexcept;
    [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

    /// Octets of the message, as decoded.
    void append(std::string_view octets, std::string& sink);
    /// A bare CR or LF stood here.
    void bare_newline(std::string& sink);
    /// Octets of the current line; and its end.
    void lengthen_line(std::size_t octets) noexcept;
    void end_line() noexcept { line_ = 0; }
    void look_for_nul(std::string_view octets) noexcept;
    /// The message will have at least this size.
    void expect_size(std::uint64_t size) noexcept;

  private:
    BodyRules rules_;
    std::uint64_t size_ = 0;
    std::size_t line_ = 0;
    bool too_big_ = false;
    bool bare_newline_ = false;
    bool nul_ = false;
    bool line_too_long_ = false;
};

}  // namespace outpost::smtp

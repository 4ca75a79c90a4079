#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace outpost::smtp {

/// What becomes of CR without LF and LF without CR in message data: refused, or made CRLF.
enum class BareNewlinePolicy : std::uint8_t { reject, normalize };

/// Why message data is refused. Where several hold, the first named here is reported.
enum class BodyFault : std::uint8_t {
    none,
    too_big,       ///< 552 5.3.4
    bare_newline,  ///< 550 5.6.11
    nul,           ///< 550 5.6.0
    line_too_long  ///< 550 5.6.0
};

struct BodyRules {
    std::uint64_t max_size = 0;         ///< octets of the decoded message
    std::size_t max_line = 64UL << 10;  ///< octets of a line without CRLF
    BareNewlinePolicy newlines = BareNewlinePolicy::reject;
    bool binary = false;  ///< BINARYMIME: only max_size holds
};

}  // namespace outpost::smtp

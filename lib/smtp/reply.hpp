#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outpost::smtp {

/// An enhanced status code (RFC 3463). {0,0,0} stands for none.
struct EnhancedStatus {
    std::uint8_t klass = 0;
    std::uint16_t subject = 0;
    std::uint16_t detail = 0;

    bool operator==(const EnhancedStatus&) const = default;
    [[nodiscard]] bool present() const noexcept { return klass != 0; }
    /// `5.7.1`; empty if none.
    [[nodiscard]] std::string text() const;
};

/// A reply (RFC 5321 section 4.2) as a value: sent by the server machine, received by the client
/// machine. `lines` hold the text without code and enhanced status; never empty.
struct Reply {
    int code = 0;
    EnhancedStatus status;
    std::vector<std::string> lines;

    bool operator==(const Reply&) const = default;
    [[nodiscard]] bool positive() const noexcept { return code >= 200 && code < 400; }
    [[nodiscard]] bool transient() const noexcept { return code >= 400 && code < 500; }
    [[nodiscard]] bool permanent() const noexcept { return code >= 500; }
    /// The octets on the wire, every line ending in CRLF.
    [[nodiscard]] std::string wire() const;
    /// `550 5.7.1 first second`: one line for logs, history and reports. Code 0, which stands for
    /// our own words, is left out.
    [[nodiscard]] std::string text() const;
};

}  // namespace outpost::smtp

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace outpost::smtp {

enum class BodyType : std::uint8_t { seven_bit, eight_bit_mime, binary_mime };
/// RET of RFC 3461 section 4.3.
enum class Ret : std::uint8_t { unspecified, full, headers };

/// NOTIFY of RFC 3461 section 4.1. Nothing given: failure, and delay at our choice.
struct Notify {
    bool given = false;
    bool never = false;
    bool success = false;
    bool failure = false;
    bool delay = false;

    bool operator==(const Notify&) const = default;
    [[nodiscard]] bool wants_failure() const noexcept { return !given || failure; }
    [[nodiscard]] bool wants_delay() const noexcept { return !given || delay; }
};

struct Recipient {
    std::string address;  ///< local@domain as the client gave it
    Notify notify;
    std::string orcpt;  ///< `rfc822;user+2Bx@example.com`, xtext kept as sent; empty if none

    bool operator==(const Recipient&) const = default;
};

/// What an SMTP transaction says of a message, apart from its octets.
struct Envelope {
    std::string account;       ///< who submitted it; empty for our own reports
    std::string reverse_path;  ///< local@domain, or empty for the null reverse-path
    std::vector<Recipient> recipients;
    std::string envid;  ///< xtext as sent; empty if none
    Ret ret = Ret::unspecified;
    BodyType body = BodyType::seven_bit;
    bool smtputf8 = false;                   ///< the client asked for SMTPUTF8
    std::optional<std::int8_t> mt_priority;  ///< RFC 6710, -9 .. 9
    std::uint8_t priority = 3;               ///< effective: 1 highest .. 5
    base::WallTime received{};
    std::string client;  ///< `[192.0.2.1]`, for logs

    bool operator==(const Envelope&) const = default;
};

}  // namespace outpost::smtp

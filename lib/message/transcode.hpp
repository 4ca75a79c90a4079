#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace outpost::message {

/// Whether any octet is over 127. Fast: for whole bodies.
[[nodiscard]] bool has_eight_bit(std::string_view octets) noexcept;

struct TranscodeFailure {
    enum class Kind : std::uint8_t {
        signed_content,  ///< multipart/signed or DKIM: re-encoding would break the signature
        impossible,      ///< 8-bit octets where no encoding is allowed
    };
    Kind kind = Kind::impossible;
    std::string text{};  ///< for the report (5.6.3): what stands in the way and what to do
};

/// The message for a hop without 8BITMIME (RFC 6152 section 3): every part with octets over 127 is
/// re-encoded as quoted-printable or base64, recursively; other parts and all header fields but
/// Content-Transfer-Encoding stay as they are. 8-bit octets in the message's own header section are
/// left alone: they need SMTPUTF8 (HeaderSection::eight_bit). Input and output have CRLF line ends.
/// Thread-safe; takes milliseconds for megabytes, so a large message belongs on an offload thread.
[[nodiscard]] std::expected<std::string, TranscodeFailure> to_seven_bit(std::string_view message);

}  // namespace outpost::message

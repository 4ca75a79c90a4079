#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Decoders that change nothing without a word: what they cannot decode as it was meant gives
/// nothing. (GMime's own put `?` for what they do not know.)
namespace outpost::message {

/// Text in a charset of the IANA registry, as UTF-8. Text without a charset, or in us-ascii, may be
/// UTF-8, for which it is most often mistaken; and ISO 8859 with octets from 128 to 159 is read as
/// the Windows charset that has letters there, as mail readers do.
[[nodiscard]] std::optional<std::string> to_utf8(std::string_view octets, std::string_view charset);

/// Base64 in lines (RFC 2045 section 6.8); the padding at its end may be missing.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);
/// Quoted-printable (RFC 2045 section 6.7).
[[nodiscard]] std::optional<std::string> decode_quoted_printable(std::string_view text);

/// An unfolded field value with its encoded words (RFC 2047) as UTF-8. Nothing if one cannot be
/// decoded, or if other octets of the value are not UTF-8.
[[nodiscard]] std::optional<std::string> decode_words(std::string_view value);

/// Octets under 32, but for the tab, and 127: no value of a header field may have them, and they
/// can hide in encoded words.
[[nodiscard]] bool has_control(std::string_view text) noexcept;

}  // namespace outpost::message

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outpost::base {

/// Base64 of RFC 4648 section 4, padded, no line breaks.
[[nodiscard]] std::string base64_encode(std::string_view octets);
/// Strict: nothing for a wrong length, a foreign character or misplaced padding. "" is "".
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace outpost::base

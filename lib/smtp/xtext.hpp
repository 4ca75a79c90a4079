#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outpost::smtp {

/// xtext of RFC 3461 section 4: printable ASCII but `+` and `=`, others as `+HH`.
[[nodiscard]] std::string xtext_encode(std::string_view octets);
/// Nothing if `text` is not xtext.
[[nodiscard]] std::optional<std::string> xtext_decode(std::string_view text);

}  // namespace outpost::smtp

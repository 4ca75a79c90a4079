#pragma once

#include <string>
#include <string_view>

namespace outpost::net {

/// Percent-encoding of RFC 3986 section 2.1: every octet but letters, digits, `-._~` and those of
/// `keep`.
[[nodiscard]] std::string percent_encoded(std::string_view text, std::string_view keep = {});

}  // namespace outpost::net

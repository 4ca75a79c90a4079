#pragma once

#include <string_view>

namespace outpost::smtp {

/// Domain of RFC 5321 section 4.1.2: labels of letters, digits and inner hyphens, at most 63
/// octets each and 255 together. `allow_utf8` takes U-labels as well (RFC 6531 section 3.3).
[[nodiscard]] bool is_domain(std::string_view text, bool allow_utf8) noexcept;
/// `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 section 4.1.3).
[[nodiscard]] bool is_address_literal(std::string_view text) noexcept;
[[nodiscard]] bool is_ipv4(std::string_view text) noexcept;
[[nodiscard]] bool is_ipv6(std::string_view text) noexcept;

}  // namespace outpost::smtp

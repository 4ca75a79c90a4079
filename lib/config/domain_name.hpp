#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outpost::config {

/// The one form in which domain names are compared: lower case, every U-label as its A-label
/// (IDNA 2008 with the mapping of UTS 46, non-transitional). Nothing if `name` is not a domain
/// name: labels of letters, digits and inner hyphens, 63 octets each, 253 in all, no trailing dot.
[[nodiscard]] std::optional<std::string> canonical_domain(std::string_view name);

}  // namespace outpost::config

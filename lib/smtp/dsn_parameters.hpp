#pragma once

#include <string_view>

#include "smtp/envelope.hpp"

/// The values of RFC 3461's parameters. Each function says whether `value` is well-formed.
namespace outpost::smtp {

/// NOTIFY: NEVER, or a list of SUCCESS, FAILURE, DELAY (section 4.1).
[[nodiscard]] bool parse_notify(std::string_view value, Notify& notify);
/// RET: FULL or HDRS (section 4.3).
[[nodiscard]] bool parse_ret(std::string_view value, Ret& ret) noexcept;
/// ENVID: xtext of printable ASCII, up to 100 octets (section 4.4).
[[nodiscard]] bool is_envid(std::string_view value);
/// ORCPT: addr-type `;` xtext, up to 500 octets (section 4.2); for the type utf-8 also the forms
/// of RFC 6533 section 3, of which utf-8-addr-unitext has octets over 127.
[[nodiscard]] bool is_orcpt(std::string_view value);

}  // namespace outpost::smtp

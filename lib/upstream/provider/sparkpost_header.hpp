#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "upstream/provider/provider.hpp"

namespace outpost::upstream {

/// The message with no `{{` in its header, which SparkPost would take for a substitution whatever
/// the request says: unstructured fields (Subject, Comments, X-*) get it as an encoded word
/// (RFC 2047), all others cannot, nor can those of a message that is signed. A message without `{{`
/// there is returned as it is.
[[nodiscard]] std::expected<std::string, CannotCarry> hide_substitutions(std::string_view message);

}  // namespace outpost::upstream

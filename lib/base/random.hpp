#pragma once

#include <cstddef>
#include <string>

namespace outpost::base {

/// Octets from the kernel's generator, fit for keys and passwords. Throws std::system_error if
/// the kernel refuses.
[[nodiscard]] std::string random_octets(std::size_t count);
/// Letters and digits that nobody can guess, for a Message-ID.
[[nodiscard]] std::string random_word();

}  // namespace outpost::base

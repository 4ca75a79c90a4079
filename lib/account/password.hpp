#pragma once

#include "base/secret.hpp"

namespace outpost::account {

/// A new random password, 24 letters and digits that are not mistaken for one another (139 bits).
[[nodiscard]] base::Secret random_password();

}  // namespace outpost::account

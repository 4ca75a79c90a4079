#pragma once

#include <string>

#include "base/clock.hpp"

namespace outpost::control {

/// An estimate of when, without more precision than it has: `within a minute`, `about 14:32 UTC`,
/// from a day on `about 3 days, 2026-11-25`. Pure.
[[nodiscard]] std::string about(base::WallTime time, base::WallTime now);

}  // namespace outpost::control

#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/clock.hpp"

namespace outpost::delivery {

/// An operator wants an upstream to take no mail until it is resumed.
struct Pause {
    base::WallTime since{};
    std::string reason{};  ///< the operator's; may be empty
};

/// By upstream.
using Pauses = std::map<std::string, Pause, std::less<>>;

}  // namespace outpost::delivery

#pragma once

#include <functional>
#include <string>

namespace outpost::control {

/// How the counters of limits are kept at present.
struct LimitStoreState {
    std::string state = "local";  ///< in this machine's database; `shared`; `on its own`: without
                                  ///< the Redis that the configuration names
    std::string reason{};         ///< of `on its own`
};
using LimitStoreView = std::function<LimitStoreState()>;

}  // namespace outpost::control

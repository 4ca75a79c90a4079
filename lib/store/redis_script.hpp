#pragma once

#include <string_view>

/// What Redis does for several nodes, as one Lua script: every call is one indivisible step. Its
/// arguments and its reply are written and read in redis_call.cpp.
namespace outpost::store {

[[nodiscard]] std::string_view redis_script() noexcept;

}  // namespace outpost::store

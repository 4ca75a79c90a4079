#pragma once

#include "limit/limits.hpp"
#include "limit/usage.hpp"

namespace outpost::limit {

/// How much an allowance of these limits holds. A crash wastes at most one, so it is small; a
/// request goes out for each, so it is not too small.
struct LeaseSize {
    /// 1 % of the strictest limit of the unit, or what its rate lets through in a second if that is
    /// more; 0 for a unit that nothing counts, which needs no allowance.
    Usage block;
    /// The count of the strictest limit: more than this can never be given out at once.
    Usage most;
    bool operator==(const LeaseSize&) const = default;
};

[[nodiscard]] LeaseSize lease_size(const Limits& limits);

}  // namespace outpost::limit

#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "delivery/forecast.hpp"
#include "delivery/views.hpp"

/// What the queue holds and what binds it, and what follows for when it will be empty. Pure.
namespace outpost::delivery {

struct Workload {
    struct Way {
        WayOutlook shown;
        Demand demand;  ///< what is held or under way apart
    };
    /// An account that has limits or hours of its own.
    struct Account {
        std::string name;
        Supply supply;
        Demand demand;
        std::vector<std::size_t> ways;  ///< on which it has mail, by index
    };
    std::vector<Way> ways;
    std::vector<Supply> upstreams;
    std::vector<Account> accounts;
    base::WallTime now;
};

/// A way is empty once its upstreams have taken all its mail, and the accounts that have mail there
/// were let through. May take some milliseconds: not for the executor of the deliveries.
[[nodiscard]] QueueOutlook outlook(Workload workload);

}  // namespace outpost::delivery

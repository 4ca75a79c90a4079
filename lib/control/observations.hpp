#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/metrics.hpp"
#include "delivery/views.hpp"
#include "limit/counter.hpp"
#include "net/tls_context.hpp"
#include "spool/spool.hpp"

/// What is not counted but looked at when somebody asks for the metrics (docs/metrics.md): queue,
/// upstreams, limits, spool, certificates.
namespace outpost::control {

/// The levels of one counter of the limits.
struct LimitUse {
    std::string key;  ///< `upstream/ses-eu`, `account/shop/rate`
    std::vector<limit::Level> levels;
};

struct Observations {
    base::WallTime now{};
    std::string version{};
    base::WallTime started{};
    std::vector<delivery::QueueRow> queue{};  ///< Desk::totals()
    std::optional<base::WallTime> oldest{};
    std::vector<delivery::UpstreamView> upstreams{};
    std::vector<delivery::LimitQueue> limit_queues{};
    std::vector<LimitUse> limits{};
    bool limits_reachable = true;  ///< where the configuration wants them kept
    spool::DiskUse disk{};
    bool accepting = true;
    std::vector<net::LoadedCertificate> certificates{};
};

/// As families, beside those that are counted. Pure.
[[nodiscard]] std::vector<base::metrics::Snapshot> families(const Observations& seen);

}  // namespace outpost::control

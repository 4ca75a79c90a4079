#pragma once

#include <string>
#include <vector>

#include "base/metrics.hpp"
#include "control/http_server.hpp"

namespace outpost::control {

/// Prometheus' text format, version 0.0.4: the families in the order of their names. Pure.
[[nodiscard]] std::string prometheus_text(std::vector<base::metrics::Snapshot> families);
[[nodiscard]] Response prometheus_response(std::vector<base::metrics::Snapshot> families);

}  // namespace outpost::control

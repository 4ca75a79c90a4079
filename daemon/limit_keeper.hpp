#pragma once

#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "limit/limiter.hpp"
#include "store/database.hpp"
#include "store/writer.hpp"

namespace outpost {

/// The counters of all limits, and what keeps them: the database of this machine, or Redis.
class LimitKeeper {
  public:
    /// Throws base::StartFailure where the database cannot be used.
    LimitKeeper(const config::Config& config, const base::Clock& clock);

    [[nodiscard]] limit::Limiter& limiter() noexcept { return *limiter_; }

  private:
    std::optional<store::Database> database_;
    std::optional<store::Writer> writer_;
    std::unique_ptr<limit::LeaseStore> store_;
    std::optional<limit::Limiter> limiter_;
};

}  // namespace outpost

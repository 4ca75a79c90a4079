#pragma once

#include "base/clock.hpp"
#include "config/types.hpp"
#include "limit/limiter.hpp"
#include "store/database.hpp"
#include "store/sqlite_lease_store.hpp"
#include "store/writer.hpp"

namespace outpost {

/// The counters of all limits, and the database that keeps them.
class LimitKeeper {
  public:
    /// Throws base::StartFailure where the database cannot be used.
    LimitKeeper(const config::Config& config, const base::Clock& clock);

    [[nodiscard]] limit::Limiter& limiter() noexcept { return limiter_; }
    [[nodiscard]] const store::Database& database() const noexcept { return database_; }
    [[nodiscard]] store::Writer& writer() noexcept { return writer_; }

  private:
    store::Database database_;
    store::Writer writer_;
    store::SqliteLeaseStore store_;
    limit::Limiter limiter_;
};

}  // namespace outpost

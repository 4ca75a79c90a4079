#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "control/limit_store_state.hpp"
#include "limit/limiter.hpp"
#include "store/database.hpp"
#include "store/writer.hpp"

namespace outpost {

/// The database of this machine, and the counters of all limits, which it keeps or Redis does.
class LimitKeeper {
  public:
    /// Throws base::StartFailure where the database cannot be used.
    LimitKeeper(const config::Config& config, const base::Clock& clock);

    [[nodiscard]] limit::Limiter& limiter() noexcept { return *limiter_; }
    [[nodiscard]] const store::Database& database() const noexcept { return database_; }
    [[nodiscard]] store::Writer& writer() noexcept { return writer_; }
    /// Thread-safe.
    [[nodiscard]] control::LimitStoreState state() const;

  private:
    void redis_changed(bool away, const std::string& text);

    mutable std::mutex mutex_;
    control::LimitStoreState state_;
    store::Database database_;
    store::Writer writer_;
    std::unique_ptr<limit::LeaseStore> store_;
    std::optional<limit::Limiter> limiter_;
};

}  // namespace outpost

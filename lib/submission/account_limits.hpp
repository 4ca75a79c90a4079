#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/types.hpp"
#include "limit/limiter.hpp"

namespace outpost::submission {

/// Which counters judge the recipients that an account hands in. Thread-safe.
class AccountLimits {
  public:
    struct Counters {
        std::optional<limit::Limiter::Id> submit_rate;
        std::optional<limit::Limiter::Id> quota;  ///< of an account that is refused over it
        limit::TimeZone zone;                     ///< of the quota
    };

    /// Defines the counters of those accounts that have such limits; may block.
    AccountLimits(limit::Limiter& limiter, const std::map<std::string, config::Account>& accounts);

    class Table;
    /// The counters of other accounts, or with other limits; what was used stays used. May block,
    /// and throw what the store throws.
    [[nodiscard]] Table define(const std::map<std::string, config::Account>& accounts) const;
    /// For transactions that begin from now on.
    void replace(Table counters);

    [[nodiscard]] limit::Limiter& limiter() const noexcept { return *limiter_; }
    [[nodiscard]] Counters of(std::string_view account) const;

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    limit::Limiter* limiter_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Table> counters_;
};

/// See AccountLimits::define().
class AccountLimits::Table {
    friend class AccountLimits;
    std::unordered_map<std::string, Counters, Hash, std::equal_to<>> limited_;
};

}  // namespace outpost::submission

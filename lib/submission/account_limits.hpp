#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "config/types.hpp"
#include "limit/limiter.hpp"

namespace outpost::submission {

/// Which counters judge the recipients that an account hands in. Immutable.
class AccountLimits {
  public:
    struct Counters {
        std::optional<limit::Limiter::Id> submit_rate;
        std::optional<limit::Limiter::Id> quota;  ///< of an account that is refused over it
        limit::TimeZone zone;                     ///< of the quota
    };

    /// Defines the counters of those accounts that have such limits; may block.
    AccountLimits(limit::Limiter& limiter, const std::map<std::string, config::Account>& accounts);

    [[nodiscard]] limit::Limiter& limiter() const noexcept { return *limiter_; }
    [[nodiscard]] const Counters& of(std::string_view account) const;

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };

    limit::Limiter* limiter_;
    std::unordered_map<std::string, Counters, Hash, std::equal_to<>> counters_;
};

}  // namespace outpost::submission

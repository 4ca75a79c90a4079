#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "limit/limiter.hpp"
#include "submission/account_limits.hpp"

namespace outpost::submission {

/// What the recipients of one transaction take of their account's limits: of the rate for good, of
/// the quota until the message is accepted or not. What was not used goes back at the end.
class RecipientPermits {
  public:
    /// Why a recipient cannot be taken.
    struct Denial {
        enum class By : std::uint8_t { submit_rate, quota };
        By by = By::submit_rate;
        limit::Limiter::Id counter{};
        limit::Wait wait;

        /// Nothing is known yet: the store has been asked, or is asked again at wait.until.
        [[nodiscard]] bool undecided() const noexcept {
            return wait.what == limit::Wait::For::lease;
        }
    };

    /// The limiter outlives it.
    RecipientPermits(limit::Limiter& limiter, AccountLimits::Counters counters)
        : limiter_(limiter), counters_(std::move(counters)) {}
    ~RecipientPermits() { settle_quota({}); }
    RecipientPermits(const RecipientPermits&) = delete;
    RecipientPermits& operator=(const RecipientPermits&) = delete;

    /// Takes one more recipient; nothing is taken where there is a denial.
    [[nodiscard]] std::optional<Denial> take_one();
    /// The message is accepted.
    void used() { settle_quota(taken_); }

  private:
    [[nodiscard]] std::optional<Denial> take(Denial::By by,
                                             const std::optional<limit::Limiter::Id>& counter);
    void settle_quota(const limit::Usage& used);

    limit::Limiter& limiter_;
    const AccountLimits::Counters counters_;
    limit::Usage taken_;
};

}  // namespace outpost::submission

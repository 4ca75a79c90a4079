#include "submission/account_limits.hpp"

namespace outpost::submission {

AccountLimits::AccountLimits(limit::Limiter& limiter,
                             const std::map<std::string, config::Account>& accounts)
    : limiter_(&limiter) {
    for (const auto& [name, account] : accounts) {
        Counters counters{.submit_rate = {}, .quota = {}, .zone = account.limits.quota.zone};
        if (!account.submit_rate.empty()) {
            counters.submit_rate =
                limiter.define("account/" + name + "/submit",
                               {.rates = account.submit_rate, .smooth = false, .quota = {}});
        }
        const bool refuses = account.when_exceeded == config::WhenExceeded::reject;
        if (refuses && !account.limits.quota.empty()) {
            counters.quota =
                limiter.define("account/" + name + "/quota",
                               {.rates = {}, .smooth = false, .quota = account.limits.quota});
        }
        if (counters.submit_rate || counters.quota) counters_.emplace(name, counters);
    }
}

const AccountLimits::Counters& AccountLimits::of(std::string_view account) const {
    static const Counters none;
    const auto found = counters_.find(account);
    return found == counters_.end() ? none : found->second;
}

}  // namespace outpost::submission

#include "submission/account_limits.hpp"

namespace outpost::submission {

AccountLimits::AccountLimits(limit::Limiter& limiter,
                             const std::map<std::string, config::Account>& accounts)
    : limiter_(&limiter), counters_(std::make_shared<const Table>(define(accounts))) {}

void AccountLimits::replace(Table counters) {
    auto next = std::make_shared<const Table>(std::move(counters));
    const std::lock_guard lock(mutex_);
    counters_ = std::move(next);
}

AccountLimits::Table AccountLimits::define(
    const std::map<std::string, config::Account>& accounts) const {
    Table table;
    for (const auto& [name, account] : accounts) {
        const limit::Quota& quota = account.limits.quota;
        Counters counters{.submit_rate = {}, .quota = {}, .zone = quota.zone};
        counters.submit_rate =
            limiter_->define_limited("account/" + name + "/submit",
                                     {.rates = account.submit_rate, .smooth = false, .quota = {}});
        // One that holds its mail is judged where that goes out.
        const bool refuses = account.when_exceeded == config::WhenExceeded::reject;
        if (refuses || quota.empty())
            counters.quota = limiter_->define_limited(
                "account/" + name + "/quota", {.rates = {}, .smooth = false, .quota = quota});
        if (counters.submit_rate || counters.quota) table.limited_.emplace(name, counters);
    }
    return table;
}

AccountLimits::Counters AccountLimits::of(std::string_view account) const {
    std::shared_ptr<const Table> counters;
    {
        const std::lock_guard lock(mutex_);
        counters = counters_;
    }
    const auto found = counters->limited_.find(account);
    return found == counters->limited_.end() ? Counters{} : found->second;
}

}  // namespace outpost::submission

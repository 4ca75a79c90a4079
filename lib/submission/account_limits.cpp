#include "submission/account_limits.hpp"

namespace outpost::submission {

AccountLimits::AccountLimits(limit::Limiter& limiter,
                             const std::map<std::string, config::Account>& accounts)
    : limiter_(&limiter), counters_(std::make_shared<const Table>(define(accounts))) {}

void AccountLimits::replace(const std::map<std::string, config::Account>& accounts) {
    auto counters = std::make_shared<const Table>(define(accounts));
    const std::lock_guard lock(mutex_);
    counters_ = std::move(counters);
}

AccountLimits::Table AccountLimits::define(
    const std::map<std::string, config::Account>& accounts) const {
    Table table;
    for (const auto& [name, account] : accounts) {
        const limit::Quota& quota = account.limits.quota;
        Counters counters{.submit_rate = {}, .quota = {}, .zone = quota.zone};
        counters.submit_rate = define("account/" + name + "/submit",
                                      {.rates = account.submit_rate, .smooth = false, .quota = {}});
        // One that holds its mail is judged where that goes out.
        const bool refuses = account.when_exceeded == config::WhenExceeded::reject;
        if (refuses || quota.empty())
            counters.quota = define("account/" + name + "/quota",
                                    {.rates = {}, .smooth = false, .quota = quota});
        if (counters.submit_rate || counters.quota) table.emplace(name, counters);
    }
    return table;
}

/// A limit that is gone is taken from its counter, too: that goes on counting should it come back.
std::optional<limit::Limiter::Id> AccountLimits::define(const std::string& key,
                                                        const limit::Limits& limits) const {
    if (!limits.empty()) return limiter_->define(key, limits);
    if (limiter_->find(key)) limiter_->define(key, limits);
    return std::nullopt;
}

AccountLimits::Counters AccountLimits::of(std::string_view account) const {
    std::shared_ptr<const Table> counters;
    {
        const std::lock_guard lock(mutex_);
        counters = counters_;
    }
    const auto found = counters->find(account);
    return found == counters->end() ? Counters{} : found->second;
}

}  // namespace outpost::submission

#include "submission/limit_reply.hpp"

#include <algorithm>
#include <optional>

#include "submission/wording.hpp"

namespace outpost::submission {
namespace {

using Denial = RecipientPermits::Denial;

std::string over_submit_rate(const Denial& denial, limit::Limiter& limiter, base::WallTime now) {
    const auto rates = limiter.limits(denial.counter).rates;
    std::string rate;
    if (denial.wait.index < rates.size()) rate = rates[denial.wait.index].text();
    std::optional<std::chrono::seconds> wait;
    if (denial.wait.until != base::WallTime::max())
        wait = std::max(std::chrono::ceil<std::chrono::seconds>(denial.wait.until - now),
                        std::chrono::seconds(1));
    return wording::over_submit_rate(rate, wait);
}

}  // namespace

std::string limit_reply(const Denial& denial, limit::Limiter& limiter, const limit::TimeZone& zone,
                        base::WallTime now) {
    if (denial.undecided()) return std::string(wording::cannot_store);
    if (denial.by == Denial::By::submit_rate) return over_submit_rate(denial, limiter, now);
    // Of a quota that other nodes have used up a part may come back before its reset.
    const auto period = limit::period_at(zone, denial.wait.unit, now);
    return wording::over_quota(denial.wait.unit, limit::local_text(zone, period.end));
}

std::string limit_reply_now(const AccountLimits& limits, std::string_view account,
                            base::WallTime now) {
    limit::Limiter& limiter = limits.limiter();
    const auto counters = limits.of(account);
    const auto denied = [&](Denial::By by, const std::optional<limit::Limiter::Id>& counter) {
        if (!counter) return std::string();
        const auto answer = limiter.room(*counter, {.recipients = 1, .messages = 1, .octets = 0});
        if (answer.recipients > 0) return std::string();
        return limit_reply({.by = by, .counter = *counter, .wait = answer.wait}, limiter,
                           counters.zone, now);
    };
    std::string reply = denied(Denial::By::quota, counters.quota);
    return reply.empty() ? denied(Denial::By::submit_rate, counters.submit_rate) : reply;
}

}  // namespace outpost::submission

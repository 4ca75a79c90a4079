#include "submission/recipient_permits.hpp"

namespace outpost::submission {

std::optional<RecipientPermits::Denial> RecipientPermits::take_one() {
    // The quota first: what it has given can be given back, a rate's permit is used at once.
    if (auto denial = take(Denial::By::quota, counters_.quota)) return denial;
    const limit::Usage one{.recipients = 1, .messages = taken_.recipients == 0, .octets = 0};
    if (auto denial = take(Denial::By::submit_rate, counters_.submit_rate)) {
        if (counters_.quota) limiter_.settle(*counters_.quota, one, {});
        return denial;
    }
    if (counters_.submit_rate) limiter_.settle(*counters_.submit_rate, one, one);
    taken_ += one;
    return std::nullopt;
}

std::optional<RecipientPermits::Denial> RecipientPermits::take(
    Denial::By by, const std::optional<limit::Limiter::Id>& counter) {
    if (!counter) return std::nullopt;
    const limit::Answer answer = limiter_.take(
        *counter, {.recipients = 1, .messages = taken_.recipients == 0 ? 1U : 0U, .octets = 0});
    if (answer.recipients > 0) return std::nullopt;
    return Denial{.by = by, .counter = *counter, .wait = answer.wait};
}

void RecipientPermits::settle_quota(const limit::Usage& used) {
    if (counters_.quota && !taken_.empty()) limiter_.settle(*counters_.quota, taken_, used);
    taken_ = {};
}

}  // namespace outpost::submission

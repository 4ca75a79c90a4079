#include "delivery/retry_policy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.hpp"

namespace outpost::delivery {
namespace {

/// With the mark of a cut 512, what a state keeps.
constexpr std::size_t most_reply = 509;

void count_attempt(spool::RecipientState& state) {
    if (state.attempts < std::numeric_limits<std::uint8_t>::max()) ++state.attempts;
}

void note(spool::RecipientState& state, const upstream::Outcome& outcome,
          const AttemptContext& context) {
    state.last_reply = base::printable(outcome.reply.text(), most_reply);
    state.last_upstream = context.upstream;
}

bool is_held(const upstream::Outcome& outcome, const AttemptContext& context) {
    return is_upstream_trouble(outcome) && (!context.suspect || upstream::refuses_us(outcome));
}

}  // namespace

bool is_upstream_trouble(const upstream::Outcome& outcome) noexcept {
    return outcome.verdict == upstream::Verdict::misconfigured ||
           (outcome.verdict == upstream::Verdict::deferred &&
            outcome.scope == upstream::Scope::upstream);
}

std::chrono::milliseconds RetryPolicy::back_off(unsigned attempts, double random) const {
    const double exponent = attempts > 0 ? attempts - 1 : 0;
    const double grown =
        static_cast<double>(retry_.first.count()) * std::pow(retry_.factor, exponent);
    const double wait = std::min(grown, static_cast<double>(retry_.max.count()));
    const double spread = 1 + retry_.jitter * (2 * random - 1);
    return std::chrono::milliseconds(std::llround(wait * spread));
}

Settled RetryPolicy::settle(spool::RecipientState& state, const upstream::Outcome& outcome,
                            const AttemptContext& context) const {
    using upstream::Verdict;
    note(state, outcome, context);
    if (outcome.verdict == Verdict::delivered || outcome.verdict == Verdict::failed) {
        count_attempt(state);
        const bool delivered = outcome.verdict == Verdict::delivered;
        state.status =
            delivered ? spool::RecipientStatus::delivered : spool::RecipientStatus::failed;
        return delivered ? Settled::delivered : Settled::failed;
    }
    const bool uncertain = outcome.verdict == Verdict::uncertain;
    if (uncertain && context.uncertain == config::Uncertain::report) {
        count_attempt(state);
        state.status = spool::RecipientStatus::failed;
        return Settled::uncertain;
    }
    if (context.now >= expiry(context.start)) {
        count_attempt(state);
        state.status = spool::RecipientStatus::failed;
        return Settled::expired;
    }
    if (is_held(outcome, context)) return Settled::held;
    count_attempt(state);
    state.next_attempt =
        context.now + (outcome.retry_after ? std::chrono::milliseconds(*outcome.retry_after)
                                           : back_off(state.attempts, context.random));
    return Settled::deferred;
}

void RetryPolicy::pass_on(spool::RecipientState& state, const upstream::Outcome& outcome,
                          const AttemptContext& context) {
    note(state, outcome, context);
}

base::WallTime RetryPolicy::notice_at(const smtp::Lifetime& lifetime) const noexcept {
    const base::WallTime wish = lifetime.notify_at();
    if (wish != base::WallTime::max() || delay_notice_.count() == 0) return wish;
    return lifetime.start + delay_notice_;
}

base::WallTime RetryPolicy::deadline_after_pause(const smtp::Lifetime& lifetime,
                                                 bool delay_notified, base::WallTime started,
                                                 std::chrono::milliseconds respite) const noexcept {
    const auto pardoned = std::min(started + respite, expiry(started));
    return std::min(std::max(deadline(lifetime, delay_notified), pardoned), lifetime.return_at());
}

}  // namespace outpost::delivery

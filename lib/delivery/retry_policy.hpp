#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "smtp/envelope.hpp"
#include "spool/state.hpp"
#include "upstream/outcome.hpp"

/// What an outcome means for a recipient: done, when to try again, or given up. Pure: time and
/// randomness are arguments.
namespace outpost::delivery {

/// What became of a recipient for whom an attempt was made.
enum class Settled : std::uint8_t {
    delivered,
    deferred,   ///< waits by itself, until RecipientState::next_attempt
    held,       ///< the upstream's trouble: ready again as soon as the upstream is, at no cost
    failed,     ///< refused for good
    expired,    ///< max_age is over
    uncertain,  ///< may or may not have arrived; not sent again (`uncertain: report`)
    passed_on,  ///< this upstream cannot take it; another one of the group is asked, at no cost
};

/// Circumstances of an attempt that are the same for all its recipients.
struct AttemptContext {
    base::WallTime now{};
    base::WallTime start{};  ///< of the message's lifetime
    std::string_view upstream{};
    config::Uncertain uncertain = config::Uncertain::retry;
    double random = 0.5;  ///< 0 .. 1, for the jitter
    /// The second time in a row that the upstream's trouble came up in this message's transaction:
    /// it counts as the message's own, so that one that upsets an upstream cannot hold up all
    /// others. Not so what upstream::refuses_us(): no message is to blame for that.
    bool suspect = false;
};

/// A deferral that is about the upstream and not about the message.
[[nodiscard]] bool is_upstream_trouble(const upstream::Outcome& outcome) noexcept;

class RetryPolicy {
  public:
    RetryPolicy(config::Retry retry, const config::Spool& spool)
        : retry_(retry), max_age_(spool.max_age), delay_notice_(spool.delay_notice) {}

    /// The wait after this many attempts (1 or more): first * factor^(attempts - 1), at most max,
    /// then spread by jitter to both sides.
    [[nodiscard]] std::chrono::milliseconds back_off(unsigned attempts, double random) const;

    /// Brings the state up to date with the outcome of an attempt.
    [[nodiscard]] Settled settle(spool::RecipientState& state, const upstream::Outcome& outcome,
                                 const AttemptContext& context) const;

    /// Notes who would not have it; it goes to another upstream at once.
    static void pass_on(spool::RecipientState& state, const upstream::Outcome& outcome,
                        const AttemptContext& context);

    [[nodiscard]] base::WallTime expiry(base::WallTime start) const noexcept {
        return start + max_age_;
    }
    /// When the message is given up: at its expiry, or before it by its sender's wish (BY mode R).
    [[nodiscard]] base::WallTime end(const smtp::Lifetime& lifetime) const noexcept {
        return std::min(expiry(lifetime.start), lifetime.return_at());
    }
    /// When a delay is reported: a time that the sender chose (BY mode N) replaces the configured
    /// one. WallTime::max(): never.
    [[nodiscard]] base::WallTime notice_at(const smtp::Lifetime& lifetime) const noexcept;
    /// When a message that merely waited its turn is looked at again: its upstream may have failed
    /// meanwhile.
    [[nodiscard]] base::WallTime next_look(const smtp::Lifetime& lifetime,
                                           base::WallTime now) const noexcept {
        return delay_notice_.count() > 0 ? std::min(end(lifetime), now + delay_notice_)
                                         : end(lifetime);
    }
    /// When a waiting message needs attention whatever its upstream does: delay notice or end.
    [[nodiscard]] base::WallTime deadline(const smtp::Lifetime& lifetime,
                                          bool delay_notified) const noexcept {
        const auto last = end(lifetime);
        return delay_notified ? last : std::min(last, notice_at(lifetime));
    }
    /// The deadline of a message that waited while nothing was delivered until `started`: one
    /// that has expired meanwhile gets `respite` for another attempt, but not beyond the time that
    /// its sender set.
    [[nodiscard]] base::WallTime deadline_after_pause(
        const smtp::Lifetime& lifetime, bool delay_notified, base::WallTime started,
        std::chrono::milliseconds respite) const noexcept;

  private:
    config::Retry retry_;
    config::Duration max_age_;
    config::Duration delay_notice_;
};

/// How long to wait when our own side is at fault (a message cannot be read, a report not stored).
inline constexpr std::chrono::minutes own_fault_wait{1};
/// How long to wait when no upstream of a group takes a message, but one of them may later.
inline constexpr std::chrono::hours refused_wait{1};

}  // namespace outpost::delivery

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "smtp/envelope.hpp"

namespace outpost::spool {

enum class RecipientStatus : std::uint8_t {
    pending,    ///< to be tried at next_attempt
    delivered,  ///< the upstream took it
    failed,     ///< refused for good, and reported if a report was due
    cancelled,  ///< taken out by the operator or expired without a report
};

/// Where one recipient of a stored message stands.
struct RecipientState {
    RecipientStatus status = RecipientStatus::pending;
    std::uint8_t attempts = 0;
    bool delay_notified = false;
    base::WallTime next_attempt{};  ///< meaningful while pending; max(): held by the operator
    std::string last_reply;         ///< the upstream's or our own words, at most 512 octets
    std::string last_upstream;
    std::uint8_t priority = 0;  ///< the operator's, 1 to 5; 0: the message's own
    std::string moved_to{};     ///< upstream or group, by the operator; empty: by the routes

    bool operator==(const RecipientState&) const = default;
};

/// Where a message stands: one entry a recipient, in the envelope's order. A stored state replaces
/// the one before it. A message that has no state yet is pending for all and was never tried.
struct MessageState {
    std::vector<RecipientState> recipients;

    bool operator==(const MessageState&) const = default;
    /// No recipient is pending: the message can leave the spool.
    [[nodiscard]] bool finished() const noexcept {
        for (const auto& recipient : recipients)
            if (recipient.status == RecipientStatus::pending) return false;
        return true;
    }
};

/// The state of a message that has none yet: no recipient is tried before the release.
[[nodiscard]] inline MessageState untried(const smtp::Envelope& envelope) {
    const RecipientState recipient{.next_attempt = envelope.release_at.value_or(base::WallTime()),
                                   .last_reply = {},
                                   .last_upstream = {}};
    return {.recipients = std::vector(envelope.recipients.size(), recipient)};
}

}  // namespace outpost::spool

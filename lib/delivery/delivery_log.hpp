#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "delivery/retry_policy.hpp"
#include "smtp/envelope.hpp"
#include "spool/state.hpp"
#include "upstream/outcome.hpp"

namespace outpost::delivery {

/// One attempt for the log; `settled` stands beside each of `indices`.
struct AttemptRecord {
    base::MessageId id;
    const smtp::Envelope& envelope;
    const spool::MessageState& state;
    std::span<const std::uint32_t> indices;
    std::span<const Settled> settled;
    const upstream::SendReport& report;
    std::string_view upstream;
    std::chrono::milliseconds waited{};  ///< from its arrival to the start of the attempt
    std::chrono::microseconds read{};    ///< to read it back
    std::chrono::microseconds took{};    ///< the whole attempt
};

/// Writes one line for each run of recipients with the same result and reply: `delivered`,
/// `deferred`, `uncertain`, `bounced`, `expired` (`dropped` for those two where the reverse-path is
/// null). Times are in seconds.
void log_attempt(const AttemptRecord& record);

}  // namespace outpost::delivery

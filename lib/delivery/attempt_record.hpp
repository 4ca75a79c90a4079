#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "delivery/retry_policy.hpp"
#include "history/event.hpp"
#include "smtp/envelope.hpp"
#include "spool/state.hpp"
#include "upstream/outcome.hpp"

namespace outpost::delivery {

/// One attempt for log and history; `settled` stands beside each of `indices`.
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
    bool test = false;  ///< an operator's: never in the queue, and there is no other attempt
};

/// What became of the recipient at a place in `indices`, in the words of log and history: `bounced`
/// and `expired` are `dropped` where the reverse-path is null, as is a test that was not delivered.
[[nodiscard]] history::Result result_of(const AttemptRecord& record, std::size_t i) noexcept;

/// Whether an attempt came so far that the upstream may count it against us.
[[nodiscard]] bool went_out(const upstream::SendReport& report);

/// Calls `use` with the begin and the end of each run of recipients with the same result and reply;
/// none is longer than `most`.
void for_each_run(const AttemptRecord& record, std::size_t most,
                  const std::function<void(std::size_t first, std::size_t end)>& use);

}  // namespace outpost::delivery

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "limit/limiter.hpp"

namespace outpost::submission {

/// Returns once the limiter's store has answered for this counter, or false at `deadline`. Resumes
/// on the caller's executor, whose threads are one; may be destroyed while it waits.
[[nodiscard]] boost::asio::awaitable<bool> wait_for_lease(
    limit::Limiter& limiter, limit::Limiter::Id counter,
    std::chrono::steady_clock::time_point deadline);

/// Returns after `time`; false, and at once, if that is after `deadline`.
[[nodiscard]] boost::asio::awaitable<bool> pause_for(
    std::chrono::milliseconds time, std::chrono::steady_clock::time_point deadline);

}  // namespace outpost::submission

#pragma once

#include "delivery/attempt_record.hpp"

namespace outpost::delivery {

/// Writes one line for each run of recipients with the same result and reply: `delivered`,
/// `deferred`, `uncertain`, `bounced`, `expired` (`dropped` for those two where the reverse-path is
/// null). Times are in seconds.
void log_attempt(const AttemptRecord& record);

}  // namespace outpost::delivery

#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "submission/account_limits.hpp"
#include "submission/recipient_permits.hpp"

namespace outpost::submission {

/// The reply to a recipient that the limits of its account deny.
[[nodiscard]] std::string limit_reply(const RecipientPermits::Denial& denial,
                                      limit::Limiter& limiter, const limit::TimeZone& zone,
                                      base::WallTime now);

/// What RCPT would be told now for the account's limits; empty if they let it pass. Takes nothing.
[[nodiscard]] std::string limit_reply_now(const AccountLimits& limits, std::string_view account,
                                          base::WallTime now);

}  // namespace outpost::submission

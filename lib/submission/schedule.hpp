#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "smtp/command.hpp"
#include "smtp/envelope.hpp"

/// When a message may go out and by when it has to: what HOLDFOR, HOLDUNTIL and BY of a MAIL
/// command come to. Pure.
namespace outpost::submission {

/// How long a message may be held at most (RFC 4865). A spool is no calendar: what waits longer is
/// likely to outlive the account, the upstream or the disk that it waits for.
inline constexpr std::chrono::seconds max_future_release = std::chrono::days(30);

/// Takes over what `mail` says of time, as if the message were accepted `now`. The error is the
/// reply: too far in the future, or to be delivered before its release.
[[nodiscard]] std::expected<void, std::string> schedule(const smtp::MailCommand& mail,
                                                        base::WallTime now,
                                                        smtp::Envelope& envelope);

}  // namespace outpost::submission

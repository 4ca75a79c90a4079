#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>

#include "base/clock.hpp"
#include "smtp/envelope.hpp"
#include "upstream/outcome.hpp"

namespace outpost::upstream {

/// The seconds to pass on as BY (RFC 2852 section 4.1.4), negative ones with mode N included;
/// nothing where the message has no BY or the server, which may take it all the same, does not
/// offer DELIVERBY. `offered`: its least by-time, if it offers it. The error is the outcome for all
/// recipients: with mode R the message must not go to a server that does not offer DELIVERBY, nor
/// with less time than that server asks for.
[[nodiscard]] std::expected<std::optional<std::chrono::seconds>, Outcome> deliver_within(
    const std::optional<smtp::DeliverBy>& wanted, std::optional<std::uint32_t> offered,
    base::WallTime now);

}  // namespace outpost::upstream

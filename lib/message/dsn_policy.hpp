#pragma once

#include <cstdint>
#include <optional>

#include "smtp/envelope.hpp"

/// Which recipients get which report (RFC 3461 sections 4.1 and 5.2).
namespace outpost::message {

/// The Action field of RFC 3464 section 2.3.3.
enum class DsnAction : std::uint8_t { failed, delayed, delivered, relayed, expanded };

/// What happened to a recipient.
enum class DeliveryEvent : std::uint8_t {
    failed,               ///< refused for good, or expired
    delayed,              ///< still waiting after the delay notice's time
    relayed_with_dsn,     ///< the upstream offers DSN: it reports from here on
    relayed_without_dsn,  ///< the upstream will not report a success
    delivered,            ///< final delivery by us (sandbox)
    relayed_deliver_by,   ///< relayed, and BY asks for a report of that (RFC 2852 section 4.1.4)
};

/// The report to send for one recipient, if any: never for a null reverse-path or NOTIFY=NEVER.
[[nodiscard]] std::optional<DsnAction> report_due(const smtp::Envelope& envelope,
                                                  const smtp::Recipient& recipient,
                                                  DeliveryEvent event) noexcept;

}  // namespace outpost::message

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "message/dsn_policy.hpp"
#include "smtp/envelope.hpp"
#include "smtp/reply.hpp"

/// Delivery status notifications: multipart/report messages (RFC 3464, RFC 3461), in UTF-8 form
/// (RFC 6533) where an address needs it. Pure: the caller decides who gets one (report_due), stores
/// the result and sends it.
namespace outpost::message {

/// A larger original is returned as headers only.
inline constexpr std::size_t dsn_return_limit = 50 << 10;

struct DsnRecipient {
    smtp::Recipient recipient{};  ///< as in the envelope
    DsnAction action = DsnAction::failed;
    /// The last reply; code 0: our own words. Its enhanced status is the Status field where its
    /// class fits the action.
    smtp::Reply reply{};
    std::string remote{};  ///< Outcome::remote: `mx.example.com [192.0.2.1]:25`; may be empty
    std::optional<base::WallTime> last_attempt{};
    /// Failed: given up because the time was over, not because of a refusal (4.4.7).
    bool expired = false;
    /// The sender's own time for delivery (BY, RFC 2852) is why: failed 5.4.7, delayed 4.4.7, or
    /// relayed with a report that nothing else called for.
    bool deliver_by = false;
    /// Delayed: until when we go on trying.
    std::optional<base::WallTime> will_retry_until{};
};

struct DsnRequest {
    base::MessageId id{};           ///< of the report itself
    base::MessageId original_id{};  ///< of the message it is about
    std::string_view hostname{};    ///< Reporting-MTA
    std::string_view from{};        ///< a mailbox: `Mail Delivery System <mailer-daemon@host>`
    std::string_view to{};          ///< local@domain; the reverse-path, or the configured address
    base::WallTime now{};
    std::string_view random{};                    ///< a few unguessable letters and digits
    const smtp::Envelope& envelope;               ///< of the original
    const std::vector<DsnRecipient>& recipients;  ///< at least one
    /// The original's octets from its front: the whole, or at least its header section.
    std::string_view original{};
    bool original_complete = false;  ///< `original` is the whole message
    std::size_t return_limit = dsn_return_limit;
};

/// A report ready to be stored: its octets with CRLF, and its envelope (null reverse-path,
/// NOTIFY=NEVER, body and smtputf8 as the content needs them, account empty, received = now).
struct Dsn {
    std::string message{};
    smtp::Envelope envelope{};
};

/// Whether a report about these recipients returns the whole original of `size` octets, so that the
/// caller reads it whole; if not, its header section is enough. For failures only (RFC 3461 section
/// 4.3), unless RET=HDRS, over `limit`, or BINARYMIME.
[[nodiscard]] bool dsn_returns_full(const smtp::Envelope& envelope,
                                    const std::vector<DsnRecipient>& recipients, std::uint64_t size,
                                    std::size_t limit = dsn_return_limit) noexcept;

[[nodiscard]] Dsn build_dsn(const DsnRequest& request);

}  // namespace outpost::message

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "account/authenticator.hpp"
#include "base/clock.hpp"
#include "base/id.hpp"
#include "limit/calendar.hpp"
#include "smtp/body_rules.hpp"
#include "smtp/line_reader.hpp"
#include "smtp/server_machine.hpp"

/// Every reply of a session that does not quote a command (those are smtp::reply_to's) or judge a
/// sender (account::sender_policy's): reply code, enhanced status code, and a sentence that tells
/// the administrator of a CMS what to change, for it is all that they will ever see. One line each,
/// without CRLF.
namespace outpost::submission::wording {

[[nodiscard]] std::string_view refusal(smtp::Refusal why) noexcept;
[[nodiscard]] std::string_view auth_failure(account::AuthFailure why) noexcept;
[[nodiscard]] std::string_view body_fault(smtp::BodyFault why) noexcept;
[[nodiscard]] std::string_view line_fault(smtp::LineFault why) noexcept;

// Conversation
[[nodiscard]] std::string banner(std::string_view hostname);
[[nodiscard]] std::string helo(std::string_view hostname);
inline constexpr std::string_view ready_for_tls = "220 2.0.0 Ready to start TLS";
inline constexpr std::string_view ok = "250 2.0.0 Ok";
inline constexpr std::string_view cannot_verify =
    "252 2.0.0 Addresses are not verified here; send the message and it will be tried";
inline constexpr std::string_view help =
    "214 2.0.0 This is an outgoing mail relay: EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, QUIT";
inline constexpr std::string_view bye = "221 2.0.0 Bye";

// AUTH
[[nodiscard]] std::string auth_challenge(std::string_view octets);
inline constexpr std::string_view signed_in = "235 2.7.0 Authentication successful";
inline constexpr std::string_view auth_cancelled = "501 5.7.0 Authentication cancelled";
inline constexpr std::string_view auth_not_base64 =
    "501 5.5.2 The response to the challenge is not base64";
inline constexpr std::string_view auth_busy =
    "454 4.7.0 Too many logins at the same time; try again in a moment";

// Transaction
inline constexpr std::string_view sender_ok = "250 2.1.0 Ok";
/// RFC 4865 section 4.2 has it refused as an error of the parameter.
[[nodiscard]] std::string release_too_far(std::chrono::seconds longest, base::WallTime latest);
inline constexpr std::string_view release_after_deadline =
    "501 5.5.4 BY ends before the message is released: ask for a later BY or a shorter HOLDFOR or "
    "HOLDUNTIL";
inline constexpr std::string_view recipient_ok = "250 2.1.5 Ok";
inline constexpr std::string_view go_ahead = "354 End data with <CR><LF>.<CR><LF>";
[[nodiscard]] std::string chunk_ok(std::uint64_t octets);
[[nodiscard]] std::string queued(base::MessageId id);
inline constexpr std::string_view account_inactive =
    "525 5.7.13 This account is not active; ask the operator of this mail relay to activate it";
inline constexpr std::string_view cannot_store =
    "452 4.3.1 The relay cannot store mail at the moment; try again later";
/// `rate`: `20/s`; empty, and no `wait`, where they are not known.
[[nodiscard]] std::string over_submit_rate(std::string_view rate,
                                           std::optional<std::chrono::seconds> wait);
[[nodiscard]] std::string over_quota(limit::CalendarUnit unit, std::string_view resets);
[[nodiscard]] std::string bad_header(std::string_view problem);
inline constexpr std::string_view mail_loop =
    "554 5.4.6 The message has more than 50 Received fields: it goes round in a mail loop";

// Ends of a connection
inline constexpr std::string_view shutting_down =
    "421 4.3.2 The mail relay is shutting down; try again in a moment";
inline constexpr std::string_view too_many_connections =
    "421 4.3.2 Too many connections to this mail relay; try again in a moment";
inline constexpr std::string_view too_many_from_address =
    "421 4.7.0 Too many connections from your address; close some, or send one after the other";
inline constexpr std::string_view no_trusted_account =
    "421 4.3.5 The mail relay has no account for this port; ask its operator to set one up";
inline constexpr std::string_view account_gone =
    "421 4.7.0 Your account on this mail relay is no longer valid; ask its operator";
inline constexpr std::string_view account_changed =
    "421 4.7.0 The operator of this mail relay has changed your account; sign in again";
inline constexpr std::string_view idle =
    "421 4.4.2 Nothing was received for too long; connect again to send mail";
inline constexpr std::string_view data_timeout =
    "421 4.4.2 The message took too long to arrive; connect again to send it";
inline constexpr std::string_view early_octets =
    "421 4.7.0 Commands were sent behind STARTTLS before encryption had begun";

}  // namespace outpost::submission::wording

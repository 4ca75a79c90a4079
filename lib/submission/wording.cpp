#include "submission/wording.hpp"

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/text.hpp"

namespace outpost::submission::wording {

std::string_view refusal(smtp::Refusal why) noexcept {
    using enum smtp::Refusal;
    switch (why) {
        case starttls_first: return "530 5.7.0 Must issue a STARTTLS command first";
        case authentication_first: return "530 5.7.0 Authentication required";
        case auth_in_clear:
            return "538 5.7.11 Encryption required for authentication: set encryption to STARTTLS "
                   "or TLS in your mail settings";
        case ehlo_first: return "503 5.5.1 Send EHLO first";
        case auth_needs_ehlo: return "503 5.5.1 AUTH needs EHLO, not HELO";
        case tls_active: return "503 5.5.1 The connection is encrypted already";
        case tls_not_offered:
            return "502 5.5.1 STARTTLS is not offered on this port: set encryption to none, or use "
                   "another port";
        case authenticated_already: return "503 5.5.1 Already authenticated";
        case in_transaction:
            return "503 5.5.1 Not within a mail transaction; finish the message or send RSET";
        case nested_mail:
            return "503 5.5.1 A mail transaction is open already; finish it or send RSET";
        case mail_first: return "503 5.5.1 Send MAIL FROM first";
        case recipient_first: return "503 5.5.1 Send RCPT TO first";
        case no_valid_recipients: return "554 5.5.1 No valid recipients";
        case bdat_begun:
            return "503 5.5.1 The message was begun with BDAT; finish it with BDAT LAST or send "
                   "RSET";
        case after_failure:
            return "503 5.5.1 The message has failed with an earlier chunk; send RSET";
        case too_many_recipients:
            return "452 4.5.3 Too many recipients; send the message to the others separately";
        case message_too_big:
            return "552 5.3.4 The message is larger than this mail relay or your account allows";
        case binary_mime: return "504 5.5.4 BODY=BINARYMIME is not supported here";
        case expn: return "502 5.5.1 EXPN is not available here";
        case unknown_command: return "500 5.5.1 Command not recognized";
        case too_many_errors: return "421 4.7.0 Too many errors; closing the connection";
        case none: break;
    }
    return ok;
}

std::string_view auth_failure(account::AuthFailure why) noexcept {
    using enum account::AuthFailure;
    switch (why) {
        // A client outside of allowed_networks must not learn that its password was right.
        case credentials:
        case network:
            return "535 5.7.8 Authentication failed: check user name and password in your mail "
                   "settings";
        case mechanism:
            return "504 5.5.4 Authentication mechanism not supported: use SCRAM-SHA-256, PLAIN or "
                   "LOGIN";
        case syntax: return "501 5.5.2 The authentication data is malformed";
        case inactive: return account_inactive;
        case account_throttled:
            return "454 4.7.0 Too many failed logins for this account; wait some minutes, then "
                   "check user name and password";
        case address_throttled:
            return "421 4.7.0 Too many failed logins from your address; wait some minutes, then "
                   "check user name and password";
        case unavailable:
            return "454 4.7.0 Authentication is not possible at the moment; try again later";
    }
    return ok;
}

std::string_view body_fault(smtp::BodyFault why) noexcept {
    using enum smtp::BodyFault;
    switch (why) {
        case too_big: return refusal(smtp::Refusal::message_too_big);
        case bare_newline:
            return "550 5.6.11 The message has a bare CR or LF; every line must end in CR LF: "
                   "update the program that sends it";
        case nul: return "550 5.6.0 The message has a NUL octet; encode binary parts as base64";
        case line_too_long:
            return "550 5.6.0 The message has a line over 64 KB; encode such parts as base64 or "
                   "quoted-printable";
        case none: break;
    }
    return ok;
}

std::string_view line_fault(smtp::LineFault why) noexcept {
    using enum smtp::LineFault;
    switch (why) {
        case too_long: return "500 5.5.2 Line too long";
        case bare_cr: return "500 5.5.2 A bare CR in a command; every line must end in CR LF";
        case bare_lf: return "500 5.5.2 A bare LF in a command; every line must end in CR LF";
        case nul: return "500 5.5.2 A NUL octet in a command";
    }
    return ok;
}

std::string banner(std::string_view hostname) {
    return fmt::format("220 {} ESMTP Outpost", hostname);
}

std::string helo(std::string_view hostname) {
    return fmt::format("250 {}", hostname);
}

std::string auth_challenge(std::string_view octets) {
    return "334 " + base::base64_encode(octets);
}

std::string release_too_far(std::chrono::seconds longest, base::WallTime latest) {
    return fmt::format(
        "501 5.5.4 The release is too far in the future: HOLDFOR takes up to {} seconds, HOLDUNTIL "
        "up to {} now",
        longest.count(), base::rfc3339_seconds(latest));
}

std::string chunk_ok(std::uint64_t octets) {
    return fmt::format("250 2.0.0 Ok: {} octets received", octets);
}

std::string queued(base::MessageId id) {
    return fmt::format("250 2.0.0 Ok: queued as {}", id.text());
}

std::string over_submit_rate(std::string_view rate, std::optional<std::chrono::seconds> wait) {
    std::string reply = "454 4.7.0 Throttling failure: Maximum sending rate exceeded";
    if (!rate.empty()) reply += fmt::format(": {}", rate);
    if (!wait) return reply;
    // Seconds up to two minutes, minutes up to two hours: what stated_wait() of a relay reads.
    const auto count = wait->count();
    const auto [amount, unit] = count < 120    ? std::pair(count, "s")
                                : count < 7200 ? std::pair((count + 59) / 60, "min")
                                               : std::pair((count + 3599) / 3600, "h");
    return reply + fmt::format("; try again in {} {}", amount, unit);
}

std::string over_quota(limit::CalendarUnit unit, std::string_view resets) {
    using enum limit::CalendarUnit;
    const std::string_view name = unit == hour ? "Hourly" : unit == day ? "Daily" : "Monthly";
    return fmt::format(
        "454 4.7.0 Throttling failure: {} message quota exceeded; it counts recipients and "
        "resets at {}",
        name, resets);
}

std::string bad_header(std::string_view problem) {
    return fmt::format("550 5.6.0 {}", base::printable(problem, 400));
}

}  // namespace outpost::submission::wording

#pragma once

#include <cstdint>
#include <string_view>

#include "account/authenticator.hpp"
#include "base/metrics.hpp"
#include "config/types.hpp"
#include "smtp/body_rules.hpp"
#include "smtp/server_machine.hpp"

/// What submission counts about itself (docs/metrics.md). Thread-safe; each call is an addition or
/// two.
namespace outpost::submission::counts {

/// What became of a connection, a command or a message that was turned down.
enum class Refused : std::uint8_t {
    too_many_connections,
    too_many_from_address,
    failed_logins,  ///< too many of them from the address
    no_proxy_header,
    no_account,  ///< the listener's trusted_account does not exist
    not_encrypted,
    not_signed_in,
    protocol,  ///< a command that is malformed, unknown or out of order
    inactive_account,
    sender,  ///< the envelope's sender, or an address of the header
    schedule,
    submit_rate,
    quota,
    too_many_recipients,
    too_big,
    bare_newline,
    content,  ///< octets or lines that cannot be sent on
    header,
    mail_loop,
    storage,  ///< the spool, or the store of the limits, does not work
};
void refused(Refused why) noexcept;
[[nodiscard]] Refused reason(smtp::Refusal why) noexcept;
[[nodiscard]] Refused reason(smtp::BodyFault why) noexcept;

void accepted(std::uint64_t recipients, std::uint64_t octets) noexcept;

/// `cipher`: net::Stream::cipher().
void encrypted(std::string_view cipher) noexcept;
void handshake_failed() noexcept;

void signed_in(std::string_view mechanism) noexcept;
void not_signed_in(std::string_view mechanism, account::AuthFailure why) noexcept;
void login_refused_as_busy(std::string_view mechanism) noexcept;

/// Of one entry of `listen`.
struct Sessions {
    base::metrics::Counter* all;
    base::metrics::Gauge* open;
};
[[nodiscard]] Sessions sessions(const config::Listener& listener);

}  // namespace outpost::submission::counts

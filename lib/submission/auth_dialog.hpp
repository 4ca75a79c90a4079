#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "smtp/command.hpp"
#include "submission/client.hpp"
#include "submission/conversation.hpp"
#include "submission/settings.hpp"

namespace outpost::submission {

struct AuthOutcome {
    std::shared_ptr<const account::Account> account;  ///< null: refused or cancelled
    bool failed = false;                              ///< it counts as a failure of this client
    bool close = false;                               ///< the session is over
};

/// One AUTH command from its first challenge to its last reply, which is said here. `failures`: how
/// many the session has had; each makes the next one wait longer. The error is the connection's.
[[nodiscard]] boost::asio::awaitable<net::Result<AuthOutcome>> run_auth(
    Conversation& wire, const Services& services, const Client& client,
    const smtp::AuthCommand& command, unsigned failures);

}  // namespace outpost::submission

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "account/authenticator.hpp"
#include "base/clock.hpp"
#include "config/types.hpp"
#include "net/offload.hpp"
#include "net/tls_context.hpp"
#include "spool/spool.hpp"
#include "submission/account_limits.hpp"
#include "submission/admission.hpp"
#include "submission/counts.hpp"

namespace outpost::submission {

/// What all sessions share. The references and pointers outlive every session.
struct Services {
    std::string hostname;
    config::Submission limits;
    std::uint64_t large_message = 256ULL << 10;  ///< from this size a message gets its own file
    account::Authenticator& authenticator;
    const AccountLimits& account_limits;
    spool::Spool& spool;
    net::OffloadPool& offload;  ///< for SASL
    const base::Clock& clock;
    std::shared_ptr<net::TlsServer> tls;  ///< null: no listener uses TLS
    std::shared_ptr<Admission> admission;
    /// What the first failed AUTH of a session costs the client; doubles with each, up to
    /// eightfold.
    std::chrono::milliseconds auth_failure_delay{500};
    /// How long a recipient may wait for the store of its account's limits before it gets a 452.
    /// One that works takes some milliseconds; one that several nodes share, seconds after its
    /// start.
    std::chrono::milliseconds lease_patience{10'000};
};

/// What a session has of its listening socket.
struct ListenerRules {
    config::ListenerTls tls = config::ListenerTls::starttls;
    bool require_tls = true;
    bool proxy_protocol = false;
    std::optional<std::string> trusted_account{};
    counts::Sessions sessions = counts::sessions({});
};

}  // namespace outpost::submission

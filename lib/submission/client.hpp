#pragma once

#include <memory>
#include <string>

#include "account/account.hpp"
#include "config/network.hpp"

namespace outpost::submission {

/// What a session knows of the other side.
struct Client {
    config::IpAddress address;  ///< the real one, behind a proxy too
    std::string address_text;
    std::string helo;   ///< the EHLO or HELO argument
    bool esmtp = true;  ///< EHLO, not HELO
    bool tls = false;
    std::string tls_text;  ///< `TLSv1.3 with cipher TLS_AES_256_GCM_SHA384`; empty if plain
    std::shared_ptr<const account::Account> account;  ///< null until signed in
    bool authenticated = false;                       ///< by AUTH, not by a trusted listener
};

}  // namespace outpost::submission

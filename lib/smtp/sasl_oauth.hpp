#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/secret.hpp"
#include "smtp/sasl.hpp"

namespace outpost::smtp {

/// Whom a token is for, and where it is shown.
struct BearerLogin {
    std::string username;
    base::Secret token;
    std::string host;
    std::uint16_t port = 0;
    bool encrypted = false;  ///< the connection is, or the operator wants none
};

/// Signs in with an OAuth 2 access token: OAUTHBEARER (RFC 7628) where the server offers it, else
/// XOAUTH2, which its inventors and Microsoft speak. Never over a connection in the clear.
[[nodiscard]] std::unique_ptr<SaslClient> make_bearer_client(BearerLogin login);

}  // namespace outpost::smtp

#pragma once

#include <openssl/ssl.h>

#include <string>

#include "net/tls_context.hpp"

namespace outpost::net {

/// Sets SNI and what `client` wants checked, before the handshake. `host` is a name or an address.
void prepare_verification(SSL* ssl, const TlsClient& client, const std::string& host);

/// After the handshake: what is wrong with the peer's certificate if `client` pins another one;
/// empty if nothing is.
[[nodiscard]] std::string check_fingerprint(SSL* ssl, const TlsClient& client);

}  // namespace outpost::net

#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

namespace outpost::smtp {

/// The client side of one SASL exchange, so that the client machine needs no SASL library. The
/// implementation stands in account/sasl_client; main() hands its factory down to the transports.
/// Octets are raw, not base64. Pure computation, but PBKDF2 may take milliseconds.
class SaslClient {
  public:
    virtual ~SaslClient() = default;
    struct Start {
        std::string mechanism;
        std::optional<std::string> initial_response;  ///< an empty string is sent as `=`
    };
    /// Picks the best of the server's mechanisms; the error says why none fits.
    virtual std::expected<Start, std::string> start(const std::vector<std::string>& offered) = 0;
    /// The answer to a challenge; the error ends the exchange.
    virtual std::expected<std::string, std::string> step(std::string_view challenge) = 0;
};

/// `encrypted`: whether the connection is, or the operator wants none; plain-text mechanisms are
/// refused otherwise.
using SaslClientFactory = std::unique_ptr<SaslClient> (*)(const std::string& username,
                                                          const base::Secret& password,
                                                          const std::string& host, bool encrypted);

}  // namespace outpost::smtp

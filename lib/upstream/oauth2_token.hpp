#pragma once

#include <chrono>
#include <expected>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "config/types.hpp"
#include "net/http.hpp"
#include "upstream/outcome.hpp"

/// Asking an OAuth 2 token server for an access token (RFC 6749 sections 4.4 and 6). Pure.
namespace outpost::upstream {

struct OAuth2Token {
    base::Secret access;
    std::chrono::seconds lifetime{};  ///< an hour, if the server states none
    base::Secret refresh;             ///< to be used from now on; empty: the old one
};

/// `refresh_token`: the latest one, for the grant of that name.
[[nodiscard]] net::HttpRequest token_request(const config::OAuth2& settings,
                                             const base::Secret& refresh_token);

/// The token of an answer; else what mail that waits for one is told: misconfigured if the server
/// does not give us any (a wrong secret, a revoked consent), deferred for the whole upstream if it
/// cannot just now. Our own secrets are cut out of the server's words.
[[nodiscard]] std::expected<OAuth2Token, Outcome> read_token(const net::HttpResponse& answer,
                                                             const config::OAuth2& settings,
                                                             base::WallTime now);

/// The same for an answer that never came.
[[nodiscard]] Outcome no_token(const net::HttpFailure& failure);

}  // namespace outpost::upstream

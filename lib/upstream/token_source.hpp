#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <expected>
#include <memory>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "config/types.hpp"
#include "net/http_client.hpp"
#include "upstream/outcome.hpp"

namespace outpost::upstream {

/// The access token of one upstream: kept until shortly before it expires, and renewed by one call
/// at a time, for whose result all who want a token wait. Used on one executor.
class TokenSource {
  public:
    TokenSource(boost::asio::io_context& context, config::OAuth2 settings, const base::Clock& clock,
                net::HttpClient::Settings http = {});
    ~TokenSource();
    TokenSource(const TokenSource&) = delete;
    TokenSource& operator=(const TokenSource&) = delete;

    /// The outcome is that of mail that needs the token, see read_token.
    boost::asio::awaitable<std::expected<base::Secret, Outcome>> token();
    /// A server did not take this token: the next one who asks gets another.
    void refused(const base::Secret& token);

  private:
    struct State;

    std::shared_ptr<State> state_;
};

}  // namespace outpost::upstream

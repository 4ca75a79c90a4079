#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <expected>
#include <optional>

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

    /// The outcome is that of mail that needs the token, see read_token.
    boost::asio::awaitable<std::expected<base::Secret, Outcome>> token();
    /// A server did not take this token: the next one who asks gets another.
    void refused(const base::Secret& token);

  private:
    struct Renewal;

    [[nodiscard]] bool fresh() const;
    boost::asio::awaitable<void> renew();

    config::OAuth2 settings_;  ///< refresh_token: the latest one
    const base::Clock& clock_;
    net::HttpClient http_;
    base::Secret token_;  ///< empty: none
    base::MonoTime renew_at_{};
    std::optional<Outcome> failure_;  ///< of the last renewal
    boost::asio::steady_timer renewed_;
    bool renewing_ = false;
    std::uint64_t renewals_ = 0;  ///< that came to an end
};

}  // namespace outpost::upstream

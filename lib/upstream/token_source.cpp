#include "upstream/token_source.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "upstream/oauth2_token.hpp"

namespace outpost::upstream {

namespace asio = boost::asio;

/// Wakes those who wait, also if the call is cancelled: then one of them makes it again.
struct TokenSource::Renewal {
    TokenSource& source;

    explicit Renewal(TokenSource& of) : source(of) { source.renewing_ = true; }
    ~Renewal() {
        source.renewing_ = false;
        source.renewed_.cancel();
    }
    Renewal(const Renewal&) = delete;
    Renewal& operator=(const Renewal&) = delete;
};

TokenSource::TokenSource(asio::io_context& context, config::OAuth2 settings,
                         const base::Clock& clock, net::HttpClient::Settings http)
    : settings_(std::move(settings)),
      clock_(clock),
      http_(context, std::move(http)),
      renewed_(context, asio::steady_timer::time_point::max()) {}

bool TokenSource::fresh() const {
    return !token_.empty() && clock_.mono() < renew_at_;
}

asio::awaitable<std::expected<base::Secret, Outcome>> TokenSource::token() {
    const auto before = renewals_;
    while (!fresh()) {
        if (renewals_ != before && failure_) co_return std::unexpected(*failure_);
        // However short it lives, what was got for this call is used.
        if (renewals_ != before && !token_.empty()) break;
        if (renewing_)
            co_await renewed_.async_wait(asio::as_tuple(asio::use_awaitable));
        else
            co_await renew();
    }
    co_return token_;
}

asio::awaitable<void> TokenSource::renew() {
    constexpr std::chrono::seconds longest_reserve = std::chrono::minutes(5);
    const Renewal renewal(*this);
    const auto asked = clock_.mono();
    auto request = token_request(settings_, settings_.refresh_token);
    auto result = co_await http_.call(std::move(request));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;  // it says nothing
    auto token = result.answer ? read_token(*result.answer, settings_, clock_.wall())
                               : std::unexpected(no_token(result.answer.error()));
    ++renewals_;
    failure_.reset();
    if (!token) {
        failure_ = std::move(token.error());
        failure_->remote = result.stages.remote;
        co_return;
    }
    token_ = std::move(token->access);
    if (!token->refresh.empty()) settings_.refresh_token = std::move(token->refresh);
    renew_at_ = asked + token->lifetime - std::min(longest_reserve, token->lifetime / 10);
}

void TokenSource::refused(const base::Secret& token) {
    if (token.reveal() == token_.reveal()) token_ = base::Secret();
}

}  // namespace outpost::upstream

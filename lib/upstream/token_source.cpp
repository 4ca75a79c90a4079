#include "upstream/token_source.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <optional>
#include <utility>

#include "upstream/oauth2_token.hpp"

namespace outpost::upstream {

namespace asio = boost::asio;

/// Shared with the calls under way: the io_context may end them after the source has gone.
struct TokenSource::State {
    config::OAuth2 settings;  ///< refresh_token: the latest one
    const base::Clock& clock;
    net::HttpClient http;
    asio::steady_timer renewed;  ///< never expires; cancelled when a renewal has ended
    base::Secret token{};        ///< empty: none
    base::MonoTime renew_at{};
    std::optional<Outcome> failure{};  ///< of the last renewal
    bool renewing = false;
    std::uint64_t renewals = 0;  ///< that came to an end

    State(asio::io_context& context, config::OAuth2 of, const base::Clock& its_clock,
          net::HttpClient::Settings http_settings)
        : settings(std::move(of)),
          clock(its_clock),
          http(context, std::move(http_settings)),
          renewed(context, asio::steady_timer::time_point::max()) {}

    [[nodiscard]] bool fresh() const { return !token.empty() && clock.mono() < renew_at; }
    static asio::awaitable<std::expected<base::Secret, Outcome>> get(std::shared_ptr<State> self);
    static asio::awaitable<void> renew(std::shared_ptr<State> self);
};

namespace {

/// Wakes those who wait, also if the call is cancelled: then one of them makes it again.
class Renewal {
  public:
    Renewal(bool& renewing, asio::steady_timer& renewed) : renewing_(renewing), renewed_(renewed) {
        renewing_ = true;
    }
    ~Renewal() {
        renewing_ = false;
        renewed_.cancel();
    }
    Renewal(const Renewal&) = delete;
    Renewal& operator=(const Renewal&) = delete;

  private:
    bool& renewing_;
    asio::steady_timer& renewed_;
};

}  // namespace

asio::awaitable<std::expected<base::Secret, Outcome>> TokenSource::State::get(
    std::shared_ptr<State> self) {
    const auto before = self->renewals;
    while (!self->fresh()) {
        if (self->renewals != before && self->failure) co_return std::unexpected(*self->failure);
        // However short it lives, what was got for this call is used.
        if (self->renewals != before && !self->token.empty()) break;
        if (self->renewing)
            co_await self->renewed.async_wait(asio::as_tuple(asio::use_awaitable));
        else
            co_await renew(self);
    }
    co_return self->token;
}

asio::awaitable<void> TokenSource::State::renew(std::shared_ptr<State> self) {
    constexpr std::chrono::seconds longest_reserve = std::chrono::minutes(5);
    const Renewal renewal(self->renewing, self->renewed);
    const auto asked = self->clock.mono();
    auto request = token_request(self->settings, self->settings.refresh_token);
    auto result = co_await self->http.call(std::move(request));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;  // it says nothing
    auto token = result.answer ? read_token(*result.answer, self->settings, self->clock.wall())
                               : std::unexpected(no_token(result.answer.error()));
    ++self->renewals;
    self->failure.reset();
    if (!token) {
        self->failure = std::move(token.error());
        self->failure->remote = result.stages.remote;
        co_return;
    }
    self->token = std::move(token->access);
    if (!token->refresh.empty()) self->settings.refresh_token = std::move(token->refresh);
    self->renew_at = asked + token->lifetime - std::min(longest_reserve, token->lifetime / 10);
}

TokenSource::TokenSource(asio::io_context& context, config::OAuth2 settings,
                         const base::Clock& clock, net::HttpClient::Settings http)
    : state_(std::make_shared<State>(context, std::move(settings), clock, std::move(http))) {}

TokenSource::~TokenSource() = default;

asio::awaitable<std::expected<base::Secret, Outcome>> TokenSource::token() {
    return State::get(state_);
}

void TokenSource::refused(const base::Secret& token) {
    if (token.reveal() == state_->token.reveal()) state_->token = base::Secret();
}

}  // namespace outpost::upstream

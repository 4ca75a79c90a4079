#include "upstream/aws_credentials.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "base/log.hpp"
#include "net/spawn.hpp"

namespace outpost::upstream {

namespace {

namespace asio = boost::asio;

/// So long before they expire credentials are renewed.
constexpr std::chrono::minutes early{5};
/// Between two tries while the old ones are good.
constexpr std::chrono::seconds pause{30};

}  // namespace

/// Shared with a renewal under way.
struct AwsCredentials::State {
    asio::io_context& context;
    const base::Clock& clock;
    AwsSources sources;
    asio::steady_timer renewed;  ///< never expires; cancelled when a renewal has ended
    bool renewing = false;
    std::optional<AwsKeys> keys{};
    std::optional<AwsFailure> failure{};  ///< of the last renewal
    base::WallTime not_before{};          ///< the next renewal of keys that are still good

    [[nodiscard]] bool good_for(std::chrono::minutes span) const {
        return keys && (!keys->expires || *keys->expires - span > clock.wall());
    }
    /// Whatever goes wrong, those who wait must hear of it.
    static asio::awaitable<FoundKeys> find(const State& self) {
        try {
            co_return co_await find_keys(self.sources);
        } catch (const std::exception& error) {
            co_return std::unexpected(AwsFailure{
                .passing = true, .text = std::string("AWS credentials: ") + error.what()});
        }
    }
    static asio::awaitable<void> renew(std::shared_ptr<State> self) {
        auto found = co_await find(*self);
        self->not_before = self->clock.wall() + pause;
        self->failure.reset();
        if (found) {
            self->keys = std::move(*found);
        } else {
            base::log::warning("AWS credentials not renewed", {{"reason", found.error().text}});
            self->failure = std::move(found.error());
        }
        self->renewing = false;
        self->renewed.cancel();
    }
    static void start_renewal(const std::shared_ptr<State>& self) {
        if (std::exchange(self->renewing, true)) return;
        net::spawn(self->context.get_executor(), renew(self), "AWS credentials");
    }
    static asio::awaitable<void> wait_for_renewal(std::shared_ptr<State> self) {
        start_renewal(self);
        while (self->renewing)
            co_await self->renewed.async_wait(asio::as_tuple(asio::use_awaitable));
    }
};

AwsCredentials::AwsCredentials(asio::io_context& context, const base::Clock& clock,
                               AwsSources sources)
    : state_(std::make_shared<State>(
          context, clock, std::move(sources),
          asio::steady_timer(context, asio::steady_timer::time_point::max()))) {}

AwsCredentials::~AwsCredentials() = default;

asio::awaitable<FoundKeys> AwsCredentials::get() {
    const auto state = state_;
    if (state->good_for(early)) co_return *state->keys;
    if (state->good_for(std::chrono::minutes(0))) {
        if (state->clock.wall() >= state->not_before) State::start_renewal(state);
        co_return *state->keys;
    }
    co_await State::wait_for_renewal(state);
    if (state->good_for(std::chrono::minutes(0))) co_return *state->keys;
    co_return std::unexpected(state->failure.value_or(
        AwsFailure{.passing = true, .text = "the AWS credentials found have expired already"}));
}

asio::awaitable<FoundKeys> AwsCredentials::replace(AwsKeys refused) {
    const auto state = state_;
    const auto same = [&] {
        return state->keys && state->keys->access_key_id == refused.access_key_id &&
               state->keys->session_token.reveal() == refused.session_token.reveal();
    };
    if (same()) co_await State::wait_for_renewal(state);
    if (state->keys && !same()) co_return *state->keys;
    co_return std::unexpected(state->failure.value_or(
        AwsFailure{.passing = false,
                   .text = "AWS says that the credentials have expired, and their source has no "
                           "others; renew them there, and check this machine's clock"}));
}

}  // namespace outpost::upstream

#include "submission/auth_dialog.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>

#include "base/base64.hpp"
#include "base/log.hpp"
#include "submission/wording.hpp"

namespace outpost::submission {

namespace asio = boost::asio;
using account::AuthFailure;
using account::AuthStep;

namespace {

constexpr unsigned most_doublings = 3;

std::string_view name(AuthFailure failure) {
    switch (failure) {
        case AuthFailure::credentials: return "wrong user or password";
        case AuthFailure::mechanism: return "mechanism not supported";
        case AuthFailure::syntax: return "malformed response";
        case AuthFailure::inactive: return "account not active";
        case AuthFailure::network: return "client outside of allowed_networks";
        case AuthFailure::account_throttled: return "too many failures for the account";
        case AuthFailure::address_throttled: return "too many failures from the address";
        case AuthFailure::unavailable: return "SASL failed";
    }
    return "unknown";
}

/// Whether the client is made to wait for the refusal.
bool costs_time(AuthFailure failure) {
    return failure != AuthFailure::mechanism && failure != AuthFailure::unavailable;
}

/// Sends a challenge and waits for the answer; nothing, and the reply said, if that ends the
/// exchange.
asio::awaitable<net::Result<std::optional<std::string>>> answer_to(Conversation& wire,
                                                                   std::string_view challenge) {
    wire.say(wording::auth_challenge(challenge));
    const auto read = co_await wire.read_line();
    if (!read) co_return std::unexpected(read.error());
    if (const auto* bad = std::get_if<smtp::BadLine>(&*read)) {
        wire.say(wording::line_fault(bad->fault));
        co_return std::nullopt;
    }
    const auto line = std::get<smtp::Line>(*read).text;
    if (line == "*") {
        wire.say(wording::auth_cancelled);
        co_return std::nullopt;
    }
    auto octets = base::base64_decode(line);
    if (!octets) wire.say(wording::auth_not_base64);
    co_return octets;
}

struct Refusal {
    account::AuthRefusal why;
    std::string_view mechanism;
    unsigned failures;  ///< of the session, before
};

asio::awaitable<AuthOutcome> refuse(Conversation& wire, const Services& services,
                                    const Client& client, Refusal refused) {
    const account::AuthRefusal& refusal = refused.why;
    counts::not_signed_in(refused.mechanism, refusal.failure);
    base::log::info("authentication failed", {{"client", client.address_text},
                                              {"account", refusal.account},
                                              {"reason", name(refusal.failure)}});
    AuthOutcome outcome;
    outcome.failed = costs_time(refusal.failure);
    outcome.close = refusal.failure == AuthFailure::address_throttled;
    if (outcome.failed) {
        const auto wait =
            services.auth_failure_delay * (1U << std::min(refused.failures, most_doublings));
        asio::steady_timer timer(wire.stream().executor(), wait);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    wire.say(wording::auth_failure(refusal.failure));
    co_return outcome;
}

}  // namespace

asio::awaitable<net::Result<AuthOutcome>> run_auth(Conversation& wire, const Services& services,
                                                   const Client& client,
                                                   const smtp::AuthCommand& command,
                                                   unsigned failures) {
    const auto exchange = services.authenticator.exchange(client.address);
    AuthStep step = exchange->start(command.mechanism, command.initial_response);
    for (;;) {
        if (std::holds_alternative<account::AuthPending>(step)) {
            auto work = [exchange] { return exchange->work(); };
            auto done = co_await services.offload.run(std::move(work));
            if (!done) {
                base::log::warning("authentication refused: too many at the same time",
                                   {{"client", client.address_text}});
                counts::login_refused_as_busy(command.mechanism);
                wire.say(wording::auth_busy);
                co_return AuthOutcome{};
            }
            step = std::move(*done);
        } else if (const auto* challenge = std::get_if<account::AuthChallenge>(&step)) {
            wire.stream().expires_after(services.limits.idle_timeout);
            auto answer = co_await answer_to(wire, challenge->octets);
            if (!answer) co_return std::unexpected(answer.error());
            const std::optional<std::string> response = std::move(*answer);
            if (!response) co_return AuthOutcome{};
            step = exchange->step(*response);
        } else if (auto* success = std::get_if<account::AuthSuccess>(&step)) {
            base::log::debug("signed in", {{"client", client.address_text},
                                           {"account", success->account->name},
                                           {"mechanism", command.mechanism}});
            counts::signed_in(command.mechanism);
            wire.say(wording::signed_in);
            AuthOutcome outcome;
            outcome.account = std::move(success->account);
            co_return outcome;
        } else {
            Refusal refusal{.why = std::get<account::AuthRefusal>(std::move(step)),
                            .mechanism = command.mechanism,
                            .failures = failures};
            co_return co_await refuse(wire, services, client, std::move(refusal));
        }
    }
}

}  // namespace outpost::submission

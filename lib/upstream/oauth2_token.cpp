#include "upstream/oauth2_token.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"
#include "net/percent_encoding.hpp"
#include "smtp/client_machine.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/redaction.hpp"

namespace outpost::upstream {

namespace {

constexpr std::chrono::seconds usual_lifetime = std::chrono::hours(1);
constexpr std::chrono::seconds longest_lifetime = std::chrono::days(1);

/// application/x-www-form-urlencoded
void append_field(std::string& form, std::string_view name, std::string_view value) {
    if (value.empty()) return;
    if (!form.empty()) form += '&';
    form.append(name).append("=").append(net::percent_encoded(value));
}

/// What may stand after `Bearer ` (RFC 6750 section 2.1), and cannot end a SASL message.
bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > 32 && c < 127; });
}

/// `cannot get a token: invalid_client: words`, or what the answer is instead.
std::string words_of(const net::HttpResponse& answer, const boost::json::value& body,
                     const std::string& error) {
    std::string words = "cannot get a token";
    const auto why =
        error.empty() ? api::words_of(answer) : api::text_at(body, "/error_description");
    for (const auto& each : {error, why})
        if (!each.empty()) words += ": " + each;
    return words;
}

Outcome refusal(const net::HttpResponse& answer, const boost::json::value& body,
                base::WallTime now) {
    const auto error = api::text_at(body, "/error");
    const auto words = words_of(answer, body, error);
    const bool passing = error == "temporarily_unavailable" || error == "slow_down" ||
                         error == "server_error" || answer.status == 429;
    const bool ours = answer.status == 401 || answer.status == 403 ||
                      (answer.status >= 400 && answer.status < 500 && !error.empty());
    if (ours && !passing) return api::account_trouble(answer, words);
    return api::throttled(answer, words, api::retry_after(answer, now));
}

}  // namespace

net::HttpRequest token_request(const config::OAuth2& settings, const base::Secret& refresh_token) {
    const bool refresh = settings.grant == config::OAuth2::Grant::refresh_token;
    net::HttpRequest request;
    request.url = settings.token_url;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"Accept", "application/json"}};
    append_field(request.body, "grant_type", refresh ? "refresh_token" : "client_credentials");
    append_field(request.body, "client_id", settings.client_id);
    append_field(request.body, "client_secret", settings.client_secret.reveal());
    if (refresh) append_field(request.body, "refresh_token", refresh_token.reveal());
    append_field(request.body, "scope", settings.scope);
    return request;
}

std::expected<OAuth2Token, Outcome> read_token(const net::HttpResponse& answer,
                                               const config::OAuth2& settings, base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    auto access = api::text_at(body, "/access_token");
    const auto type = api::text_at(body, "/token_type");
    const bool taken = answer.status / 100 == 2;
    if (taken && is_token(access) && (type.empty() || base::iequals(type, "bearer"))) {
        OAuth2Token token;
        token.access = base::Secret(std::move(access));
        token.refresh = base::Secret(api::text_at(body, "/refresh_token"));
        const auto stated = api::integer_at(body, "/expires_in").value_or(0);
        token.lifetime =
            stated > 0
                ? std::chrono::seconds(std::min<std::int64_t>(stated, longest_lifetime.count()))
                : usual_lifetime;
        return token;
    }
    // A body that should hold a token is not shown, whatever else is wrong with it.
    auto outcome = taken ? api::throttled(answer, "cannot get a token: the answer has none", {})
                         : refusal(answer, body, now);
    Redaction redaction;
    redaction.add(settings.client_secret);
    redaction.add(settings.refresh_token);
    redaction.apply(outcome.reply);
    return std::unexpected(std::move(outcome));
}

Outcome no_token(const net::HttpFailure& failure) {
    Outcome outcome;
    outcome.verdict = Verdict::deferred;
    outcome.scope = Scope::upstream;
    outcome.reply = smtp::own_words("cannot get a token: " + failure.text);
    return outcome;
}

}  // namespace outpost::upstream

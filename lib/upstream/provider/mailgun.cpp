#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "upstream/classify.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/providers.hpp"

/// Mailgun, messages.mime of API version 3.
namespace outpost::upstream {

namespace {

net::HttpRequest authorized(std::string url, const ProviderSettings& settings) {
    net::HttpRequest request;
    request.url = std::move(url);
    request.headers = {{"Accept", "application/json"}};
    request.secret_headers.emplace_back(
        "Authorization", base::Secret("Basic " + base::base64_encode(fmt::format(
                                                     "api:{}", settings.api_key.reveal()))));
    return request;
}

std::string send_url(const ProviderSettings& settings) {
    return fmt::format("{}/v3/{}/messages.mime", settings.endpoint, settings.domain);
}

/// Stands nowhere in what it separates, and is the same for the same call.
std::string boundary_for(const ApiMessage& message) {
    const auto occurs = [&](std::string_view text) {
        const auto has = [&](std::string_view octets) {
            return octets.find(text) != std::string_view::npos;
        };
        return has(message.raw) || std::ranges::any_of(message.recipients, has);
    };
    for (unsigned attempt = 0;; ++attempt) {
        auto boundary = fmt::format("outpost-{}-{}", message.id, attempt);
        if (!occurs(boundary)) return boundary;
    }
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    auto request = authorized(send_url(settings), settings);
    const std::string boundary = boundary_for(message);
    request.headers.emplace_back("Content-Type", "multipart/form-data; boundary=" + boundary);
    std::string& body = request.body;
    body.reserve(message.raw.size() + 1024 + message.recipients.size() * 128);
    const auto field = [&](std::string_view name, std::string_view value) {
        fmt::format_to(std::back_inserter(body),
                       "--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n",
                       boundary, name, value);
    };
    for (const auto& recipient : message.recipients) field("to", recipient);
    field("o:tracking", "no");
    field("v:queue_id", message.id);
    // Without a file name it is no file to Mailgun, and is refused.
    fmt::format_to(std::back_inserter(body),
                   "--{}\r\nContent-Disposition: form-data; name=\"message\"; "
                   "filename=\"message.mime\"\r\nContent-Type: message/rfc822\r\n\r\n",
                   boundary);
    body.append(message.raw).append("\r\n--").append(boundary).append("--\r\n");
    return request;
}

/// A send to nobody: keys that may do nothing but send can make no other call.
net::HttpRequest probe_request(const ProviderSettings& settings) {
    auto request = authorized(send_url(settings), settings);
    constexpr std::string_view boundary = "outpost-probe";
    request.headers.emplace_back("Content-Type",
                                 fmt::format("multipart/form-data; boundary={}", boundary));
    request.body = fmt::format(
        "--{0}\r\nContent-Disposition: form-data; name=\"o:testmode\"\r\n\r\nyes\r\n--{0}--\r\n",
        boundary);
    return request;
}

/// `try again after Mon, 20 Dec 2021 20:33:21 UTC` or `try again after 120 seconds`.
std::optional<std::chrono::seconds> wait_in(std::string_view words, base::WallTime now) {
    constexpr std::string_view request = "try again after ";
    const auto at = base::to_lower(words).find(request);
    if (at == std::string::npos) return std::nullopt;
    const auto rest = words.substr(at + request.size());
    const auto end = rest.find("UTC");
    if (end != std::string_view::npos)
        if (const auto date = api::http_date(rest.substr(0, end + 3)))
            return api::until(*date, now);
    return stated_wait(words.substr(at));
}

/// Domain X is not allowed to send: why?
Outcome not_allowed(const net::HttpResponse& answer, std::string_view words) {
    if (api::mentions(words, {"domain is unverified", "requires dns configuration"}))
        return api::sender_unverified(answer, words);
    return api::account_trouble(answer, words);
}

std::vector<Outcome> bad_request(const net::HttpResponse& answer, std::string_view words,
                                 std::size_t recipients) {
    if (api::mentions(words, {"not allowed to send"}))
        return api::for_all(recipients, not_allowed(answer, words));
    if (api::mentions(words, {"is not a valid address", "not a valid email"}))
        return api::for_one_of(recipients, api::message_refused(answer, words));
    if (api::mentions(words, {"parameter is missing"}))
        return api::for_all(recipients, api::message_refused(answer, words));
    return api::for_all(recipients, api::our_mistake(answer, words));
}

std::vector<Outcome> refused(const net::HttpResponse& answer, std::size_t recipients,
                             base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    const bool own_error = !api::text_at(body, "/message").empty();
    const auto words = api::words_at(answer, body, {"/message"});
    switch (answer.status) {
        case 400:
            if (own_error) return bad_request(answer, words, recipients);
            break;
        case 402: return api::for_all(recipients, api::account_trouble(answer, words));
        case 404:
            if (own_error && api::mentions(words, {"domain not found"}))
                return api::for_all(recipients, api::account_trouble(answer, words));
            break;
        case 429: {
            auto wait = wait_in(words, now);
            if (!wait) wait = api::retry_after(answer, now);
            return api::for_all(recipients, api::throttled(answer, words, wait));
        }
        default:
            if (own_error && answer.status >= 500)
                return api::for_all(recipients, api::temporary(answer, words));
    }
    return api::for_all(recipients, api::by_status(answer, words, now));
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto recipients = message.recipients.size();
    if (answer.status != 200) return refused(answer, recipients, now);
    const auto body = api::parse_body(answer).value_or(nullptr);
    std::string id = api::text_at(body, "/id");
    const auto words = api::words_at(answer, body, {"/message"});
    // What every wrong path is answered with.
    if (id.empty() && api::mentions(words, {"mailgun magnificent api"}))
        return api::for_all(recipients, api::our_mistake(answer, words));
    if (id.empty()) return api::for_all(recipients, api::unclear(answer, words));
    // As events name it.
    if (id.starts_with('<') && id.ends_with('>')) id = id.substr(1, id.size() - 2);
    return api::for_all(recipients, api::delivered(answer, id, words));
}

}  // namespace

const Provider mailgun_provider{
    .type = "mailgun",
    .title = "Mailgun",
    .form = MessageForm::raw,
    .endpoint = "https://api.mailgun.net",
    .eu_endpoint = "https://api.eu.mailgun.net",
    .recipients = {.to = 1000, .cc = 1000, .bcc = 1000, .total = 1000},
    .max_request = 25'000'000,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

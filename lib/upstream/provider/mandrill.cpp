#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "base/text.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/providers.hpp"

/// Mandrill (Mailchimp Transactional), messages/send-raw. The version of the API is part of the
/// endpoint. Whatever goes wrong is told by name: the HTTP status of an error may be 500 for all.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

net::HttpRequest call(std::string_view path, json::object body, const ProviderSettings& settings) {
    const auto key = settings.api_key.reveal();
    body["key"] = json::string(key.data(), key.size());
    return api::post_json(settings.endpoint + std::string(path), body);
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    json::object body{{"raw_message", message.raw},
                      {"to", json::array(message.recipients.begin(), message.recipients.end())},
                      {"async", false}};
    // Of the return path it takes the domain alone.
    const auto at = settings.return_path.rfind('@');
    if (at != std::string::npos) body["return_path_domain"] = settings.return_path.substr(at + 1);
    return call("/messages/send-raw", std::move(body), settings);
}

net::HttpRequest probe_request(const ProviderSettings& settings) {
    return call("/users/ping2", {}, settings);
}

/// It has the message, and holds it because of the account: for this message that is a delivery,
/// for those that come after it the upstream is to wait.
Outcome held(const net::HttpResponse& answer, std::string id, std::string_view reason) {
    auto outcome = api::delivered(answer, std::move(id),
                                  "queued, but held by the provider: " + std::string(reason));
    outcome.scope = Scope::upstream;
    outcome.alert = true;
    outcome.retry_after = reason == "hourly-quota-exhausted"
                              ? std::chrono::seconds(std::chrono::hours(1))
                              : std::chrono::seconds(std::chrono::days(1));
    return outcome;
}

Outcome rejected(const net::HttpResponse& answer, std::string_view reason) {
    const std::string words = "rejected: " + std::string(reason.empty() ? "no reason" : reason);
    for (const std::string_view known :
         {"hard-bounce", "soft-bounce", "spam", "unsub", "custom", "rule"})
        if (reason == known) return api::recipient_refused(answer, words);
    if (reason == "invalid-sender" || reason == "unsigned")
        return api::sender_unverified(answer, words);
    if (reason == "test-mode-limit") return api::throttled(answer, words, std::nullopt);
    return api::our_mistake(answer, words);
}

/// What one element of the answer's array says.
Outcome outcome_of(const net::HttpResponse& answer, const json::value& entry) {
    const auto status = api::text_at(entry, "/status");
    const auto reason = api::text_at(entry, "/reject_reason");
    const auto queued = api::text_at(entry, "/queued_reason");
    auto id = api::text_at(entry, "/_id");
    if (status == "rejected") return rejected(answer, reason);
    if (status == "invalid") return api::recipient_refused(answer, "invalid: a bad address");
    if (status == "sent" || status == "scheduled") return api::delivered(answer, id, status);
    if (status == "queued") {
        for (const std::string_view account :
             {"free-trial-sends-exhausted", "hourly-quota-exhausted", "monthly-limit-reached",
              "sending-paused", "sending-suspended", "account-suspended"})
            if (queued == account) return held(answer, id, queued);
        return api::delivered(answer, id, queued.empty() ? status : status + ": " + queued);
    }
    return api::unclear(answer, "a status that is not known: " + status);
}

std::vector<Outcome> each_of(const net::HttpResponse& answer, const json::array& entries,
                             const ApiMessage& message) {
    std::vector<Outcome> outcomes;
    outcomes.reserve(message.recipients.size());
    for (const auto& recipient : message.recipients) {
        const auto entry = std::ranges::find_if(entries, [&](const json::value& each) {
            return base::iequals(api::text_at(each, "/email"), recipient);
        });
        outcomes.push_back(entry == entries.end()
                               ? api::unclear(answer, "the answer does not name the recipient")
                               : outcome_of(answer, *entry));
    }
    return outcomes;
}

Outcome error_of(const net::HttpResponse& answer, const json::value& body, base::WallTime now) {
    const auto name = api::text_at(body, "/name");
    auto words = api::words_at(answer, body, {"/message"});
    if (name.empty()) return api::by_status(answer, words, now);
    words = name + ": " + words;
    if (name == "Invalid_Key" || name == "PaymentRequired" || name == "Unknown_Subaccount")
        return api::account_trouble(answer, words);
    if (name == "ValidationError") return api::message_refused(answer, words);
    if (name == "RequestLimitExceeded")
        return api::throttled(answer, words, api::retry_after(answer, now));
    if (name == "ServiceUnavailable" || name == "GeneralError" || answer.status >= 500)
        return api::temporary(answer, words);
    return api::by_status(answer, words, now);
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    if (answer.status == 200)
        if (const auto* entries = body.if_array()) return each_of(answer, *entries, message);
    return api::for_all(message.recipients.size(), error_of(answer, body, now));
}

}  // namespace

const Provider mandrill_provider{
    .type = "mandrill",
    .title = "Mandrill",
    .form = MessageForm::raw,
    .endpoint = "https://mandrillapp.com/api/1.0",
    // Of more it says no more than `queued`, whatever becomes of them.
    .recipients = {.to = 10, .cc = 10, .bcc = 10, .total = 10},
    .max_request = 25'000'000,
    .utf8 = true,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

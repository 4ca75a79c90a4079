#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "config/domain_name.hpp"
#include "message/address_list.hpp"
#include "message/header_edit.hpp"
#include "message/header_reader.hpp"
#include "smtp/path.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_refusal.hpp"
#include "upstream/provider/providers.hpp"

/// SMTP2GO, email/mime of API version 3. It sends to whom the header names, and knows no envelope:
/// those of the envelope who stand in To and Cc get one call with the message as it is, if these
/// fields name nobody else; everyone else gets a call of their own, in which To is that recipient
/// alone, so that nobody is revealed and nobody gets a second copy.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

/// Recipients as they compare.
using Keys = std::set<std::string>;

constexpr std::size_t most_in_a_field = 100;

std::string key_of(const smtp::Mailbox& mailbox) {
    const auto domain = config::canonical_domain(mailbox.domain);
    return mailbox.local + '@' + domain.value_or(base::to_lower(mailbox.domain));
}

std::string key_of(std::string_view address) {
    const auto mailbox = smtp::parse_mailbox(address, true);
    return mailbox ? key_of(*mailbox) : std::string(address);
}

Keys keys_of(std::span<const std::string> recipients) {
    Keys keys;
    for (const auto& each : recipients) keys.insert(key_of(each));
    return keys;
}

bool is_resent_recipient(std::string_view name) {
    return base::iequals(name, "resent-to") || base::iequals(name, "resent-cc") ||
           base::iequals(name, "resent-bcc");
}

/// Whom the header names; nothing if two readers could find different people there.
std::optional<Keys> header_keys(const message::HeaderSection& section) {
    Keys keys;
    for (const auto& field : section.fields) {
        if (is_resent_recipient(field.name)) return std::nullopt;
        if (!base::iequals(field.name, "to") && !base::iequals(field.name, "cc")) continue;
        const auto mailboxes = message::parse_address_list(message::unfold(field.value));
        if (!mailboxes || mailboxes->size() > most_in_a_field) return std::nullopt;
        for (const auto& each : *mailboxes) keys.insert(key_of(each));
    }
    return keys;
}

std::vector<std::vector<std::uint32_t>> split_by_header(std::string_view raw,
                                                        std::span<const std::string> recipients) {
    auto named = header_keys(message::read_header(raw)).value_or(Keys());
    if (!std::ranges::includes(keys_of(recipients), named)) named.clear();
    std::vector<std::vector<std::uint32_t>> calls;
    std::vector<std::uint32_t> seen;
    for (std::uint32_t i = 0; i < recipients.size(); ++i) {
        if (named.contains(key_of(recipients[i])))
            seen.push_back(i);
        else
            calls.push_back({i});
    }
    if (!seen.empty()) calls.insert(calls.begin(), std::move(seen));
    return calls;
}

/// The message to one recipient alone.
std::expected<std::string, CannotCarry> addressed_to(const std::string& recipient,
                                                     std::string_view raw,
                                                     const message::HeaderSection& section) {
    if (section.count(message::FieldKind::dkim_signature) > 0)
        return std::unexpected(CannotCarry{
            .status = {5, 6, 0},
            .text = fmt::format("SMTP2GO sends to whom To and Cc name, and they name others than "
                                "{}; they cannot be changed, because the message is signed (DKIM)",
                                recipient)});
    const message::HeaderEdit edit{.drop =
                                       [](std::string_view name) {
                                           return base::iequals(name, "cc") ||
                                                  base::iequals(name, "bcc") ||
                                                  is_resent_recipient(name);
                                       },
                                   .set = {{"To", recipient}}};
    return message::edit_header(raw, section, edit).append(raw.substr(section.body_offset));
}

net::HttpRequest call(const json::value& body, const ProviderSettings& settings) {
    auto request = api::post_json(settings.endpoint + "/v3/email/mime", body);
    request.secret_headers.emplace_back("X-Smtp2go-Api-Key", settings.api_key);
    return request;
}

net::HttpRequest send_call(std::string_view raw, const ProviderSettings& settings) {
    // Not `fastaccept`: its answer would come before anything is known.
    return call(json::object{{"mime_email", base::base64_encode(raw)}, {"fastaccept", false}},
                settings);
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto section = message::read_header(message.raw);
    if (header_keys(section) == keys_of(message.recipients))
        return send_call(message.raw, settings);
    if (message.recipients.size() != 1)
        return std::unexpected(
            CannotCarry{.status = {5, 6, 0},
                        .text = "SMTP2GO sends to whom To and Cc name, and these are not the "
                                "recipients of the message"});
    const auto raw = addressed_to(message.recipients.front(), message.raw, section);
    if (!raw) return std::unexpected(raw.error());
    return send_call(*raw, settings);
}

/// A send of nothing: keys may be allowed no other call.
net::HttpRequest probe_request(const ProviderSettings& settings) {
    return call(json::object(), settings);
}

struct Problem {
    std::string code;  ///< `E_ApiResponseCodes.API_EXCEPTION`; empty if the answer names none
    std::string words;
};

/// An error object, which stands under `data` or at the root.
Problem problem_of(const net::HttpResponse& answer, const json::value& body) {
    auto code = api::text_at(body, "/data/error_code");
    if (code.empty()) code = api::text_at(body, "/error_code");
    return {
        std::move(code),
        api::words_at(answer, body, {"/data/error", "/error", "/data/error_code", "/error_code"})};
}

/// Anything may be behind it; only the words tell.
std::vector<Outcome> exception_outcomes(const net::HttpResponse& answer, std::string_view words,
                                        const ApiMessage& message) {
    const auto all = [&](const Outcome& outcome) {
        return api::for_all(message.recipients.size(), outcome);
    };
    // An address may hold these words itself.
    const auto plain = api::without_addresses(words);
    if (api::mentions(plain, {"sender", "not verified", "unverified"}))
        return all(api::sender_unverified(answer, words));
    if (api::mentions(plain, {"api key", "api_key", "account", "permission"}))
        return all(api::account_trouble(answer, words));
    api::Named named(message);
    named.add_mentioned(words);
    if (named.any() && api::mentions(plain, {"invalid", "not valid", "recipient"}))
        return api::refused_for(named, message, api::recipient_refused(answer, words));
    if (api::mentions(plain, {"mime", "attachment", "too large", "too big"}))
        return all(api::message_refused(answer, words));
    return all(api::our_mistake(answer, words));
}

Outcome error_of(const net::HttpResponse& answer, const Problem& problem, base::WallTime now) {
    const auto& [code, words] = problem;
    if (answer.status == 400 && code.ends_with("ENDPOINT_PERMISSION_DENIED"))
        return api::account_trouble(answer, words);
    if (answer.status == 400 && code.ends_with("NON_VALIDATING_IN_PAYLOAD"))
        return api::message_refused(answer, words);
    if (answer.status == 402) return api::account_trouble(answer, words);
    if (answer.status == 429) {
        constexpr std::chrono::seconds least = std::chrono::minutes(1);
        return api::throttled(answer, words,
                              std::max(least, api::retry_after(answer, now).value_or(least)));
    }
    if (answer.status >= 500 && !code.empty()) return api::temporary(answer, words);
    return api::by_status(answer, words, now);
}

/// Whether a reason is a temporary one: `451 ...` or `4.7.1 ...` somewhere in it.
bool is_transient(std::string_view reason) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    for (std::size_t at = 0; at + 2 < reason.size(); ++at) {
        if (reason[at] != '4' || (at > 0 && (is_digit(reason[at - 1]) || reason[at - 1] == '.')))
            continue;
        const bool code = is_digit(reason[at + 1]) && is_digit(reason[at + 2]) &&
                          (at + 3 == reason.size() || !is_digit(reason[at + 3]));
        const bool status = reason[at + 1] == '.' && is_digit(reason[at + 2]);
        if (code || status) return true;
    }
    return false;
}

Outcome outcome_of(const net::HttpResponse& answer, const json::value& body) {
    const auto failed = api::integer_at(body, "/data/failed").value_or(0);
    const auto succeeded = api::integer_at(body, "/data/succeeded").value_or(0);
    if (failed == 0 && succeeded > 0) {
        const auto id = api::text_at(body, "/data/email_id");
        return api::delivered(answer, id, id);
    }
    const auto reason = api::text_at(body, "/data/failures/0");
    // A message to several counts as one: either all have it or nobody.
    if (failed > 0 && succeeded == 0 && !reason.empty())
        return is_transient(reason) ? api::temporary(answer, reason)
                                    : api::message_refused(answer, reason);
    return api::unclear(answer, api::words_of(answer));
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    if (answer.status == 200)
        return api::for_all(message.recipients.size(), outcome_of(answer, body));
    const auto problem = problem_of(answer, body);
    if (answer.status == 400 && problem.code.ends_with("API_EXCEPTION"))
        return exception_outcomes(answer, problem.words, message);
    return api::for_all(message.recipients.size(), error_of(answer, problem, now));
}

}  // namespace

const Provider smtp2go_provider{
    .type = "smtp2go",
    .title = "SMTP2GO",
    .form = MessageForm::raw,
    .endpoint = "https://api.smtp2go.com",
    .eu_endpoint = "https://eu-api.smtp2go.com",
    .recipients = {.to = most_in_a_field, .cc = most_in_a_field, .bcc = 0, .total = 200},
    .max_request = 50'000'000,
    .request = send_request,
    .outcomes = outcomes_of,
    .split = split_by_header,
    .probe = probe_request,
};

}  // namespace outpost::upstream

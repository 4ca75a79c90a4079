#include <algorithm>

#include "base/base64.hpp"
#include "upstream/provider/api_content.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"
#include "upstream/provider/providers.hpp"

/// Resend. Date and Message-ID are lost.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

json::array attachments_of(const message::MimeContent& content) {
    json::array attachments;
    for (const auto& one : content.attachments) {
        json::object object{{"filename", one.filename},
                            {"content", base::base64_encode(one.content)},
                            {"content_type", one.content_type}};
        if (one.is_inline) object["content_id"] = one.content_id;
        attachments.push_back(std::move(object));
    }
    return attachments;
}

/// A tag may have letters, digits, `_` and `-`.
std::string tag_value(std::string_view id) {
    std::string value(id.substr(0, 256));
    std::ranges::replace_if(
        value,
        [](char c) {
            return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-');
        },
        '_');
    return value;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto& content = *message.content;
    if (auto reason = api::beyond(resend_provider.title, content, {.several_reply_to = true}))
        return std::unexpected(std::move(*reason));
    const auto fields = api::header_fields(content, {.refused = {}, .sender = true});
    if (!fields) return std::unexpected(fields.error());

    const auto who = api::addressed(content, message.recipients);
    json::object body{
        {"from", api::address_text(content.from.front())},
        {"to", api::address_texts(who.to)},
        {"subject", api::subject_or_default(content)},
        {"tags", json::array{{{"name", "queue_id"}, {"value", tag_value(message.id)}}}}};
    if (!who.cc.empty()) body["cc"] = api::address_texts(who.cc);
    if (!who.bcc.empty()) body["bcc"] = api::address_texts(who.bcc);
    if (!content.reply_to.empty()) body["reply_to"] = api::address_texts(content.reply_to);
    if (const auto text = api::plain_text(content)) body["text"] = *text;
    if (const auto html = api::html_text(content)) body["html"] = *html;
    if (!fields->empty()) body["headers"] = api::header_object(*fields);
    if (!content.attachments.empty()) body["attachments"] = attachments_of(content);

    auto request =
        api::with_bearer(api::post_json(settings.endpoint + "/emails", body), settings.api_key);
    request.headers.emplace_back("Idempotency-Key", message.idempotency_key);
    return request;
}

/// A message without anything: keys that may only send can read nothing.
net::HttpRequest probe_request(const ProviderSettings& settings) {
    return api::with_bearer(api::post_json(settings.endpoint + "/emails", json::object()),
                            settings.api_key);
}

std::vector<Outcome> invalid(const net::HttpResponse& answer, const ApiMessage& message,
                             std::string_view words) {
    const auto refused = api::message_refused(answer, words);
    if (api::mentions(words, {"`to`", "`cc`", "`bcc`"}))
        return api::for_one_of(message.recipients.size(), refused);
    return api::for_all(message.recipients.size(), refused);
}

std::vector<Outcome> refused(const net::HttpResponse& answer, std::string_view name,
                             std::string_view words, const ApiMessage& message,
                             base::WallTime now) {
    const auto is = [&](std::initializer_list<std::string_view> names) {
        return std::ranges::find(names, name) != names.end();
    };
    const auto all = [&](const Outcome& outcome) {
        return api::for_all(message.recipients.size(), outcome);
    };
    if (is({"missing_api_key", "restricted_api_key", "invalid_api_key"}))
        return all(api::account_trouble(answer, words));
    if ((answer.status == 403 && is({"validation_error"})) || is({"invalid_from_address"}))
        return all(api::sender_unverified(answer, words));
    if (is({"validation_error", "invalid_attachment", "invalid_parameter", "missing_required_field",
            "invalid_access", "invalid_region"}))
        return invalid(answer, message, words);
    if (is({"security_error"})) {
        auto outcome = api::message_refused(answer, words);
        outcome.alert = true;
        return all(outcome);
    }
    if (is({"invalid_idempotency_key", "invalid_idempotent_request", "not_found",
            "method_not_allowed"}))
        return all(api::our_mistake(answer, words));
    // The first call with this key still runs.
    if (is({"concurrent_idempotent_requests"})) return all(api::temporary(answer, words));
    if (is({"rate_limit_exceeded", "daily_quota_exceeded", "monthly_quota_exceeded"}))
        return all(api::throttled(answer, words, api::retry_after(answer, now)));
    if (!name.empty() && answer.status >= 500) return all(api::temporary(answer, words));
    return all(api::by_status(answer, words, now));
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    const auto id = api::text_at(body, "/id");
    if (answer.status == 200 && !id.empty())
        return api::for_all(message.recipients.size(), api::delivered(answer, id, id));
    return refused(answer, api::text_at(body, "/name"),
                   api::words_at(answer, body, {"/message", "/name"}), message, now);
}

}  // namespace

const Provider resend_provider{
    .type = "resend",
    .title = "Resend",
    .form = MessageForm::taken_apart,
    .endpoint = "https://api.resend.com",
    .recipients = {.to = 50, .cc = 50, .bcc = 50, .total = 50},
    .max_request = 40'000'000,
    .idempotent = true,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

#include <algorithm>
#include <array>
#include <charconv>

#include "base/base64.hpp"
#include "upstream/provider/api_content.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"
#include "upstream/provider/api_refusal.hpp"
#include "upstream/provider/providers.hpp"

/// SendGrid, mail/send of API version 3. Date is lost, and the charset of a text attachment, whose
/// octets stay as they are.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

constexpr std::array refused_fields{std::string_view("x-sg-id"), std::string_view("x-sg-eid"),
                                    std::string_view("x-smtpapi")};

/// text/plain, text/html, then others.
json::array content_of(const message::MimeContent& content) {
    json::array parts;
    const auto add = [&](std::string_view type, const std::string& value) {
        parts.push_back({{"type", type}, {"value", value}});
    };
    if (const auto text = api::plain_text(content)) add("text/plain", *text);
    if (const auto html = api::html_text(content)) add("text/html", *html);
    if (content.calendar)
        add("text/calendar" +
                (content.calendar_method.empty() ? "" : "; method=" + content.calendar_method),
            *content.calendar);
    return parts;
}

json::array attachments_of(const message::MimeContent& content) {
    json::array attachments;
    for (const auto& one : content.attachments) {
        json::object object{{"content", base::base64_encode(one.content)},
                            {"type", one.content_type},
                            {"filename", one.filename},
                            {"disposition", one.is_inline ? "inline" : "attachment"}};
        if (one.is_inline) object["content_id"] = one.content_id;
        attachments.push_back(std::move(object));
    }
    return attachments;
}

json::object personalization_of(const ApiMessage& message) {
    const auto who = api::addressed(*message.content, message.recipients);
    // Not beside `from`, where the specification has a string for it.
    json::object object{{"to", api::address_objects(who.to)},
                        {"custom_args", {{"queue_id", message.id}}}};
    if (!who.cc.empty()) object["cc"] = api::address_objects(who.cc);
    if (!who.bcc.empty()) object["bcc"] = api::address_objects(who.bcc);
    return object;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto& content = *message.content;
    if (auto reason = api::beyond(sendgrid_provider.title, content,
                                  {.calendar = true, .several_reply_to = true}))
        return std::unexpected(std::move(*reason));
    if (std::ranges::any_of(content.attachments,
                            [](const auto& one) { return one.content.empty(); }))
        return std::unexpected(api::cannot_carry(sendgrid_provider.title, "an empty attachment"));
    auto fields = api::header_fields(content, {.refused = refused_fields, .sender = true});
    if (!fields) return std::unexpected(std::move(fields.error()));
    if (!content.message_id.empty())
        fields->emplace_back("Message-ID", "<" + content.message_id + ">");

    const json::object off{{"enable", false}};
    json::object body{{"personalizations", json::array{personalization_of(message)}},
                      {"from", api::address_object(content.from.front())},
                      {"subject", api::subject_or_default(content)},
                      {"content", content_of(content)},
                      {"tracking_settings",
                       {{"click_tracking", {{"enable", false}, {"enable_text", false}}},
                        {"open_tracking", off},
                        {"subscription_tracking", off}}}};
    if (!content.reply_to.empty()) body["reply_to_list"] = api::address_objects(content.reply_to);
    if (!fields->empty()) body["headers"] = api::header_object(*fields);
    if (!content.attachments.empty()) body["attachments"] = attachments_of(content);

    return api::with_bearer(api::post_json(settings.endpoint + "/v3/mail/send", body),
                            settings.api_key);
}

/// The scopes of the key, which every key may read.
net::HttpRequest probe_request(const ProviderSettings& settings) {
    return api::with_bearer(api::get_json(settings.endpoint + "/v3/scopes"), settings.api_key);
}

/// X-RateLimit-Reset is a Unix time.
std::optional<std::chrono::seconds> wait_of(const net::HttpResponse& answer, base::WallTime now) {
    if (const auto wait = api::retry_after(answer, now)) return wait;
    const auto reset = answer.header("x-ratelimit-reset");
    std::int64_t at = 0;
    if (!reset ||
        std::from_chars(reset->data(), reset->data() + reset->size(), at).ec != std::errc())
        return std::nullopt;
    return api::until(base::WallTime(std::chrono::seconds(at)), now);
}

/// 400: each error says which field of the request it is about.
std::vector<Outcome> bad_request(const net::HttpResponse& answer, const json::value& body,
                                 const ApiMessage& message, std::string_view words) {
    // Two addresses that SendGrid holds to be one: each takes them alone.
    if (api::mentions(words, {"should be unique between"}))
        return api::for_one_of(message.recipients.size(), api::message_refused(answer, words));
    api::Named named(message);
    bool recipients_only = true;
    for (const auto& error : body.at("errors").as_array()) {
        const auto field = api::text_at(error, "/field");
        const bool recipient = field.starts_with("personalizations.") && field.ends_with(".email");
        recipients_only = recipients_only && recipient;
        if (recipient) named.add_path(field);
    }
    if (recipients_only)
        return api::refused_for(named, message, api::recipient_refused(answer, words));
    return api::for_all(message.recipients.size(), api::message_refused(answer, words));
}

std::vector<Outcome> refused(const net::HttpResponse& answer, const json::value& body,
                             const ApiMessage& message, base::WallTime now) {
    const auto words = api::words_at(answer, body, {"/errors/0/message"});
    const auto field = api::text_at(body, "/errors/0/field");
    const auto all = [&](const Outcome& outcome) {
        return api::for_all(message.recipients.size(), outcome);
    };
    const bool own_error = api::find_at(body, "/errors/0/message") != nullptr;
    if (own_error && answer.status == 400) return bad_request(answer, body, message, words);
    if (answer.status == 401 && api::mentions(words, {"maximum credits exceeded"}))
        return all(api::throttled(answer, words, wait_of(answer, now)));
    if (answer.status == 403 &&
        (field == "from" || field == "from.email" ||
         api::mentions(words, {"verified sender identity", "from address"})))
        return all(api::sender_unverified(answer, words));
    if (answer.status == 429) return all(api::throttled(answer, words, wait_of(answer, now)));
    if (own_error && answer.status >= 500) return all(api::temporary(answer, words));
    return all(api::by_status(answer, words, now));
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer);
    if (answer.status < 200 || answer.status > 299)
        return refused(answer, body.value_or(nullptr), message, now);
    const auto id = answer.header("x-message-id").value_or("");
    // 200 instead of 202 is the sandbox mode, which sends nothing.
    const bool sound = answer.body.empty() || body;
    if (answer.status == 202 && sound && !id.empty())
        return api::for_all(message.recipients.size(), api::delivered(answer, std::string(id), id));
    return api::for_all(message.recipients.size(), api::unclear(answer, api::words_of(answer)));
}

}  // namespace

const Provider sendgrid_provider{
    .type = "sendgrid",
    .title = "SendGrid",
    .form = MessageForm::taken_apart,
    .endpoint = "https://api.sendgrid.com",
    .eu_endpoint = "https://api.eu.sendgrid.com",
    .recipients = {.to = 1000, .cc = 1000, .bcc = 1000, .total = 1000},
    .max_request = 30'000'000,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

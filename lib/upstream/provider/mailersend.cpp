#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "upstream/provider/api_content.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"
#include "upstream/provider/api_refusal.hpp"
#include "upstream/provider/providers.hpp"

/// MailerSend, API version 1. Header fields other than In-Reply-To, References, Precedence and
/// List-Unsubscribe (whose one-click form MailerSend announces by itself) need its largest plan
/// and are lost, as are Date, Message-ID and Sender; the type of an attachment follows its name.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

json::array attachments_of(const message::MimeContent& content) {
    json::array attachments;
    for (const auto& one : content.attachments) {
        json::object object{{"content", base::base64_encode(one.content)},
                            {"filename", one.filename},
                            {"disposition", one.is_inline ? "inline" : "attachment"}};
        if (one.is_inline) object["id"] = one.content_id;
        attachments.push_back(std::move(object));
    }
    return attachments;
}

/// The fields for which MailerSend has words of its own.
void add_fields(const message::MimeContent& content, json::object& body) {
    if (const auto value = api::header_value(content, "In-Reply-To"))
        if (const auto ids = api::message_ids(*value); !ids.empty())
            body["in_reply_to"] = ids.front();
    if (const auto value = api::header_value(content, "References")) {
        json::array references;
        for (const auto& id : api::message_ids(*value)) references.emplace_back(id);
        if (!references.empty()) body["references"] = std::move(references);
    }
    if (const auto value = api::header_value(content, "List-Unsubscribe"))
        body["list_unsubscribe"] = *value;
    const auto precedence = base::to_lower(api::header_value(content, "Precedence").value_or(""));
    if (precedence == "bulk" || precedence == "list" || precedence == "junk")
        body["precedence_bulk"] = true;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto& content = *message.content;
    if (auto reason = api::beyond(mailersend_provider.title, content, {}))
        return std::unexpected(std::move(*reason));
    // Subject and text are compiled as templates, and no escape is documented.
    if (api::holds_template(content, {"{{", "{%", "{$", "{#"}))
        return std::unexpected(api::cannot_carry(
            mailersend_provider.title, "the marks `{{`, `{%`, `{#` and `{$`, which it would run"));
    const auto who = api::addressed(content, message.recipients);
    json::object body{
        {"from", api::address_object(content.from.front())},
        {"to", api::address_objects(who.to)},
        {"subject", api::subject_or_default(content)},
        {"tags", json::array{message.id}},
        {"settings", {{"track_clicks", false}, {"track_opens", false}, {"track_content", false}}}};
    if (!who.cc.empty()) body["cc"] = api::address_objects(who.cc);
    if (!who.bcc.empty()) body["bcc"] = api::address_objects(who.bcc);
    if (!content.reply_to.empty()) body["reply_to"] = api::address_object(content.reply_to.front());
    if (const auto text = api::plain_text(content)) body["text"] = *text;
    if (const auto html = api::html_text(content)) body["html"] = *html;
    if (!content.attachments.empty()) body["attachments"] = attachments_of(content);
    add_fields(content, body);
    return api::with_bearer(api::post_json(settings.endpoint + "/v1/email", body),
                            settings.api_key);
}

net::HttpRequest probe_request(const ProviderSettings& settings) {
    return api::with_bearer(api::get_json(settings.endpoint + "/v1/api-quota"), settings.api_key);
}

/// The number of `... #MS42207`; 0 if there is none.
int code_in(std::string_view text) {
    const auto at = text.find("#MS");
    if (at == std::string_view::npos || text.size() < at + 8) return 0;
    int code = 0;
    for (const char c : text.substr(at + 3, 5)) {
        if (c < '0' || c > '9') return 0;
        code = code * 10 + (c - '0');
    }
    return code;
}

/// What `errors` says of one field, its texts together.
std::string texts_of(const json::value& texts) {
    std::string all;
    if (const auto* list = texts.if_array())
        for (const auto& text : *list) all += api::text_at(text, "") + ' ';
    return all;
}

/// 422 whose cause is an address: of a recipient, or of the message.
std::vector<Outcome> bad_address(const net::HttpResponse& answer, const json::value& body,
                                 const ApiMessage& message, std::string_view words) {
    api::Named named(message);
    const auto* errors = api::find_at(body, "/errors");
    if (errors != nullptr && errors->is_object())
        for (const auto& [path, texts] : errors->get_object()) {
            if (code_in(texts_of(texts)) != 42208) continue;
            if (path.starts_with("from") || path.starts_with("reply_to"))
                return api::for_all(message.recipients.size(), api::message_refused(answer, words));
            named.add_path(path);
        }
    return api::refused_for(named, message, api::recipient_refused(answer, words));
}

/// When the day's quota begins anew.
std::optional<std::chrono::seconds> quota_wait(const net::HttpResponse& answer,
                                               base::WallTime now) {
    const auto reset = answer.header("x-apiquota-reset");
    const auto at = reset ? api::iso_time(*reset) : std::nullopt;
    return at ? api::until(*at, now) : api::retry_after(answer, now);
}

Outcome unprocessable(const net::HttpResponse& answer, int code, std::string_view words,
                      base::WallTime now) {
    switch (code) {
        case 42202:
        case 42206:
        case 42210:
        case 42213:
        case 42214: return api::message_refused(answer, words);
        case 42207: return api::sender_unverified(answer, words);
        case 42204:
        case 42222:
        case 42225: return api::throttled(answer, words, api::retry_after(answer, now));
        case 42216: return api::account_trouble(answer, words);
        default: return api::our_mistake(answer, words);
    }
}

std::vector<Outcome> refused(const net::HttpResponse& answer, const json::value& body,
                             const ApiMessage& message, base::WallTime now) {
    const auto words = api::words_at(answer, body, {"/message"});
    int code = code_in(words);
    const auto* errors = api::find_at(body, "/errors");
    if (code == 0 && errors != nullptr && errors->is_object())
        for (const auto& [path, texts] : errors->get_object())
            if (code == 0) code = code_in(texts_of(texts));
    const auto all = [&](const Outcome& outcome) {
        return api::for_all(message.recipients.size(), outcome);
    };
    if (answer.status == 422 && code == 42208) return bad_address(answer, body, message, words);
    if (answer.status == 422) return all(unprocessable(answer, code, words, now));
    if (code == 42901) return all(api::throttled(answer, words, quota_wait(answer, now)));
    if (answer.status >= 500 && !api::text_at(body, "/message").empty())
        return all(api::temporary(answer, words));
    return all(api::by_status(answer, words, now));
}

/// 202 with warnings: some recipients, or all, are on a suppression list.
std::vector<Outcome> suppressed(const net::HttpResponse& answer, const json::value& body,
                                const ApiMessage& message, std::string_view id) {
    api::Named named(message);
    bool all = false;
    bool some = false;
    std::string words;
    for (const auto& warning : body.at("warnings").as_array()) {
        const auto type = api::text_at(warning, "/type");
        all = all || type == "ALL_SUPPRESSED";
        some = some || type == "SOME_SUPPRESSED";
        words = api::text_at(warning, "/warning");
        const auto* recipients = api::find_at(warning, "/recipients");
        if (recipients == nullptr || !recipients->is_array() || !(all || some)) continue;
        for (const auto& one : recipients->get_array())
            named.add_address(api::text_at(one, "/email"));
    }
    const auto count = message.recipients.size();
    const auto gone = api::recipient_refused(answer, words);
    if (all && id.empty()) return api::for_all(count, gone);
    if (id.empty() || (some && !named.any()))
        return api::for_all(count, api::unclear(answer, words));
    return api::taken_but_for(named, message, api::delivered(answer, std::string(id), id), gone);
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer);
    if (answer.status < 200 || answer.status > 299)
        return refused(answer, body.value_or(nullptr), message, now);
    const auto id = answer.header("x-message-id").value_or("");
    if (answer.status == 202 && body) {
        const auto* warnings = api::find_at(*body, "/warnings");
        if (warnings != nullptr && warnings->is_array() && !warnings->get_array().empty())
            return suppressed(answer, *body, message, id);
    }
    const bool sound = answer.body.empty() || body;
    if (answer.status == 202 && sound && !id.empty())
        return api::for_all(message.recipients.size(), api::delivered(answer, std::string(id), id));
    return api::for_all(message.recipients.size(), api::unclear(answer, api::words_of(answer)));
}

}  // namespace

const Provider mailersend_provider{
    .type = "mailersend",
    .title = "MailerSend",
    .form = MessageForm::taken_apart,
    .endpoint = "https://api.mailersend.com",
    .recipients = {.to = 50, .cc = 10, .bcc = 10, .total = 70},
    .max_request = 35'000'000,  // 25 MB of attachments, in base64
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

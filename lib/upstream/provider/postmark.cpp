#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "upstream/provider/api_content.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"
#include "upstream/provider/api_refusal.hpp"
#include "upstream/provider/providers.hpp"

/// Postmark. Date is lost, and the charset of a text attachment, whose octets stay as they are.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

json::array attachments_of(const message::MimeContent& content) {
    json::array attachments;
    for (const auto& one : content.attachments) {
        json::object object{{"Name", one.filename},
                            {"Content", base::base64_encode(one.content)},
                            {"ContentType", one.content_type}};
        if (one.is_inline) object["ContentID"] = "cid:" + one.content_id;
        attachments.push_back(std::move(object));
    }
    return attachments;
}

json::array headers_of(const api::HeaderFields& fields) {
    json::array headers;
    for (const auto& [name, value] : fields) headers.push_back({{"Name", name}, {"Value", value}});
    return headers;
}

net::HttpRequest with_token(net::HttpRequest request, const ProviderSettings& settings) {
    request.secret_headers.emplace_back("X-Postmark-Server-Token", settings.api_key);
    return request;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto& content = *message.content;
    if (auto reason = api::beyond(postmark_provider.title, content, {.several_reply_to = true}))
        return std::unexpected(std::move(*reason));
    auto fields = api::header_fields(content, {.refused = {}, .repeated = true, .sender = true});
    if (!fields) return std::unexpected(std::move(fields.error()));
    if (!content.message_id.empty())
        fields->emplace_back("Message-ID", "<" + content.message_id + ">");

    const auto who = api::addressed(content, message.recipients);
    json::object body{{"From", api::address_text(content.from.front())},
                      {"To", api::address_line(who.to)},
                      {"Subject", content.subject},
                      {"Metadata", {{"queue_id", message.id}}},
                      {"TrackOpens", false},
                      {"TrackLinks", "None"}};
    if (!who.cc.empty()) body["Cc"] = api::address_line(who.cc);
    if (!who.bcc.empty()) body["Bcc"] = api::address_line(who.bcc);
    if (!content.reply_to.empty()) body["ReplyTo"] = api::address_line(content.reply_to);
    if (const auto text = api::plain_text(content)) body["TextBody"] = *text;
    if (const auto html = api::html_text(content)) body["HtmlBody"] = *html;
    if (!fields->empty()) body["Headers"] = headers_of(*fields);
    if (!content.attachments.empty()) body["Attachments"] = attachments_of(content);
    return with_token(api::post_json(settings.endpoint + "/email", body), settings);
}

net::HttpRequest probe_request(const ProviderSettings& settings) {
    return with_token(api::get_json(settings.endpoint + "/server"), settings);
}

/// 300: the request as a whole, its sender, or the address of somebody.
std::vector<Outcome> invalid(const net::HttpResponse& answer, const ApiMessage& message,
                             std::string_view words) {
    const auto count = message.recipients.size();
    if (api::mentions(words, {"'from'", "`from`", "\"from\"", "from address", "sender signature"}))
        return api::for_all(count, api::sender_unverified(answer, words));
    if (api::mentions(words, {"'to'", "'cc'", "'bcc'"}))
        return api::for_one_of(count, api::message_refused(answer, words));
    return api::for_all(count, api::message_refused(answer, words));
}

std::vector<Outcome> refused(const net::HttpResponse& answer, std::int64_t code,
                             std::string_view words, const ApiMessage& message,
                             base::WallTime now) {
    const auto all = [&](const Outcome& outcome) {
        return api::for_all(message.recipients.size(), outcome);
    };
    switch (code) {
        case 10:
        case 412:
        case 413: return all(api::account_trouble(answer, words));
        case 100: return all(api::temporary(answer, words));
        case 300: return invalid(answer, message, words);
        case 400:
        case 401: return all(api::sender_unverified(answer, words));
        case 402:
        case 403:
        case 409:
        case 410: return all(api::our_mistake(answer, words));
        case 405:
        case 429: return all(api::throttled(answer, words, api::retry_after(answer, now)));
        case 406: return all(api::recipient_refused(answer, words));
        case 411: return all(api::message_refused(answer, words));
        default: return all(api::by_status(answer, words, now));
    }
}

/// `Message OK, but will not deliver to these inactive addresses: a@b, c@d`: the only sign of it.
std::vector<Outcome> taken(const net::HttpResponse& answer, const std::string& id,
                           std::string_view words, const ApiMessage& message) {
    const auto ok = api::delivered(answer, id, words);
    constexpr std::string_view mark = "inactive addresses:";
    const auto at = base::to_lower(words).find(mark);
    if (at == std::string::npos) return api::for_all(message.recipients.size(), ok);
    api::Named named(message);
    bool known = true;
    for (const auto& address : base::split_list(words.substr(at + mark.size()), ',')) {
        std::string_view one = address;
        while (!one.empty() && (one.back() == '.' || one.back() == ' ')) one.remove_suffix(1);
        known = named.add_address(one) && known;
    }
    if (!known || !named.any())
        return api::for_all(message.recipients.size(), api::unclear(answer, words));
    return api::taken_but_for(named, message, ok, api::recipient_refused(answer, words));
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    const auto words = api::words_at(answer, body, {"/Message"});
    const auto code = api::integer_at(body, "/ErrorCode");
    const auto id = api::text_at(body, "/MessageID");
    // One answer of success comes without ErrorCode.
    if (answer.status == 200 && code.value_or(0) == 0 && !id.empty())
        return taken(answer, id, words, message);
    // What is too large for the front server has no code; 413 as a code is another thing.
    if (answer.status == 413 || code.value_or(0) == 0)
        return api::for_all(message.recipients.size(), api::by_status(answer, words, now));
    return refused(answer, *code, words, message, now);
}

}  // namespace

const Provider postmark_provider{
    .type = "postmark",
    .title = "Postmark",
    .form = MessageForm::taken_apart,
    .endpoint = "https://api.postmarkapp.com",
    .recipients = {.to = 50, .cc = 50, .bcc = 50, .total = 50},
    .max_request = 10'000'000,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

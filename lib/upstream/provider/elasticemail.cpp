#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "upstream/provider/api_content.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"
#include "upstream/provider/providers.hpp"

/// Elastic Email, transactional mail of API version 4. Header fields go along if the account has
/// "Allow custom headers" on; Date and Message-ID are lost, and images within the HTML have no way.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

constexpr bool is_name(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ' ' || c == '-' || c == '.';
}

/// `{firstname}`, and outside of HTML, where `{color:red}` is a style, `{name:default}` as well.
bool has_merge_tag(std::string_view text, bool html) {
    for (auto at = text.find('{'); at != std::string_view::npos; at = text.find('{', at + 1)) {
        auto end = at + 1;
        while (end < text.size() && is_name(text[end])) ++end;
        if (end == at + 1 || end == text.size()) continue;
        if (text[end] == '}' || (text[end] == ':' && !html)) return true;
    }
    return false;
}

bool holds_merge_tag(const message::MimeContent& content) {
    return has_merge_tag(content.subject, false) ||
           (content.text && has_merge_tag(*content.text, false)) ||
           (content.html && has_merge_tag(*content.html, true)) ||
           api::holds_template(content, {"{{"});
}

json::array bodies_of(const message::MimeContent& content) {
    json::array bodies;
    const auto add = [&](std::string_view type, const std::string& text) {
        bodies.push_back({{"ContentType", type}, {"Content", text}, {"Charset", "utf-8"}});
    };
    if (const auto text = api::plain_text(content)) add("PlainText", *text);
    if (const auto html = api::html_text(content)) add("HTML", *html);
    return bodies;
}

json::array attachments_of(const message::MimeContent& content) {
    json::array attachments;
    for (const auto& one : content.attachments)
        attachments.push_back({{"BinaryContent", base::base64_encode(one.content)},
                               {"Name", one.filename},
                               {"ContentType", one.content_type}});
    return attachments;
}

net::HttpRequest call(const json::value& body, const ProviderSettings& settings) {
    auto request = api::post_json(settings.endpoint + "/v4/emails/transactional", body);
    request.secret_headers.emplace_back("X-ElasticEmail-ApiKey", settings.api_key);
    return request;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto& content = *message.content;
    if (auto reason = api::beyond(elasticemail_provider.title, content, {.inline_images = false}))
        return std::unexpected(std::move(*reason));
    if (holds_merge_tag(content))
        return std::unexpected(api::cannot_carry(
            elasticemail_provider.title, "words in braces (`{name}`), which it would replace"));
    const auto fields = api::header_fields(content, {.refused = {}, .sender = true});
    if (!fields) return std::unexpected(fields.error());

    const auto who = api::addressed(content, message.recipients);
    json::object recipients{{"To", api::address_texts(who.to)}};
    if (!who.cc.empty()) recipients["CC"] = api::address_texts(who.cc);
    if (!who.bcc.empty()) recipients["BCC"] = api::address_texts(who.bcc);
    json::object part{{"From", api::address_text(content.from.front())},
                      {"Subject", content.subject},
                      {"Body", bodies_of(content)},
                      {"Postback", message.id}};
    if (!settings.return_path.empty()) part["EnvelopeFrom"] = settings.return_path;
    if (!content.reply_to.empty()) part["ReplyTo"] = api::address_text(content.reply_to.front());
    if (!content.attachments.empty()) part["Attachments"] = attachments_of(content);
    if (!fields->empty()) part["Headers"] = api::header_object(*fields);
    return call(json::object{{"Recipients", std::move(recipients)},
                             {"Content", std::move(part)},
                             {"Options", {{"TrackOpens", false}, {"TrackClicks", false}}}},
                settings);
}

/// A message to nobody: keys that may only send can read nothing.
net::HttpRequest probe_request(const ProviderSettings& settings) {
    return call(json::object{{"Recipients", {{"To", json::array()}}}, {"Content", json::object()}},
                settings);
}

/// Of a bad key, of the account and of the request alike Elastic Email says 400; its words tell.
Outcome bad_request(const net::HttpResponse& answer, std::string_view words) {
    if (api::mentions(words, {"credit", "daily limit", "not enough"}))
        return api::throttled(answer, words, std::nullopt);
    const bool account =
        api::mentions(words, {"apikey", "api key", "access level", "permission"}) ||
        (api::mentions(words, {"account"}) &&
         api::mentions(words, {"disabled", "suspend", "review", "blocked"}));
    if (account) return api::account_trouble(answer, words);
    if (api::mentions(words, {"sender", "from address", "from email", "from domain", "not verified",
                              "unverified", "not validated"}))
        return api::sender_unverified(answer, words);
    if (api::mentions(words, {"attachment", "too large", "too big"}))
        return api::message_refused(answer, words);
    return api::our_mistake(answer, words);
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    const auto error = api::text_at(body, "/Error");
    const auto words = api::words_at(answer, body, {"/Error"});
    const auto id = api::text_at(body, "/TransactionID");
    const auto all = [&](const Outcome& outcome) {
        return api::for_all(message.recipients.size(), outcome);
    };
    if (answer.status == 200 && error.empty() && !id.empty())
        return all(api::delivered(answer, id, id));
    if (!error.empty() && answer.status == 400) return all(bad_request(answer, error));
    if (!error.empty() && answer.status >= 500) return all(api::temporary(answer, error));
    return all(api::by_status(answer, words, now));
}

}  // namespace

const Provider elasticemail_provider{
    .type = "elasticemail",
    .title = "Elastic Email",
    .form = MessageForm::taken_apart,
    .endpoint = "https://api.elasticemail.com",
    .recipients = {.to = 50, .cc = 50, .bcc = 50, .total = 50},
    .max_request = 20'000'000,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

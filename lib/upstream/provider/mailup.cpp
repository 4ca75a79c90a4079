#include <algorithm>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "upstream/provider/api_content.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"
#include "upstream/provider/providers.hpp"

/// MailUp, SMTP+ API version 2.0. Header fields go along if they are set up in the account; Date,
/// Message-ID, Sender, the name in Reply-To and the types of attachments are lost. An answer has no
/// id, and `done` says no more than that the request was well-formed.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

constexpr api::AddressKeys keys{.address = "Email", .name = "Name"};

/// Where `<name` begins as a tag, from a place on.
std::size_t find_tag(std::string_view lower, std::string_view tag, std::size_t from = 0) {
    for (auto at = lower.find(tag, from); at != std::string_view::npos;
         at = lower.find(tag, at + 1)) {
        const auto next = at + tag.size();
        if (next < lower.size() && std::string_view(" \t\r\n>/").contains(lower[next])) return at;
    }
    return std::string_view::npos;
}

/// In lower case, with something else for comments and scripts, whose tags are none.
std::string markup_of(std::string_view html) {
    constexpr std::string_view comment = "<!--";
    std::string lower = base::to_lower(html);
    for (std::size_t at = 0;;) {
        const auto remark = lower.find(comment, at);
        const auto begin = std::min(remark, find_tag(lower, "<script", at));
        if (begin == std::string::npos) return lower;
        const std::string_view closing = begin == remark ? "-->" : "</script";
        // `<!-->` is a comment as well.
        const auto end = lower.find(closing, begin + (begin == remark ? 2 : 0));
        at = std::min(end == std::string::npos ? end : end + closing.size(), lower.size());
        std::fill(lower.begin() + static_cast<std::ptrdiff_t>(begin),
                  lower.begin() + static_cast<std::ptrdiff_t>(at), '-');
    }
}

/// Whether nothing stands in the text but the end of the document.
bool ends_document(std::string_view markup) {
    const auto end = find_tag(markup, "</html");
    const auto close = end == std::string_view::npos ? end : markup.find('>', end);
    const auto blank = [](std::string_view text) {
        return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
    };
    if (close == std::string_view::npos) return blank(markup);
    return blank(markup.substr(0, end)) && blank(markup.substr(close + 1));
}

/// A whole document in the pieces that MailUp puts together again; a fragment, and what could not
/// be put together again, is the body as it is.
json::object html_of(std::string_view html) {
    constexpr auto none = std::string_view::npos;
    const std::string lower = markup_of(html);
    json::object object{
        {"DocType", nullptr}, {"Head", nullptr}, {"Body", html}, {"BodyTag", "<body>"}};
    const auto body = find_tag(lower, "<body");
    const auto body_begin = body == none ? none : lower.find('>', body);
    if (body_begin == none || find_tag(lower, "<body", body_begin) != none) return object;
    const auto body_close = find_tag(lower, "</body");
    const auto close_end = body_close == none ? none : lower.find('>', body_close);
    if (body_close != none && (body_close < body || close_end == none ||
                               !ends_document(std::string_view(lower).substr(close_end + 1))))
        return object;
    object["BodyTag"] = html.substr(body, body_begin + 1 - body);
    object["Body"] =
        html.substr(body_begin + 1, std::min(body_close, html.size()) - body_begin - 1);
    const auto head = find_tag(lower, "<head");
    const auto head_begin = head == none ? none : lower.find('>', head);
    const auto head_end = head_begin == none ? none : lower.find("</head", head_begin);
    if (head_end != none && head_end < body)
        object["Head"] = html.substr(head_begin + 1, head_end - head_begin - 1);
    const auto doctype = lower.find("<!doctype");
    const auto doctype_end = doctype == none ? none : lower.find('>', doctype);
    if (doctype_end != none && doctype_end < body)
        object["DocType"] = html.substr(doctype, doctype_end + 1 - doctype);
    return object;
}

json::array files_of(const message::MimeContent& content, bool inlined) {
    json::array files;
    for (const auto& one : content.attachments)
        if (one.is_inline == inlined)
            files.push_back({{"Filename", one.filename},
                             {"ContentId", one.content_id},
                             {"Body", base::base64_encode(one.content)}});
    return files;
}

json::array addresses_of(std::span<const message::NamedAddress> who) {
    json::array array;
    for (const auto& one : who)
        array.push_back({{keys.name, one.name}, {keys.address, one.address}});
    return array;
}

json::array headers_of(const api::HeaderFields& fields, std::string_view id) {
    json::array headers;
    for (const auto& [name, value] : fields) headers.push_back({{"N", name}, {"V", value}});
    headers.push_back({{"N", "X-Outpost-Id"}, {"V", id}});
    return headers;
}

/// The credentials stand in the body.
json::object user_of(const ProviderSettings& settings) {
    return {{"Username", settings.api_key.reveal()}, {"Secret", settings.api_secret.reveal()}};
}

net::HttpRequest call(const json::value& body, const ProviderSettings& settings) {
    return api::post_json(settings.endpoint + "/API/v2.0/messages/sendmessage", body);
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto& content = *message.content;
    if (auto reason = api::beyond(mailup_provider.title, content, {}))
        return std::unexpected(std::move(*reason));
    const auto fields = api::header_fields(content, {.refused = {}, .repeated = true});
    if (!fields) return std::unexpected(fields.error());

    const auto who = api::addressed(content, message.recipients);
    const auto& from = content.from.front();
    json::object body{{"User", user_of(settings)},
                      {"Subject", content.subject},
                      {"From", {{keys.name, from.name}, {keys.address, from.address}}},
                      {"To", addresses_of(who.to)},
                      {"Cc", addresses_of(who.cc)},
                      {"Bcc", addresses_of(who.bcc)},
                      {"CharSet", "utf-8"},
                      {"ExtendedHeaders", headers_of(*fields, message.id)},
                      {"Attachments", files_of(content, false)},
                      {"EmbeddedImages", files_of(content, true)},
                      {"XSmtpAPI",
                       {{"CampaignName", "outpost"},
                        {"CampaignCode", "outpost"},
                        {"Header", false},
                        {"Footer", false},
                        {"ClickTracking", false},
                        {"ViewTracking", false}}}};
    if (const auto html = api::html_text(content)) body["Html"] = html_of(*html);
    if (const auto text = api::plain_text(content)) body["Text"] = *text;
    if (!content.reply_to.empty()) body["ReplyTo"] = content.reply_to.front().address;
    return call(body, settings);
}

/// A message to nobody.
net::HttpRequest probe_request(const ProviderSettings& settings) {
    return call(json::object{{"User", user_of(settings)}, {"To", json::array()}}, settings);
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    const auto status = api::text_at(body, "/Status");
    const auto code = api::text_at(body, "/Code");
    const auto words = api::words_at(answer, body, {"/Message", "/Status"});
    const auto all = [&](const Outcome& outcome) {
        return api::for_all(message.recipients.size(), outcome);
    };
    const bool good = answer.status >= 200 && answer.status <= 299;
    if (good && status == "done" && code == "0") return all(api::delivered(answer, {}, status));
    if (status.empty() || code.empty()) return all(api::by_status(answer, words, now));
    // It is an envelope of MailUp's own, and the message was not taken. Its codes are not
    // documented.
    if (answer.status == 429) return all(api::by_status(answer, words, now));
    if (api::mentions(words, {"credential", "password", "unauthorized", "authentication",
                              "username", "suspended", "blocked", "billing", "disabled"}) ||
        answer.status == 401)
        return all(api::account_trouble(answer, words));
    if (api::mentions(words, {"quota", "limit", "credit"}))
        return all(api::throttled(answer, words, api::retry_after(answer, now)));
    if (api::mentions(words,
                      {"sender", "from address", "from email", "not verified", "unverified"}))
        return all(api::sender_unverified(answer, words));
    if (answer.status != 403) return all(api::temporary(answer, words));
    if (api::mentions(words, {"attachment", "too large", "too big"}))
        return all(api::message_refused(answer, words));
    return all(api::our_mistake(answer, words));
}

}  // namespace

const Provider mailup_provider{
    .type = "mailup",
    .title = "MailUp",
    .form = MessageForm::taken_apart,
    .endpoint = "https://send.mailup.com",
    .recipients = {.to = 50, .cc = 50, .bcc = 50, .total = 50},
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

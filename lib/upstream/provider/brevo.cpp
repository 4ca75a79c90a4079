#include <algorithm>
#include <array>
#include <charconv>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "upstream/provider/api_content.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"
#include "upstream/provider/api_refusal.hpp"
#include "upstream/provider/providers.hpp"

/// Brevo, API version 3. Date and Message-ID are lost, the type of an attachment follows its name,
/// and images within the HTML have no way. Brevo writes the names of fields in a case of its own.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

/// Keys of the header object that mean something to Brevo.
constexpr std::array refused_fields{std::string_view("sender.ip"),
                                    std::string_view("x-mailin-custom"),
                                    std::string_view("idempotencykey")};

/// The extensions that Brevo takes as attachments.
constexpr std::array extensions{
    std::string_view("xlsx"),   std::string_view("xls"),   std::string_view("ods"),
    std::string_view("docx"),   std::string_view("docm"),  std::string_view("doc"),
    std::string_view("csv"),    std::string_view("pdf"),   std::string_view("txt"),
    std::string_view("gif"),    std::string_view("jpg"),   std::string_view("jpeg"),
    std::string_view("png"),    std::string_view("tif"),   std::string_view("tiff"),
    std::string_view("rtf"),    std::string_view("bmp"),   std::string_view("cgm"),
    std::string_view("css"),    std::string_view("shtml"), std::string_view("html"),
    std::string_view("htm"),    std::string_view("zip"),   std::string_view("xml"),
    std::string_view("ppt"),    std::string_view("pptx"),  std::string_view("tar"),
    std::string_view("ez"),     std::string_view("ics"),   std::string_view("mobi"),
    std::string_view("msg"),    std::string_view("pub"),   std::string_view("eps"),
    std::string_view("odt"),    std::string_view("mp3"),   std::string_view("m4a"),
    std::string_view("m4v"),    std::string_view("wma"),   std::string_view("ogg"),
    std::string_view("flac"),   std::string_view("wav"),   std::string_view("aif"),
    std::string_view("aifc"),   std::string_view("aiff"),  std::string_view("mp4"),
    std::string_view("mov"),    std::string_view("avi"),   std::string_view("mkv"),
    std::string_view("mpeg"),   std::string_view("mpg"),   std::string_view("wmv"),
    std::string_view("pkpass"), std::string_view("xlsm"),
};

bool is_taken(const message::MimeAttachment& attachment) {
    const auto dot = attachment.filename.rfind('.');
    if (dot == std::string::npos) return false;
    const auto extension = base::to_lower(attachment.filename.substr(dot + 1));
    return std::ranges::find(extensions, extension) != extensions.end();
}

std::optional<CannotCarry> obstacle(const message::MimeContent& content) {
    if (auto reason = api::beyond(brevo_provider.title, content, {.inline_images = false}))
        return reason;
    // Whether Brevo runs its template language here is not documented, nor is an escape.
    if (api::holds_template(content, {"{{", "{%"}))
        return api::cannot_carry(brevo_provider.title, "the marks `{{` and `{%`, which it may run");
    for (const auto& one : content.attachments)
        if (!is_taken(one))
            return api::cannot_carry(brevo_provider.title, "the attachment `" +
                                                               base::printable(one.filename, 80) +
                                                               "`: it does not take such names");
    return std::nullopt;
}

json::array attachments_of(const message::MimeContent& content) {
    json::array attachments;
    for (const auto& one : content.attachments)
        attachments.push_back(
            {{"content", base::base64_encode(one.content)}, {"name", one.filename}});
    return attachments;
}

net::HttpRequest with_key(net::HttpRequest request, const ProviderSettings& settings) {
    request.secret_headers.emplace_back("api-key", settings.api_key);
    return request;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto& content = *message.content;
    if (auto reason = obstacle(content)) return std::unexpected(std::move(*reason));
    const auto fields = api::header_fields(content, {.refused = refused_fields, .sender = true});
    if (!fields) return std::unexpected(fields.error());

    const auto who = api::addressed(content, message.recipients);
    auto headers = api::header_object(*fields);
    headers["X-Mailin-custom"] = message.id;
    headers["idempotencyKey"] = message.idempotency_key;
    json::object body{{"sender", api::address_object(content.from.front())},
                      {"to", api::address_objects(who.to)},
                      {"subject", api::subject_or_default(content)},
                      {"headers", std::move(headers)}};
    if (!who.cc.empty()) body["cc"] = api::address_objects(who.cc);
    if (!who.bcc.empty()) body["bcc"] = api::address_objects(who.bcc);
    if (!content.reply_to.empty()) body["replyTo"] = api::address_object(content.reply_to.front());
    if (const auto text = api::plain_text(content)) body["textContent"] = *text;
    if (const auto html = api::html_text(content)) body["htmlContent"] = *html;
    if (!content.attachments.empty()) body["attachment"] = attachments_of(content);
    return with_key(api::post_json(settings.endpoint + "/v3/smtp/email", body), settings);
}

net::HttpRequest probe_request(const ProviderSettings& settings) {
    return with_key(api::get_json(settings.endpoint + "/v3/account"), settings);
}

/// Something of the request is invalid: the sender, the address of a recipient, or else.
std::vector<Outcome> invalid(const net::HttpResponse& answer, const ApiMessage& message,
                             std::string_view words) {
    const auto count = message.recipients.size();
    // An address may hold these words itself.
    const auto plain = api::without_addresses(words);
    if (api::mentions(plain, {"sender"}))
        return api::for_all(count, api::sender_unverified(answer, words));
    api::Named named(message);
    named.add_mentioned(words);
    if (named.any() || api::mentions(plain, {"in to", "in cc", "in bcc", "recipient"}))
        return api::refused_for(named, message, api::recipient_refused(answer, words));
    return api::for_all(count, api::message_refused(answer, words));
}

/// x-sib-ratelimit-reset counts seconds.
std::optional<std::chrono::seconds> wait_of(const net::HttpResponse& answer, base::WallTime now) {
    if (const auto wait = api::retry_after(answer, now)) return wait;
    const auto reset = answer.header("x-sib-ratelimit-reset");
    std::int64_t seconds = 0;
    if (!reset ||
        std::from_chars(reset->data(), reset->data() + reset->size(), seconds).ec != std::errc())
        return std::nullopt;
    return std::chrono::seconds(seconds);
}

/// By the code, whose pairing with the status is not sure.
std::vector<Outcome> refused(const net::HttpResponse& answer, std::string_view code,
                             std::string_view words, const ApiMessage& message,
                             base::WallTime now) {
    const auto is = [&](std::initializer_list<std::string_view> codes) {
        return std::ranges::find(codes, code) != codes.end();
    };
    const auto all = [&](const Outcome& outcome) {
        return api::for_all(message.recipients.size(), outcome);
    };
    if (answer.status == 429) return all(api::throttled(answer, words, wait_of(answer, now)));
    // This very message was taken before, and the answer was lost.
    if (is({"duplicate_request"})) return all(api::delivered(answer, {}, words));
    if (is({"invalid_parameter", "missing_parameter", "out_of_range"}))
        return invalid(answer, message, words);
    if (is({"duplicate_parameter", "bad_request", "method_not_allowed", "not_acceptable"}))
        return all(api::our_mistake(answer, words));
    if (is({"unauthorized", "permission_denied", "account_under_validation"}))
        return all(api::account_trouble(answer, words));
    if (is({"not_enough_credits"}))
        return all(api::throttled(answer, words, api::retry_after(answer, now)));
    if (is({"unprocessable_entity"})) return all(api::message_refused(answer, words));
    if (!code.empty() && answer.status >= 500) return all(api::temporary(answer, words));
    return all(api::by_status(answer, words, now));
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    const auto id = api::text_at(body, "/messageId");
    if ((answer.status == 201 || answer.status == 202) && !id.empty())
        return api::for_all(message.recipients.size(), api::delivered(answer, id, id));
    return refused(answer, api::text_at(body, "/code"),
                   api::words_at(answer, body, {"/message", "/code"}), message, now);
}

}  // namespace

const Provider brevo_provider{
    .type = "brevo",
    .title = "Brevo",
    .form = MessageForm::taken_apart,
    .endpoint = "https://api.brevo.com",
    .recipients = {.to = 99, .cc = 99, .bcc = 99, .total = 99},
    .max_request = 20'000'000,
    .idempotent = true,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

#include <array>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "upstream/provider/api_content.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"
#include "upstream/provider/api_refusal.hpp"
#include "upstream/provider/providers.hpp"

/// Mailjet, send API version 3.1. Date, Message-ID, List-Id, User-Agent and X-Mailer are refused
/// there and lost; so is Sender, for which accounts need a permission.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

constexpr api::AddressKeys keys{.address = "Email", .name = "Name"};

constexpr std::array refused_fields{
    std::string_view("delivered-to"), std::string_view("domainkey-status"),
    std::string_view("received-spf"), std::string_view("user-agent"),
    std::string_view("x-mailer"),     std::string_view("x-feedback-id"),
    std::string_view("list-id"),      std::string_view("x-csa-complaints"),
    std::string_view("x-mailjet-*"),  std::string_view("x-mj-*"),
};

json::array files_of(const message::MimeContent& content, bool inlined) {
    json::array files;
    for (const auto& one : content.attachments) {
        if (one.is_inline != inlined) continue;
        json::object object{{"ContentType", one.content_type},
                            {"Filename", one.filename},
                            {"Base64Content", base::base64_encode(one.content)}};
        if (inlined) object["ContentID"] = one.content_id;
        files.push_back(std::move(object));
    }
    return files;
}

net::HttpRequest with_keys(net::HttpRequest request, const ProviderSettings& settings) {
    const auto pair =
        std::string(settings.api_key.reveal()) + ":" + std::string(settings.api_secret.reveal());
    request.secret_headers.emplace_back("Authorization",
                                        base::Secret("Basic " + base::base64_encode(pair)));
    return request;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    const auto& content = *message.content;
    if (auto reason = api::beyond(mailjet_provider.title, content, {}))
        return std::unexpected(std::move(*reason));
    const auto fields = api::header_fields(content, {.refused = refused_fields});
    if (!fields) return std::unexpected(fields.error());

    const auto who = api::addressed(content, message.recipients);
    json::object one{{"From", api::address_object(content.from.front(), keys)},
                     {"To", api::address_objects(who.to, keys)},
                     {"Subject", content.subject},
                     {"CustomID", message.id},
                     {"TrackOpens", "disabled"},
                     {"TrackClicks", "disabled"}};
    if (!who.cc.empty()) one["Cc"] = api::address_objects(who.cc, keys);
    if (!who.bcc.empty()) one["Bcc"] = api::address_objects(who.bcc, keys);
    if (!content.reply_to.empty())
        one["ReplyTo"] = api::address_object(content.reply_to.front(), keys);
    if (const auto text = api::plain_text(content)) one["TextPart"] = *text;
    if (const auto html = api::html_text(content)) one["HTMLPart"] = *html;
    if (!fields->empty()) one["Headers"] = api::header_object(*fields);
    if (auto files = files_of(content, false); !files.empty())
        one["Attachments"] = std::move(files);
    if (auto files = files_of(content, true); !files.empty())
        one["InlinedAttachments"] = std::move(files);
    return with_keys(api::post_json(settings.endpoint + "/v3.1/send",
                                    json::object{{"Messages", json::array{std::move(one)}}}),
                     settings);
}

net::HttpRequest probe_request(const ProviderSettings& settings) {
    return with_keys(api::get_json(settings.endpoint + "/v3/REST/sender?Limit=1"), settings);
}

/// One error by its code; where that is unknown, by the status that the error itself names.
Outcome classified(const net::HttpResponse& answer, std::string_view code, std::int64_t status,
                   std::string_view words, base::WallTime now) {
    const auto is = [&](std::initializer_list<std::string_view> codes) {
        return std::ranges::find(codes, code) != codes.end();
    };
    if (is({"mj-0001", "mj-0015", "mj-0021"})) return api::account_trouble(answer, words);
    if (is({"send-0006", "send-0007", "send-0008"})) return api::sender_unverified(answer, words);
    if (is({"mj-0013"})) return api::message_refused(answer, words);
    if (is({"mj-0006", "mj-0011", "send-0003"})) return api::message_refused(answer, words);
    if (is({"send-0015", "mj-0008", "send-0011", "mj-0002", "mj-0003", "mj-0004", "mj-0005",
            "mj-0007", "mj-0012"}))
        return api::our_mistake(answer, words);
    if (status >= 500) return api::temporary(answer, words);
    auto as_stated = answer;
    as_stated.status = static_cast<int>(status);
    auto outcome = api::by_status(as_stated, words, now);
    outcome.http_status = static_cast<std::uint16_t>(answer.status);
    return outcome;
}

/// The errors of the message, or the one error of the call.
std::vector<Outcome> refused(const net::HttpResponse& answer, const json::array& errors,
                             const ApiMessage& message, base::WallTime now) {
    api::Named named(message);
    std::string words;
    bool recipients_only = true;
    for (const auto& error : errors) {
        const auto code = api::text_at(error, "/ErrorCode");
        words = code + ": " + api::text_at(error, "/ErrorMessage");
        const auto* places = api::find_at(error, "/ErrorRelatedTo");
        bool recipient = code == "mj-0013" && places != nullptr && places->is_array();
        if (recipient)
            for (const auto& place : places->get_array())
                recipient = named.add_path(api::text_at(place, "")) && recipient;
        recipients_only = recipients_only && recipient;
        if (recipient) continue;
        const auto status = api::integer_at(error, "/StatusCode").value_or(answer.status);
        const auto outcome = classified(answer, code, status, words, now);
        // An address that is not said whose it is: of somebody in the call, or of the sender.
        if (code == "mj-0013" && (places == nullptr || !places->is_array()))
            return api::for_one_of(message.recipients.size(),
                                   api::recipient_refused(answer, words));
        return api::for_all(message.recipients.size(), outcome);
    }
    return api::refused_for(named, message, api::recipient_refused(answer, words));
}

/// Each recipient has an id of their own, a 64-bit number.
std::vector<Outcome> taken(const net::HttpResponse& answer, const json::value& entry,
                           const ApiMessage& message) {
    const auto first = api::text_at(entry, "/To/0/MessageID");
    auto outcomes = api::for_all(message.recipients.size(), api::delivered(answer, first, first));
    for (const auto* list : {"/To", "/Cc", "/Bcc"}) {
        const auto* entries = api::find_at(entry, list);
        if (entries == nullptr || !entries->is_array()) continue;
        for (const auto& one : entries->get_array())
            for (std::size_t i = 0; i < outcomes.size(); ++i)
                if (base::iequals(message.recipients[i], api::text_at(one, "/Email")))
                    outcomes[i].remote_id = api::text_at(one, "/MessageID");
    }
    return outcomes;
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    if (const auto* entry = api::find_at(body, "/Messages/0")) {
        if (answer.status == 200 && api::text_at(*entry, "/Status") == "success" &&
            !api::text_at(*entry, "/To/0/MessageID").empty())
            return taken(answer, *entry, message);
        const auto* errors = api::find_at(*entry, "/Errors");
        if (errors != nullptr && errors->is_array() && !errors->get_array().empty() &&
            !api::text_at(errors->get_array().front(), "/ErrorCode").empty())
            return refused(answer, errors->get_array(), message, now);
    }
    if (!api::text_at(body, "/ErrorCode").empty())
        return refused(answer, json::array{body}, message, now);
    const auto words = api::words_at(answer, body, {"/ErrorMessage"});
    return api::for_all(message.recipients.size(), api::by_status(answer, words, now));
}

}  // namespace

const Provider mailjet_provider{
    .type = "mailjet",
    .title = "Mailjet",
    .form = MessageForm::taken_apart,
    .endpoint = "https://api.mailjet.com",
    .recipients = {.to = 50, .cc = 50, .bcc = 50, .total = 50},
    .max_request = 21'000'000,  // 15 MB of attachments, in base64
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

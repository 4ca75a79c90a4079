#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <string>

#include "base/text.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/providers.hpp"
#include "upstream/provider/sparkpost_header.hpp"

/// SparkPost, transmissions of API version 1 with RFC 822 content.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

net::HttpRequest call(const json::value& body, const ProviderSettings& settings) {
    auto request = api::post_json(settings.endpoint + "/api/v1/transmissions", body);
    request.secret_headers.emplace_back("Authorization", settings.api_key);
    return request;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    auto content = hide_substitutions(message.raw);
    if (!content) return std::unexpected(std::move(content.error()));
    json::array recipients;
    for (const auto& recipient : message.recipients)
        recipients.push_back({{"address", {{"email", recipient}}}});
    json::object body{{"options",
                       {{"transactional", true},
                        {"open_tracking", false},
                        {"click_tracking", false},
                        {"perform_substitutions", false}}},
                      {"metadata", {{"queue_id", message.id}}},
                      {"recipients", std::move(recipients)},
                      {"content", {{"email_rfc822", *content}}}};
    if (!settings.return_path.empty()) body["return_path"] = settings.return_path;
    return call(body, settings);
}

/// A transmission of nothing to nobody: the one thing that every sending key may try.
net::HttpRequest probe_request(const ProviderSettings& settings) {
    return call(json::object{{"recipients", json::array()}, {"content", json::object()}}, settings);
}

/// 400 with an error object, whose code tells.
std::vector<Outcome> bad_request(const net::HttpResponse& answer, std::string_view code,
                                 std::string_view words, std::size_t recipients) {
    const auto all = [&](const Outcome& outcome) { return api::for_all(recipients, outcome); };
    if (code == "7000" || code == "7001") return all(api::sender_unverified(answer, words));
    if (code == "1901" || code == "1902") return all(api::message_refused(answer, words));
    if (code == "5002") return all(api::recipient_refused(answer, words));
    if (code == "1100") return all(api::account_trouble(answer, words));
    if (code == "1502") return all(api::temporary(answer, words));
    return all(api::our_mistake(answer, words));
}

std::string words_of(const net::HttpResponse& answer, const json::value& body) {
    auto words = api::words_at(answer, body, {"/errors/0/message"});
    if (const auto more = api::text_at(body, "/errors/0/description"); !more.empty())
        words += ": " + more;
    if (const auto code = api::text_at(body, "/errors/0/code"); !code.empty())
        words += " (" + code + ")";
    return words;
}

std::vector<Outcome> refused(const net::HttpResponse& answer, std::size_t recipients,
                             base::WallTime now) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    const auto words = words_of(answer, body);
    const bool own_error = api::find_at(body, "/errors/0/message") != nullptr;
    // So many per hour, day or for the sandbox; nothing of the call was sent.
    if (answer.status == 420)
        return api::for_all(recipients,
                            api::throttled(answer, words, api::retry_after(answer, now)));
    if (own_error && answer.status == 400)
        return bad_request(answer, api::text_at(body, "/errors/0/code"), words, recipients);
    if (own_error && answer.status == 422)
        return api::for_all(recipients, api::message_refused(answer, words));
    if (own_error && answer.status >= 500)
        return api::for_all(recipients, api::temporary(answer, words));
    return api::for_all(recipients, api::by_status(answer, words, now));
}

/// What the errors of single recipients say, in lower case.
std::string recipient_errors(const json::value& body) {
    std::string text;
    const auto* errors = api::find_at(body, "/results/rcpt_to_errors");
    if (errors == nullptr || !errors->is_array()) return text;
    for (const auto& each : errors->get_array())
        for (const auto* pointer : {"/message", "/description"})
            text += base::to_lower(api::text_at(each, pointer)) + '\n';
    return text;
}

/// Some were taken and some not. Who, is not told in every case; then nobody is called refused,
/// and nobody is sent a second copy.
std::vector<Outcome> partly(const net::HttpResponse& answer, const json::value& body,
                            const ApiMessage& message, std::int64_t rejected) {
    const auto errors = recipient_errors(body);
    const auto id = api::text_at(body, "/results/id");
    const auto words = words_of(answer, body);
    std::vector<Outcome> outcomes;
    std::int64_t named = 0;
    for (const auto& recipient : message.recipients) {
        const bool is_named = errors.find(base::to_lower(recipient)) != std::string::npos;
        named += is_named ? 1 : 0;
        outcomes.push_back(is_named ? api::recipient_refused(answer, errors)
                                    : api::delivered(answer, id, id));
    }
    if (named == rejected) return outcomes;
    return api::for_all(message.recipients.size(), api::unclear(answer, words));
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto recipients = message.recipients.size();
    if (answer.status != 200) return refused(answer, recipients, now);
    const auto body = api::parse_body(answer).value_or(nullptr);
    const auto id = api::text_at(body, "/results/id");
    const auto accepted = api::integer_at(body, "/results/total_accepted_recipients");
    const auto rejected = api::integer_at(body, "/results/total_rejected_recipients");
    if (!accepted || !rejected)
        return api::for_all(recipients, api::unclear(answer, words_of(answer, body)));
    if (*accepted == 0 && *rejected > 0)
        return api::for_one_of(recipients, api::recipient_refused(answer, words_of(answer, body)));
    if (*rejected > 0) return partly(answer, body, message, *rejected);
    if (id.empty() || *accepted == 0)
        return api::for_all(recipients, api::unclear(answer, words_of(answer, body)));
    return api::for_all(recipients, api::delivered(answer, id, id));
}

}  // namespace

const Provider sparkpost_provider{
    .type = "sparkpost",
    .title = "SparkPost",
    .form = MessageForm::raw,
    .endpoint = "https://api.sparkpost.com",
    .eu_endpoint = "https://api.eu.sparkpost.com",
    .recipients = {.to = 1000, .cc = 1000, .bcc = 1000, .total = 1000},
    .max_request = 20'000'000,
    .utf8 = true,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

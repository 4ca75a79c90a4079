#include "upstream/provider/ses.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <initializer_list>
#include <string>

#include "base/base64.hpp"
#include "upstream/provider/api_json.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/providers.hpp"

/// Amazon SES, SendEmail of API version 2 with a raw message.
namespace outpost::upstream {

namespace {

namespace json = boost::json;

constexpr std::string_view path = "/v2/email/outbound-emails";

net::HttpRequest signed_request(const json::value& body, const ProviderSettings& settings) {
    auto request = api::post_json(settings.endpoint + std::string(path), body);
    request.sign = settings.aws;
    // The name for signing is not that of the host, which begins with `email`.
    if (request.sign) request.sign->service = "ses";
    return request;
}

ApiRequest send_request(const ApiMessage& message, const ProviderSettings& settings) {
    // In whichever list: with Destination given, the header stays as it is.
    json::object body{
        {"Content", {{"Raw", {{"Data", base::base64_encode(message.raw)}}}}},
        {"Destination",
         {{"ToAddresses", json::array(message.recipients.begin(), message.recipients.end())}}},
        {"EmailTags", json::array{{{"Name", "queue_id"}, {"Value", message.id}}}}};
    if (!settings.return_path.empty())
        body["FeedbackForwardingEmailAddress"] = settings.return_path;
    return signed_request(body, settings);
}

/// A send without content: who may not send is told so before the request is looked at.
net::HttpRequest probe_request(const ProviderSettings& settings) {
    return signed_request(json::object{{"Content", json::object()}}, settings);
}

struct Problem {
    std::string code;  ///< `MessageRejected`; empty if the answer names none
    std::string words;
};

Problem problem_of(const net::HttpResponse& answer) {
    const auto body = api::parse_body(answer).value_or(nullptr);
    std::string code(answer.header("x-amzn-errortype").value_or(""));
    for (const auto* pointer : {"/code", "/Code", "/__type"})
        if (code.empty()) code = api::text_at(body, pointer);
    // `com.amazonaws.sesv2#MessageRejected:http://...`
    code.erase(std::min(code.find(':'), code.size()));
    if (const auto hash = code.rfind('#'); hash != std::string::npos) code.erase(0, hash + 1);
    auto words = api::words_at(answer, body, {"/message", "/Message"});
    if (!code.empty()) words = words.empty() ? code : code + ": " + words;
    return {std::move(code), std::move(words)};
}

bool is_one_of(std::string_view code, std::initializer_list<std::string_view> codes) {
    return std::ranges::find(codes, code) != codes.end();
}

bool is_expired(std::string_view code) {
    return is_one_of(code, {"ExpiredToken", "ExpiredTokenException", "RequestExpired"});
}

bool is_throttle(std::string_view code) {
    return is_one_of(code, {"TooManyRequestsException", "Throttling", "ThrottlingException",
                            "RequestLimitExceeded", "SlowDown", "BandwidthLimitExceeded",
                            "LimitExceededException"});
}

bool is_account(std::string_view code) {
    return is_one_of(
        code, {"AccountSuspendedException", "SendingPausedException", "NotFoundException",
               "AccessDeniedException", "AccessDenied", "UnrecognizedClientException",
               "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidSignatureException",
               "IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationToken",
               "MissingAuthenticationTokenException", "OptInRequired"});
}

std::vector<Outcome> refused(const net::HttpResponse& answer, std::size_t recipients,
                             base::WallTime now) {
    const auto [code, words] = problem_of(answer);
    if (code == "MessageRejected") {
        // Of the account, not of this message.
        if (api::mentions(words, {"for this account", "sending paused", "sending suspended"}))
            return api::for_all(recipients, api::account_trouble(answer, words));
        const bool unverified = api::mentions(words, {"is not verified", "are not verified"});
        return api::for_all(recipients, unverified ? api::sender_unverified(answer, words)
                                                   : api::message_refused(answer, words));
    }
    if (code == "BadRequestException") {
        const auto outcome = api::message_refused(answer, words);
        return api::mentions(words, {"address"}) ? api::for_one_of(recipients, outcome)
                                                 : api::for_all(recipients, outcome);
    }
    if (code == "MailFromDomainNotVerifiedException")
        return api::for_all(recipients, api::sender_unverified(answer, words));
    if (is_throttle(code))
        return api::for_all(recipients,
                            api::throttled(answer, words, api::retry_after(answer, now)));
    if (is_account(code)) return api::for_all(recipients, api::account_trouble(answer, words));
    // Any other error of the service itself, by its own name, is a refusal for the time being.
    if (is_expired(code) || (!code.empty() && answer.status >= 500))
        return api::for_all(recipients, api::temporary(answer, words));
    return api::for_all(recipients, api::by_status(answer, words, now));
}

std::vector<Outcome> outcomes_of(const net::HttpResponse& answer, const ApiMessage& message,
                                 base::WallTime now) {
    const auto recipients = message.recipients.size();
    if (answer.status != 200) return refused(answer, recipients, now);
    const auto body = api::parse_body(answer);
    auto id = body ? api::text_at(*body, "/MessageId") : std::string();
    if (id.empty()) return api::for_all(recipients, api::unclear(answer, api::words_of(answer)));
    return api::for_all(recipients, api::delivered(answer, id, id));
}

}  // namespace

bool is_expired_token(const net::HttpResponse& answer) {
    return answer.status >= 400 && is_expired(problem_of(answer).code);
}

const Provider ses_provider{
    .type = "ses",
    .title = "Amazon SES",
    .form = MessageForm::raw,
    .endpoint = "https://email.{region}.amazonaws.com",
    .recipients = {.to = 50, .cc = 50, .bcc = 50, .total = 50},
    .max_request = 40'000'000,
    .request = send_request,
    .outcomes = outcomes_of,
    .probe = probe_request,
};

}  // namespace outpost::upstream

#include "upstream/classify.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/text.hpp"

namespace outpost::upstream {

namespace {

using smtp::ClientFailure;
using smtp::ClientFault;
using smtp::ClientStage;
using smtp::EnhancedStatus;
using smtp::Reply;

constexpr std::chrono::seconds longest_wait = std::chrono::days(1);

bool mentions(std::string_view text, std::initializer_list<std::string_view> words) {
    return std::ranges::any_of(
        words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// The reply in lower case without what stands in angle brackets or quotes: an address that the
/// server repeats is the sender's choice and must not decide anything.
std::string own_text(const Reply& reply) {
    std::string result;
    char closing = 0;
    for (const char c : reply.text()) {
        if (closing != 0) {
            if (c == closing) closing = 0;
        } else if (c == '<' || c == '"') {
            closing = c == '<' ? '>' : '"';
        } else {
            result += base::ascii_lower(c);
        }
    }
    return result;
}

bool is(const EnhancedStatus& status, int klass, int subject, int detail) noexcept {
    return status.klass == klass && status.subject == subject && status.detail == detail;
}

Outcome make(Verdict verdict, Scope scope, Reply reply) {
    Outcome outcome;
    outcome.verdict = verdict;
    outcome.scope = scope;
    outcome.reply = std::move(reply);
    return outcome;
}

Outcome defer(Scope scope, Reply reply) {
    return make(Verdict::deferred, scope, std::move(reply));
}

bool speaks_of_rates(std::string_view text) {
    // `rate` must not be found in words such as generate or temporarily.
    return mentions(text, {" rate", "-rate", "throttl", "too many", "quota", "too much mail"});
}

/// Whether a 4xx concerns the rate or the state of the whole upstream (DETAILS, Limits).
bool is_throttle(ClientStage stage, const Reply& reply, std::string_view text) {
    if (reply.code == 421) return true;
    if (mentions(text, {"greylist", "graylist", "grey-list", "gray-list", "greylisting"}))
        return false;
    const EnhancedStatus& status = reply.status;
    // Too many recipients for one transaction.
    if (is(status, 4, 5, 3) || mentions(text, {"too many recipients"})) return false;
    // RFC 3463: X.2.1 is a mailbox that takes no mail now. Where no mailbox has been named yet it
    // can only mean us.
    if (is(status, 4, 2, 1))
        return stage < ClientStage::rcpt || (stage > ClientStage::rcpt && speaks_of_rates(text));
    if (status.subject == 7 || is(status, 4, 3, 2) || is(status, 4, 4, 5)) return status.klass == 4;
    if (status.subject == 1 || status.subject == 2) return false;  // address or mailbox
    // `quota` of a mailbox has subject 2 and is gone by now.
    return speaks_of_rates(text);
}

/// Replies that say that we, not the message, are not welcome.
bool wants_login(ClientStage stage, const Reply& reply, std::string_view text) {
    switch (reply.code) {
        case 525:
        case 530:
        case 534:
        case 535:
        case 538: return true;
        default: break;
    }
    // Not after the data: that is where content is refused for want of SPF or DKIM.
    return reply.permanent() && (stage == ClientStage::mail || stage == ClientStage::rcpt) &&
           mentions(text, {"authentication required", "authentication is required",
                           "must authenticate", "not authenticated", "auth required",
                           "requires authentication", "authenticate first"});
}

bool refuses_to_relay(const Reply& reply, std::string_view text) {
    return reply.permanent() && mentions(text, {"relay"}) &&
           mentions(text, {"denied", "deny", "not permitted", "not allowed", "prohibited",
                           "unable to relay", "cannot relay", "refused", "not a relay"});
}

/// Whom a refusal at a stage concerns.
Scope scope_at(ClientStage stage) noexcept {
    if (stage == ClientStage::rcpt) return Scope::recipient;
    return stage < ClientStage::mail ? Scope::upstream : Scope::message;
}

Outcome deferred_reply(ClientStage stage, Reply reply, std::string_view text) {
    if (is_throttle(stage, reply, text)) {
        auto outcome = defer(Scope::upstream, std::move(reply));
        outcome.retry_after = stated_wait(text);
        return outcome;
    }
    auto outcome = defer(scope_at(stage), std::move(reply));
    outcome.retry_after = stated_wait(text);
    return outcome;
}

Outcome refused_for_good(ClientStage stage, Reply reply, std::string_view text) {
    switch (stage) {
        case ClientStage::connect:
        case ClientStage::banner:
        case ClientStage::ehlo:
        case ClientStage::handshake:
            // A server out of service says 554 as well: that must not bounce a queue.
            return defer(Scope::upstream, std::move(reply));
        case ClientStage::starttls:
        case ClientStage::auth:
            return make(Verdict::misconfigured, Scope::upstream, std::move(reply));
        case ClientStage::mail:
            if (mentions(text, {"account suspended", "account is suspended", "account disabled",
                                "account is disabled", "account has been"}))
                return make(Verdict::misconfigured, Scope::upstream, std::move(reply));
            [[fallthrough]];
        case ClientStage::rcpt:
        case ClientStage::data:
        case ClientStage::verdict: break;
    }
    if (wants_login(stage, reply, text)) {
        const auto scope = stage == ClientStage::rcpt ? Scope::recipient : Scope::upstream;
        return make(Verdict::misconfigured, scope, std::move(reply));
    }
    if (refuses_to_relay(reply, text)) return defer(Scope::recipient, std::move(reply));
    // RFC 5321 section 4.5.3.1.10: some servers say 552 where they mean 452.
    if (stage == ClientStage::rcpt && reply.code == 552 && mentions(text, {"too many recipients"}))
        return defer(Scope::recipient, std::move(reply));
    return make(Verdict::failed, scope_at(stage), std::move(reply));
}

Outcome classify_reply(ClientStage stage, Reply reply) {
    const std::string text = own_text(reply);
    if (reply.transient()) return deferred_reply(stage, std::move(reply), text);
    return refused_for_good(stage, std::move(reply), text);
}

/// What a number of these units is in seconds; 0 if `word` is no unit of time.
long unit_seconds(std::string_view word) {
    const auto is_unit = [&](std::initializer_list<std::string_view> names) {
        return std::ranges::find(names, word) != names.end();
    };
    if (is_unit({"s", "sec", "secs", "second", "seconds"})) return 1;
    if (is_unit({"m", "min", "mins", "minute", "minutes"})) return 60;
    if (is_unit({"h", "hr", "hrs", "hour", "hours"})) return 3600;
    return 0;
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
constexpr bool is_alpha(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

Outcome classify(ClientFailure failure) {
    Reply reply = std::move(failure.reply);
    switch (failure.fault) {
        case ClientFault::none: {
            auto outcome = make(Verdict::delivered, Scope::recipient, std::move(reply));
            for (const auto& line : outcome.reply.lines)
                if (outcome.remote_id.empty()) outcome.remote_id = queued_id(line);
            return outcome;
        }
        case ClientFault::refused: return classify_reply(failure.stage, std::move(reply));
        case ClientFault::not_offered:
        case ClientFault::certificate:
        case ClientFault::sasl:
            return make(Verdict::misconfigured, Scope::upstream, std::move(reply));
        case ClientFault::uncertain:
            return make(Verdict::uncertain, Scope::message, std::move(reply));
        case ClientFault::local: return defer(Scope::message, std::move(reply));
        case ClientFault::disconnected:
        case ClientFault::timed_out:
        case ClientFault::protocol: break;
    }
    return defer(Scope::upstream, std::move(reply));
}

std::optional<std::chrono::seconds> stated_wait(std::string_view text) {
    const std::string lower = base::to_lower(text);
    // Only a number that follows a request to wait is one: `limit of 500 messages in 1 hour` too
    // names a time.
    constexpr std::array<std::string_view, 7> requests{
        "try again in", "try again after", "retry in", "retry after", "retry-after",
        "wait",         "again later in"};
    std::size_t at = std::string::npos;
    for (const auto request : requests)
        if (const auto found = lower.find(request); found != std::string::npos)
            at = std::min(at, found + request.size());
    if (at == std::string::npos) return std::nullopt;
    const auto words_end = std::min(lower.size(), at + 24);
    while (at < words_end && !is_digit(lower[at])) ++at;
    if (at == words_end) return std::nullopt;
    long count = 0;
    while (at < lower.size() && is_digit(lower[at]) && count < 1'000'000)
        count = count * 10 + (lower[at++] - '0');
    if (at < lower.size() && lower[at] == ' ') ++at;
    auto end = at;
    while (end < lower.size() && is_alpha(lower[end])) ++end;
    const long unit = unit_seconds(std::string_view(lower).substr(at, end - at));
    // A bare number is in seconds, as in HTTP's Retry-After.
    if (unit == 0 && end != at) return std::nullopt;
    return std::min(longest_wait, std::chrono::seconds(count * std::max(unit, 1L)));
}

std::string_view queued_id(std::string_view text) {
    constexpr std::array<std::string_view, 4> marks{"queued as ", "queued-as ", " id=", " id "};
    const auto word = [](std::string_view from) {
        auto id = from.substr(0, from.find_first_of(" \t,;)]"));
        if (id.starts_with('<')) id.remove_prefix(1);
        while (id.ends_with('.') || id.ends_with('>')) id.remove_suffix(1);
        return id;
    };
    for (const auto mark : marks)
        if (const auto found = text.find(mark); found != std::string_view::npos)
            if (const auto id = word(text.substr(found + mark.size())); !id.empty()) return id;
    // sendmail: `ID Message accepted for delivery`; Amazon SES: `Ok ID`.
    if (const auto end = text.find(" Message accepted"); end != std::string_view::npos)
        return word(text.substr(0, end));
    if (text.size() > 15 && base::iequals(text.substr(0, 3), "ok ") &&
        text.find(' ', 3) == std::string_view::npos)
        return word(text.substr(3));
    return {};
}

}  // namespace outpost::upstream

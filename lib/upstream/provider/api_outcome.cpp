#include "upstream/provider/api_outcome.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/text.hpp"
#include "smtp/client_machine.hpp"

namespace outpost::upstream::api {

namespace {

constexpr std::size_t longest_words = 300;
constexpr std::chrono::seconds longest_wait = std::chrono::days(1);
/// How long a sender waits whom the provider does not know: for an operator to verify it.
constexpr std::chrono::seconds sender_wait = std::chrono::hours(1);

/// As an SMTP server says that it does not take so many recipients at once.
constexpr smtp::EnhancedStatus fewer_recipients{4, 5, 3};

/// `HTTP 429: words` on one line.
std::string in_words(const net::HttpResponse& answer, std::string_view words) {
    std::string line(words);
    std::ranges::replace_if(line, [](char c) { return c == '\r' || c == '\n' || c == '\t'; }, ' ');
    const auto said = base::trim(line);
    if (said.empty()) return fmt::format("HTTP {}", answer.status);
    return fmt::format("HTTP {}: {}", answer.status, base::printable(said, longest_words));
}

Outcome make(Verdict verdict, Scope scope, const net::HttpResponse& answer, std::string_view words,
             smtp::EnhancedStatus status = {}) {
    Outcome outcome;
    outcome.verdict = verdict;
    outcome.scope = scope;
    outcome.reply = smtp::own_words(in_words(answer, words));
    outcome.reply.status = status;
    outcome.http_status = static_cast<std::uint16_t>(std::clamp(answer.status, 0, 999));
    return outcome;
}

std::optional<std::chrono::seconds> bounded(std::optional<std::chrono::seconds> wait) {
    if (!wait || wait->count() <= 0) return std::nullopt;
    return std::min(*wait, longest_wait);
}

std::optional<int> number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0)
        return std::nullopt;
    return value;
}

/// 1 to 12; 0 if it is none.
unsigned month_number(std::string_view name) {
    static constexpr std::array<std::string_view, 12> months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto found =
        std::ranges::find_if(months, [&](auto month) { return base::iequals(month, name); });
    return found == months.end() ? 0 : static_cast<unsigned>(found - months.begin()) + 1;
}

/// `20:33:21`
std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
    const auto parts = base::split_list(text, ':');
    if (parts.size() != 3) return std::nullopt;
    const auto hours = number(parts[0]);
    const auto minutes = number(parts[1]);
    const auto seconds = number(parts[2]);
    if (!hours || !minutes || !seconds || *hours > 23 || *minutes > 59 || *seconds > 60)
        return std::nullopt;
    return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
           std::chrono::seconds(*seconds);
}

}  // namespace

Outcome delivered(const net::HttpResponse& answer, std::string remote_id, std::string_view words) {
    auto outcome = make(Verdict::delivered, Scope::recipient, answer, words, {2, 0, 0});
    outcome.remote_id = std::move(remote_id);
    return outcome;
}

Outcome recipient_refused(const net::HttpResponse& answer, std::string_view words) {
    return make(Verdict::failed, Scope::recipient, answer, words, {5, 1, 1});
}

Outcome message_refused(const net::HttpResponse& answer, std::string_view words) {
    auto outcome = make(Verdict::failed, Scope::message, answer, words, {5, 6, 0});
    outcome.elsewhere = true;
    return outcome;
}

Outcome sender_unverified(const net::HttpResponse& answer, std::string_view words) {
    auto outcome = make(Verdict::deferred, Scope::sender, answer, words, {4, 7, 1});
    outcome.elsewhere = true;
    outcome.alert = true;
    outcome.retry_after = sender_wait;
    return outcome;
}

Outcome account_trouble(const net::HttpResponse& answer, std::string_view words) {
    return make(Verdict::misconfigured, Scope::upstream, answer, words, {4, 7, 0});
}

Outcome throttled(const net::HttpResponse& answer, std::string_view words,
                  std::optional<std::chrono::seconds> wait) {
    auto outcome = make(Verdict::deferred, Scope::upstream, answer, words, {4, 4, 5});
    outcome.retry_after = bounded(wait);
    return outcome;
}

Outcome temporary(const net::HttpResponse& answer, std::string_view words) {
    // A gateway or maintenance answer is about the provider; others may be about this message.
    const bool whole = answer.status >= 502 && answer.status <= 504;
    return make(Verdict::deferred, whole ? Scope::upstream : Scope::message, answer, words,
                {4, 3, 0});
}

Outcome our_mistake(const net::HttpResponse& answer, std::string_view words) {
    auto outcome = make(Verdict::deferred, Scope::message, answer, words, {4, 3, 5});
    outcome.elsewhere = true;
    outcome.alert = true;
    return outcome;
}

Outcome unclear(const net::HttpResponse& answer, std::string_view words) {
    return make(Verdict::uncertain, Scope::message, answer, words, {4, 3, 0});
}

std::optional<base::WallTime> http_date(std::string_view text) {
    if (const auto comma = text.find(','); comma != std::string_view::npos)
        text.remove_prefix(comma + 1);
    const auto parts = base::split_list(text, ' ');
    if (parts.size() != 5) return std::nullopt;
    const auto day = number(parts[0]);
    const unsigned month = month_number(parts[1]);
    const auto year = number(parts[2]);
    const auto time = time_of_day(parts[3]);
    const bool utc = parts[4] == "GMT" || parts[4] == "UTC" || parts[4] == "+0000";
    if (!day || month == 0 || !year || *year > 9999 || !time || !utc) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{month},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok()) return std::nullopt;
    return base::WallTime(std::chrono::sys_days(date) + *time);
}

std::optional<std::chrono::seconds> until(base::WallTime then, base::WallTime now) {
    return bounded(std::chrono::ceil<std::chrono::seconds>(then - now));
}

std::optional<std::chrono::seconds> retry_after(const net::HttpResponse& answer,
                                                base::WallTime now) {
    const auto field = answer.header("retry-after");
    if (!field) return std::nullopt;
    const auto value = base::trim(*field);
    if (!value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos) {
        // What is too large for an int is longer than a day.
        const auto count = number(value);
        return bounded(count ? std::chrono::seconds(*count) : longest_wait);
    }
    const auto date = http_date(value);
    return date ? until(*date, now) : std::nullopt;
}

Outcome by_status(const net::HttpResponse& answer, std::string_view words, base::WallTime now) {
    const int status = answer.status;
    if (status == 401 || status == 403) return account_trouble(answer, words);
    if (status == 429) return throttled(answer, words, retry_after(answer, now));
    if (status == 413) {
        auto outcome = message_refused(answer, words);
        outcome.reply.status = {5, 3, 4};
        return outcome;
    }
    if (status == 408 || status == 421 || status == 503) {
        auto outcome = temporary(answer, words);
        outcome.retry_after = retry_after(answer, now);
        return outcome;
    }
    // HTTP itself says of 3xx and 4xx that the request was not acted on.
    if (status >= 300 && status < 500) return our_mistake(answer, words);
    return unclear(answer, words);
}

std::vector<Outcome> for_all(std::size_t recipients, const Outcome& outcome) {
    return std::vector<Outcome>(recipients, outcome);
}

std::vector<Outcome> for_one_of(std::size_t recipients, const Outcome& alone) {
    auto outcomes = for_all(recipients, alone);
    if (recipients > 1) {
        for (auto& each : outcomes) {
            each.verdict = Verdict::deferred;
            each.scope = Scope::recipient;
            each.elsewhere = false;
            each.reply.status = fewer_recipients;
        }
    }
    return outcomes;
}

bool wants_single_calls(const Outcome& outcome) noexcept {
    return outcome.verdict == Verdict::deferred && outcome.reply.status == fewer_recipients;
}

}  // namespace outpost::upstream::api

#include "upstream/provider/api_refusal.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"
#include "upstream/provider/api_outcome.hpp"
#include "upstream/provider/api_recipients.hpp"

namespace outpost::upstream::api {

namespace {

std::optional<std::size_t> number(std::string_view text) {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

/// `To[0].Email` as To, 0 and Email.
std::vector<std::string_view> steps_of(std::string_view path) {
    std::vector<std::string_view> steps;
    while (!path.empty()) {
        const auto end = std::min(path.find_first_of(".[]"), path.size());
        if (end > 0) steps.push_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return steps;
}

/// What stands in most addresses beside the `@`.
bool is_of_address(char c) noexcept {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("._%+-").contains(c);
}

bool is_list(std::string_view step) noexcept {
    return base::iequals(step, "to") || base::iequals(step, "cc") || base::iequals(step, "bcc");
}

}  // namespace

bool Named::add(std::string_view list, std::size_t index) {
    if (message_.content == nullptr) return false;
    const auto who = addressed(*message_.content, message_.recipients);
    const auto& names = base::iequals(list, "to")   ? who.to
                        : base::iequals(list, "cc") ? who.cc
                                                    : who.bcc;
    return index < names.size() && add_address(names[index].address);
}

bool Named::add_path(std::string_view path) {
    const auto steps = steps_of(path);
    for (std::size_t i = 0; i + 1 < steps.size(); ++i)
        if (is_list(steps[i]))
            if (const auto index = number(steps[i + 1])) return add(steps[i], *index);
    return false;
}

bool Named::add_address(std::string_view address) {
    bool found = false;
    for (std::size_t i = 0; i < named_.size(); ++i) {
        if (!base::iequals(message_.recipients[i], address)) continue;
        named_[i] = true;
        found = true;
    }
    return found;
}

void Named::add_mentioned(std::string_view words) {
    const auto lower = base::to_lower(words);
    for (const auto& recipient : message_.recipients) {
        const auto address = base::to_lower(recipient);
        for (auto at = lower.find(address); at != std::string::npos;
             at = lower.find(address, at + 1)) {
            const auto end = at + address.size();
            const bool begins = at == 0 || !is_of_address(lower[at - 1]);
            // A full stop may end the sentence.
            const bool ends =
                end == lower.size() || !is_of_address(lower[end]) ||
                (lower[end] == '.' && (end + 1 == lower.size() || !is_of_address(lower[end + 1])));
            if (begins && ends) add_address(recipient);
        }
    }
}

bool Named::any() const noexcept {
    return std::ranges::find(named_, true) != named_.end();
}

std::vector<Outcome> refused_for(const Named& named, const ApiMessage& message,
                                 const Outcome& refused) {
    auto outcomes = for_one_of(message.recipients.size(), refused);
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        if (named.has(i)) outcomes[i] = refused;
    return outcomes;
}

std::vector<Outcome> taken_but_for(const Named& named, const ApiMessage& message,
                                   const Outcome& taken, const Outcome& refused) {
    auto outcomes = for_all(message.recipients.size(), taken);
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        if (named.has(i)) outcomes[i] = refused;
    return outcomes;
}

std::string without_addresses(std::string_view words) {
    std::string left;
    for (auto at = words.find('@'); at != std::string_view::npos; at = words.find('@')) {
        auto begin = at;
        while (begin > 0 && is_of_address(words[begin - 1])) --begin;
        auto end = at + 1;
        while (end < words.size() && (words[end] == '@' || is_of_address(words[end]))) ++end;
        left.append(words.substr(0, begin)).append("?");
        words.remove_prefix(end);
    }
    return left.append(words);
}

std::optional<base::WallTime> iso_time(std::string_view text) {
    constexpr std::string_view shape = "0000-00-00T00:00:00";
    if (text.size() < shape.size()) return std::nullopt;
    std::array<int, 6> parts{};
    constexpr std::array<std::pair<std::size_t, std::size_t>, 6> places{
        {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto value = number(text.substr(places[i].first, places[i].second));
        if (!value) return std::nullopt;
        parts[i] = static_cast<int>(*value);
    }
    text.remove_prefix(shape.size());
    if (text.starts_with('.'))
        text.remove_prefix(std::min(text.find_first_not_of("0123456789", 1), text.size()));
    if (text != "Z" && text != "+00:00") return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{parts[0]},
                                           std::chrono::month{static_cast<unsigned>(parts[1])},
                                           std::chrono::day{static_cast<unsigned>(parts[2])}};
    if (!date.ok() || parts[3] > 23 || parts[4] > 59 || parts[5] > 60) return std::nullopt;
    return base::WallTime(std::chrono::sys_days(date) + std::chrono::hours(parts[3]) +
                          std::chrono::minutes(parts[4]) + std::chrono::seconds(parts[5]));
}

}  // namespace outpost::upstream::api

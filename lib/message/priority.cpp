#include "message/priority.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/text.hpp"

namespace outpost::message {

namespace {

constexpr std::uint8_t lowest = 5;

/// `1`, `1 (Highest)`, `3;`: a digit from 1 to 5 that is a number by itself.
std::optional<std::uint8_t> leading_number(std::string_view text) noexcept {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.empty() || text.front() < '1' || text.front() > '5') return std::nullopt;
    if (text.size() > 1 && (is_digit(text[1]) || text[1] == '.')) return std::nullopt;
    return static_cast<std::uint8_t>(text.front() - '0');
}

/// The first word, whatever stands behind it.
std::optional<std::uint8_t> leading_word(std::string_view text) noexcept {
    struct Word {
        std::string_view text;
        std::uint8_t priority;
    };
    static constexpr Word words[] = {{"highest", 1}, {"high", 2},       {"urgent", 2},
                                     {"normal", 3},  {"medium", 3},     {"low", 4},
                                     {"lowest", 5},  {"non-urgent", 4}, {"nonurgent", 4}};
    const std::string_view first = text.substr(0, text.find_first_of(" \t(;,"));
    for (const Word& word : words)
        if (base::iequals(word.text, first)) return word.priority;
    return std::nullopt;
}

std::optional<std::uint8_t> higher(std::optional<std::uint8_t> a, std::optional<std::uint8_t> b) {
    if (!a || !b) return a ? a : b;
    return std::min(*a, *b);
}

}  // namespace

std::uint8_t priority_from_mt(int mt_priority) noexcept {
    if (mt_priority >= 6) return 1;
    if (mt_priority >= 2) return 2;
    if (mt_priority >= -1) return 3;
    return mt_priority >= -5 ? 4 : lowest;
}

std::optional<std::uint8_t> priority_from_header(const HeaderSection& header) {
    std::optional<std::uint8_t> exact;
    std::optional<std::uint8_t> words;
    for (const HeaderField& field : header.fields) {
        const bool number = field.kind == FieldKind::x_priority;
        if (!number && field.kind != FieldKind::importance && field.kind != FieldKind::priority &&
            field.kind != FieldKind::x_msmail_priority)
            continue;
        const std::string value = unfold(field.value);
        const auto asked = leading_word(value);
        if (number)
            exact = higher(exact, asked ? asked : leading_number(value));
        else
            words = higher(words, asked);
    }
    return exact ? exact : words;
}

std::uint8_t effective_priority(AccountPriority account, std::optional<std::int8_t> mt_priority,
                                std::optional<std::uint8_t> header) noexcept {
    const auto asked = mt_priority ? priority_from_mt(*mt_priority) : header;
    if (!asked) return account.priority;
    return std::min(account.priority, std::max(*asked, account.cap));
}

}  // namespace outpost::message

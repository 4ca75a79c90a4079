#include "base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace outpost::base {

std::string to_lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), ascii_lower);
    return out;
}

bool iequals(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, ascii_lower, ascii_lower);
}

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> split_list(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const auto end = std::min(text.find(separator), text.size());
        if (const auto part = trim(text.substr(0, end)); !part.empty()) parts.emplace_back(part);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string out;
    const bool cut = text.size() > limit;
    if (cut) {
        std::size_t end = limit;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        text = text.substr(0, end);
    }
    out.reserve(text.size() + 3);
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        out.push_back(octet < 32 || octet == 127 ? '?' : c);
    }
    if (cut) out += "...";
    return out;
}

std::optional<std::string> near_match(std::string_view word,
                                      std::span<const std::string_view> candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = 1 + word.size() / 3;
    std::vector<std::size_t> row;
    std::optional<std::string_view> begun;  // the shortest that begins with the word
    for (const std::string_view candidate : candidates) {
        if (word.size() >= 3 && candidate.starts_with(word) &&
            (!begun || candidate.size() < begun->size()))
            begun = candidate;
        row.resize(candidate.size() + 1);
        std::iota(row.begin(), row.end(), std::size_t{0});
        for (std::size_t i = 0; i < word.size(); ++i) {
            std::size_t diagonal = row[0]++;
            for (std::size_t j = 0; j < candidate.size(); ++j) {
                const std::size_t substitution = diagonal + (word[i] == candidate[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substitution});
            }
        }
        if (row.back() <= best_distance && (!best || row.back() < best_distance)) {
            best_distance = row.back();
            best = candidate;
        }
    }
    // Half a word is rather that than another word with several letters wrong.
    if (begun && (!best || best_distance > 1)) return std::string(*begun);
    return best;
}

bool is_utf8(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80             ? 1
                                   : (lead & 0xE0) == 0xC0 ? 2
                                   : (lead & 0xF0) == 0xE0 ? 3
                                   : (lead & 0xF8) == 0xF0 ? 4
                                                           : 0;
        if (length == 0 || i + length > text.size()) return false;
        std::uint32_t code = length == 1 ? lead : lead & (0x7FU >> length);
        for (std::size_t k = 1; k < length; ++k) {
            const auto octet = static_cast<unsigned char>(text[i + k]);
            if ((octet & 0xC0) != 0x80) return false;
            code = code << 6 | (octet & 0x3F);
        }
        static constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return false;
        i += length;
    }
    return true;
}

bool is_ascii(std::string_view text) noexcept {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 128; });
}

}  // namespace outpost::base

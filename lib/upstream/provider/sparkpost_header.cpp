#include "upstream/provider/sparkpost_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "message/header_reader.hpp"

namespace outpost::upstream {

namespace {

constexpr std::string_view opening = "{{";
constexpr std::string_view white_space = " \t\r\n";
constexpr std::string_view word_begin = "=?utf-8?Q?";
constexpr std::string_view word_end = "?=";
/// Octets of an encoded word's text, of the 75 that a whole one may have.
constexpr std::size_t longest_text = 75 - word_begin.size() - word_end.size();

/// A word of an unstructured value, and the white space before it.
struct Word {
    std::string gap;
    std::string text;
    bool encoded = false;
};

bool is_encoded_word(std::string_view word) {
    return word.size() > 8 && word.starts_with("=?") && word.ends_with("?=") &&
           std::ranges::count(word, '?') == 4;
}

std::vector<Word> words_of(std::string_view value) {
    std::vector<Word> words;
    while (!value.empty()) {
        const auto begin = std::min(value.find_first_not_of(white_space), value.size());
        const auto end = std::min(value.find_first_of(white_space, begin), value.size());
        Word word{.gap = std::string(value.substr(0, begin)),
                  .text = std::string(value.substr(begin, end - begin))};
        word.encoded = is_encoded_word(word.text);
        words.push_back(std::move(word));
        value.remove_prefix(end);
    }
    return words;
}

/// White space as it counts once folds are taken out.
std::string unfolded(std::string_view gap) {
    std::string out;
    for (const char c : gap)
        if (c != '\r' && c != '\n') out += c;
    return out;
}

bool is_plain(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
}

/// Encoded words of UTF-8 text, folded; no character is divided between two.
std::string encode(std::string_view text) {
    std::string out(word_begin);
    std::size_t used = 0;
    while (!text.empty()) {
        std::size_t size = 1;
        while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
            ++size;
        std::string character;
        for (const char c : text.substr(0, size)) {
            if (c == ' ')
                character += '_';
            else if (is_plain(c))
                character += c;
            else
                character += fmt::format("={:02X}", static_cast<unsigned char>(c));
        }
        if (used + character.size() > longest_text) {
            out.append(word_end).append("\r\n ").append(word_begin);
            used = 0;
        }
        out += character;
        used += character.size();
        text.remove_prefix(size);
    }
    return out.append(word_end);
}

void replace_openings(std::string& text) {
    for (auto at = text.find(opening); at != std::string::npos; at = text.find(opening, at))
        text.replace(at, opening.size(), "=7B=7B");
}

/// An unstructured value with every word that holds `{{` encoded. White space between two encoded
/// words is not shown, so it goes into ours.
std::string encode_value(std::string_view value) {
    std::string out;
    auto words = words_of(value);
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto& word = words[i];
        out += word.gap;
        if (word.text.find(opening) != std::string::npos) {
            if (word.encoded) {
                replace_openings(word.text);
            } else {
                const bool after_encoded = i > 0 && words[i - 1].encoded;
                std::string text = (after_encoded ? unfolded(word.gap) : "") + word.text;
                if (i + 1 < words.size() && words[i + 1].encoded)
                    text += unfolded(words[i + 1].gap);
                word.text = encode(text);
                word.encoded = true;
            }
        }
        out += word.text;
    }
    return out;
}

bool is_unstructured(const message::HeaderField& field) {
    return field.kind == message::FieldKind::subject || base::iequals(field.name, "comments") ||
           base::iequals(field.name.substr(0, 2), "x-");
}

bool is_open(const message::HeaderField& field) {
    return field.value.find(opening) != std::string_view::npos;
}

CannotCarry refused(const message::HeaderField& field, std::string_view why) {
    return {.status = {5, 6, 0},
            .text = fmt::format("SparkPost takes {{{{ in the field {} for a substitution, and {}",
                                field.name, why)};
}

}  // namespace

std::expected<std::string, CannotCarry> hide_substitutions(std::string_view message) {
    const auto section = message::read_header(message);
    std::string out;
    std::size_t copied = 0;
    for (const auto& field : section.fields) {
        if (!is_open(field)) continue;
        if (!is_unstructured(field))
            return std::unexpected(refused(field, "it cannot be encoded there"));
        if (section.count(message::FieldKind::dkim_signature) > 0)
            return std::unexpected(
                refused(field, "encoding it would break the message's DKIM signature"));
        const auto value = static_cast<std::size_t>(field.value.data() - message.data());
        out.append(message.substr(copied, value - copied)).append(encode_value(field.value));
        copied = value + field.value.size();
    }
    return out.append(message.substr(copied));
}

}  // namespace outpost::upstream

#include "message/mime_decoding.hpp"

#include <algorithm>
#include <utility>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "message/gmime_object.hpp"
#include "message/transcode.hpp"

namespace outpost::message {

namespace {

constexpr bool is_wsp(char c) noexcept {
    return c == ' ' || c == '\t';
}

constexpr int hex_value(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = base::ascii_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// The octet that the two digits at the front stand for; nothing if they are none.
std::optional<char> hex_octet(std::string_view digits) noexcept {
    if (digits.size() < 2) return std::nullopt;
    const int high = hex_value(digits[0]);
    const int low = hex_value(digits[1]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

std::optional<std::string> padded_base64(std::string text) {
    if (text.size() % 4 > 1 && !text.ends_with('=')) text.append(4 - text.size() % 4, '=');
    return base::base64_decode(text);
}

/// What iconv makes of it, if it knows the charset and every octet means something in it.
std::optional<std::string> converted(std::string_view octets, const std::string& charset) {
    initialize_gmime();
    iconv_t converter = g_mime_iconv_open("UTF-8", charset.c_str());
    if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
    std::string out(octets.size() * 2 + 16, '\0');
    char* in = const_cast<char*>(octets.data());
    std::size_t in_left = octets.size();
    std::size_t used = 0;
    bool good = true;
    for (bool flushing = false; good;) {
        char* to = out.data() + used;
        std::size_t room = out.size() - used;
        const std::size_t done =
            flushing ? iconv(converter, nullptr, nullptr, &to, &room)
                     : iconv(converter, in_left > 0 ? &in : nullptr, &in_left, &to, &room);
        used = static_cast<std::size_t>(to - out.data());
        if (done == static_cast<std::size_t>(-1) && errno == E2BIG) {
            out.resize(out.size() * 2);
        } else {
            good = done == 0;
            if (flushing) break;
            flushing = true;
        }
    }
    g_mime_iconv_close(converter);
    if (!good) return std::nullopt;
    out.resize(used);
    return out;
}

bool has_c1(std::string_view octets) noexcept {
    return std::ranges::any_of(octets, [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return octet >= 0x80 && octet < 0xa0;
    });
}

/// `=?charset?Q?text?=` at the front of a value.
struct EncodedWord {
    std::string_view charset;  ///< without a language (RFC 2231 section 5)
    std::string_view text;
    bool base64 = false;
    std::size_t size = 0;
};

std::optional<EncodedWord> front_word(std::string_view value) noexcept {
    if (!value.starts_with("=?")) return std::nullopt;
    const auto charset_end = value.find('?', 2);
    if (charset_end == std::string_view::npos || charset_end + 3 > value.size() ||
        value[charset_end + 2] != '?')
        return std::nullopt;
    const char encoding = base::ascii_lower(value[charset_end + 1]);
    const auto text_end = value.find('?', charset_end + 3);
    if ((encoding != 'b' && encoding != 'q') || text_end == std::string_view::npos ||
        !value.substr(text_end).starts_with("?="))
        return std::nullopt;
    EncodedWord word;
    word.charset = value.substr(2, charset_end - 2);
    word.charset = word.charset.substr(0, word.charset.find('*'));
    word.text = value.substr(charset_end + 3, text_end - charset_end - 3);
    word.base64 = encoding == 'b';
    word.size = text_end + 2;
    if (word.charset.empty() || std::ranges::any_of(word.charset, is_wsp)) return std::nullopt;
    return word;
}

std::optional<std::string> word_octets(const EncodedWord& word) {
    if (word.base64) return padded_base64(std::string(word.text));
    std::string out;
    for (std::size_t i = 0; i < word.text.size(); ++i) {
        const char c = word.text[i];
        if (c != '=') {
            out.push_back(c == '_' ? ' ' : c);
            continue;
        }
        const auto octet = hex_octet(word.text.substr(i + 1));
        if (!octet) return std::nullopt;
        out.push_back(*octet);
        i += 2;
    }
    return out;
}

}  // namespace

std::optional<std::string> to_utf8(std::string_view octets, std::string_view charset) {
    if (!has_eight_bit(octets) &&
        (charset.empty() || base::iequals(charset, "us-ascii") || base::iequals(charset, "utf-8")))
        return std::string(octets);
    if (charset.empty() || base::iequals(charset, "us-ascii") || base::iequals(charset, "ascii") ||
        base::iequals(charset, "utf-8") || base::iequals(charset, "utf8")) {
        if (!base::is_utf8(octets)) return std::nullopt;
        return std::string(octets);
    }
    // GMime takes `x-unknown` for Latin-1; RFC 1428's `unknown-8bit` means what it says.
    if (base::to_lower(charset).contains("unknown")) return std::nullopt;
    std::string name(charset);
    if (base::iequals(charset.substr(0, 8), "iso-8859") && has_c1(octets))
        name = g_mime_charset_iso_to_windows(name.c_str());
    return converted(octets, name);
}

std::optional<std::string> decode_base64(std::string_view text) {
    std::string dense;
    dense.reserve(text.size());
    for (const char c : text)
        if (!is_wsp(c) && c != '\r' && c != '\n') dense.push_back(c);
    return padded_base64(std::move(dense));
}

std::optional<std::string> decode_quoted_printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find("\r\n", at), text.size());
        std::string_view line = text.substr(at, end - at);
        at = std::min(end + 2, text.size());
        const bool whole = end < text.size();
        while (!line.empty() && is_wsp(line.back())) line.remove_suffix(1);  // added on the way
        const bool soft = line.ends_with('=');
        if (soft) line.remove_suffix(1);
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (line[i] != '=') {
                out.push_back(line[i]);
                continue;
            }
            const auto octet = hex_octet(line.substr(i + 1));
            if (!octet) return std::nullopt;
            out.push_back(*octet);
            i += 2;
        }
        if (whole && !soft) out += "\r\n";
    }
    return out;
}

std::optional<std::string> decode_words(std::string_view value) {
    std::string out;
    std::string run;  // of words in one charset: a character may be spread over two of them
    std::string run_charset;
    bool good = true;
    const auto end_run = [&] {
        if (run_charset.empty()) return;
        const auto text = to_utf8(run, run_charset);
        good = good && text.has_value();
        if (text) out += *text;
        run.clear();
        run_charset.clear();
    };
    while (!value.empty()) {
        const auto word = front_word(value);
        if (word) {
            const auto octets = word_octets(*word);
            if (!octets) return std::nullopt;
            if (!base::iequals(run_charset, word->charset)) end_run();
            run_charset = word->charset;
            run += *octets;
            value.remove_prefix(word->size);
            continue;
        }
        const auto blank = std::min(value.find_first_not_of(" \t"), value.size());
        if (!run_charset.empty() && blank > 0 && front_word(value.substr(blank))) {
            value.remove_prefix(blank);  // white space between two words is none
            continue;
        }
        end_run();
        const std::size_t plain = std::max<std::size_t>(blank, 1);
        out += value.substr(0, plain);
        value.remove_prefix(plain);
    }
    end_run();
    if (!good || !base::is_utf8(out)) return std::nullopt;
    return out;
}

bool has_control(std::string_view text) noexcept {
    return std::ranges::any_of(text, [](char c) {
        const auto octet = static_cast<unsigned char>(c);
        return (octet < 32 && c != '\t') || octet == 127;
    });
}

}  // namespace outpost::message

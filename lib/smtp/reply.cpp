#include "smtp/reply.hpp"

#include <fmt/format.h>

#include <iterator>

namespace outpost::smtp {
namespace {

/// A text must not be able to end its line and forge another.
void append_text(std::string& out, std::string_view text) {
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        out.push_back((octet < 32 && c != '\t') || octet == 127 ? '?' : c);
    }
}

void append_line(std::string& out, const Reply& reply, std::string_view text, char separator) {
    fmt::format_to(std::back_inserter(out), "{:03}{}", reply.code, separator);
    if (reply.status.present()) {
        out += reply.status.text();
        if (!text.empty()) out += ' ';
    }
    append_text(out, text);
    out += "\r\n";
}

}  // namespace

std::string EnhancedStatus::text() const {
    return present() ? fmt::format("{}.{}.{}", klass, subject, detail) : std::string();
}

std::string Reply::wire() const {
    std::string out;
    std::size_t length = 0;
    for (const auto& line : lines) length += line.size() + 16;
    out.reserve(length);
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) append_line(out, *this, lines[i], '-');
    append_line(out, *this, lines.empty() ? std::string_view() : lines.back(), ' ');
    return out;
}

std::string Reply::text() const {
    std::string out;
    const auto append = [&out](std::string_view word) {
        if (word.empty()) return;
        if (!out.empty()) out += ' ';
        append_text(out, word);
    };
    if (code != 0) append(fmt::format("{:03}", code));
    append(status.text());
    for (const auto& line : lines) append(line);
    return out;
}

}  // namespace outpost::smtp

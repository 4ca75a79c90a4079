#include "message/header_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.hpp"
#include "message/transcode.hpp"

namespace outpost::message {

namespace {

constexpr bool is_wsp(char c) noexcept {
    return c == ' ' || c == '\t';
}
/// ftext of RFC 5322 section 3.6.8, and the colon.
constexpr bool is_printable(char c) noexcept {
    return c > 32 && c < 127;
}

struct Line {
    std::string_view text;                              ///< without CRLF
    std::size_t size = 0;                               ///< with CRLF
    std::size_t bare_newline = std::string_view::npos;  ///< the first one, from the line's start
    [[nodiscard]] bool whole() const noexcept { return size != text.size(); }
};

/// The line at the front: only CRLF ends one.
Line front_line(std::string_view octets) noexcept {
    Line line{octets, octets.size()};
    std::size_t from = 0;
    while (const void* found = std::memchr(octets.data() + from, '\n', octets.size() - from)) {
        const auto lf = static_cast<std::size_t>(static_cast<const char*>(found) - octets.data());
        if (lf > 0 && octets[lf - 1] == '\r') {
            line = {octets.substr(0, lf - 1), lf + 1, line.bare_newline};
            break;
        }
        line.bare_newline = std::min(line.bare_newline, lf);
        from = lf + 1;
        if (from == octets.size()) break;
    }
    line.bare_newline = std::min(line.bare_newline, line.text.find('\r'));
    return line;
}

enum class LineKind : std::uint8_t { empty, continuation, field, bad_name, text };

/// Scans one header section; read_header's state.
class Reader {
  public:
    Reader(std::string_view message, const HeaderLimits& limits)
        : message_(message), limits_(limits) {
        section_.fields.reserve(24);
    }

    HeaderSection run() && {
        while (position_ < message_.size() && take_line()) {
        }
        section_.end = position_;
        section_.body_offset = position_ + empty_line_;
        const std::string_view header = message_.substr(0, section_.end);
        section_.eight_bit = has_eight_bit(header);
        if (const auto nul = header.find('\0'); nul != std::string_view::npos)
            report(HeaderProblem::Kind::nul, nul);
        return std::move(section_);
    }

  private:
    /// False once the section has ended; position_ stands behind the last field then.
    bool take_line() {
        const Line line = front_line(message_.substr(position_));
        const LineKind kind = classify(line.text);
        switch (kind) {
            case LineKind::empty:
                if (line.whole()) {
                    section_.ended = true;
                    empty_line_ = line.size;
                }
                return false;
            case LineKind::text:
                section_.ended = line.whole();
                check_folded_name(line);
                return false;
            case LineKind::continuation:
            case LineKind::field:
            case LineKind::bad_name: break;
        }
        if (over_limit(line, kind)) {
            section_.ended = true;
            report(HeaderProblem::Kind::too_long, position_);
            return false;
        }
        if (line.bare_newline != std::string_view::npos)
            report(HeaderProblem::Kind::bare_newline, position_ + line.bare_newline);
        if (kind == LineKind::continuation) {
            extend(line);
        } else {
            if (kind == LineKind::bad_name) report(HeaderProblem::Kind::bad_name, position_);
            add(line);
        }
        position_ += line.size;
        return true;
    }

    [[nodiscard]] bool over_limit(const Line& line, LineKind kind) const noexcept {
        return position_ + line.size > limits_.octets ||
               (kind != LineKind::continuation && section_.fields.size() >= limits_.fields);
    }

    [[nodiscard]] LineKind classify(std::string_view text) const noexcept {
        if (text.empty()) return LineKind::empty;
        if (is_wsp(text.front()))
            return section_.fields.empty() ? LineKind::text : LineKind::continuation;
        const auto colon = text.find(':');
        if (colon == std::string_view::npos) return LineKind::text;
        const std::string_view name = base::trim(text.substr(0, colon));
        if (name.empty()) return LineKind::text;
        if (std::ranges::all_of(name, is_printable)) return LineKind::field;
        // With white space inside it is a line of text to every reader; without, some readers drop
        // the foreign octet and see another name than we do.
        return std::ranges::any_of(name, is_wsp) ? LineKind::text : LineKind::bad_name;
    }

    /// `From` CRLF ` : x`: a reader that unfolds first sees a field where we see text.
    void check_folded_name(const Line& line) {
        const std::string_view name = base::trim(line.text);
        if (!line.whole() || name.empty() || is_wsp(line.text.front()) ||
            !std::ranges::all_of(name, is_printable))
            return;
        const std::string_view next = message_.substr(position_ + line.size);
        if (next.empty() || !is_wsp(next.front())) return;
        const auto first = next.find_first_not_of(" \t\r\n");
        if (first != std::string_view::npos && next[first] == ':')
            report(HeaderProblem::Kind::folded_name, position_);
    }

    void add(const Line& line) {
        const auto colon = line.text.find(':');
        const std::string_view before = line.text.substr(0, colon);
        HeaderField& field = section_.fields.emplace_back();
        field.name = base::trim(before);
        field.spaced_colon = field.name.size() != before.size();
        field.kind = field_kind(field.name);
        field.value = line.text.substr(colon + 1);
        field.offset = position_;
        field.size = line.size;
        ++section_.counts[static_cast<std::size_t>(field.kind)];
    }

    void extend(const Line& line) noexcept {
        HeaderField& field = section_.fields.back();
        const char* begin = field.value.data();
        const char* end = line.text.data() + line.text.size();
        field.value = {begin, static_cast<std::size_t>(end - begin)};
        field.size += line.size;
    }

    void report(HeaderProblem::Kind kind, std::size_t offset) {
        if (section_.problem && section_.problem->offset <= offset) return;
        section_.problem = HeaderProblem{kind, offset, describe(kind, offset)};
    }

    [[nodiscard]] std::string describe(HeaderProblem::Kind kind, std::size_t offset) const {
        switch (kind) {
            case HeaderProblem::Kind::nul:
                return fmt::format("header section has a NUL at octet {}: remove it", offset);
            case HeaderProblem::Kind::bare_newline:
                return fmt::format(
                    "header section has a bare CR or LF at octet {}: end lines with CRLF", offset);
            case HeaderProblem::Kind::bad_name:
                return fmt::format(
                    "header field name `{}` at octet {} has octets that are not printable ASCII",
                    name_at(offset), offset);
            case HeaderProblem::Kind::folded_name:
                return fmt::format(
                    "header field name `{}` at octet {} is on another line than its colon",
                    name_at(offset), offset);
            case HeaderProblem::Kind::too_long:
                return fmt::format(
                    "header section is too long: at most {} octets and {} fields are taken",
                    limits_.octets, limits_.fields);
        }
        return {};
    }

    [[nodiscard]] std::string name_at(std::size_t offset) const {
        const std::string_view rest = message_.substr(offset);
        return base::printable(base::trim(rest.substr(0, rest.find_first_of(":\r\n"))), 40);
    }

    std::string_view message_;
    const HeaderLimits& limits_;
    HeaderSection section_;
    std::size_t position_ = 0;
    std::size_t empty_line_ = 0;
};

struct KnownField {
    std::string_view name;
    FieldKind kind;
};

constexpr KnownField known_fields[] = {
    {"from", FieldKind::from},
    {"sender", FieldKind::sender},
    {"reply-to", FieldKind::reply_to},
    {"resent-from", FieldKind::resent_from},
    {"resent-sender", FieldKind::resent_sender},
    {"date", FieldKind::date},
    {"message-id", FieldKind::message_id},
    {"subject", FieldKind::subject},
    {"bcc", FieldKind::bcc},
    {"resent-bcc", FieldKind::resent_bcc},
    {"return-path", FieldKind::return_path},
    {"received", FieldKind::received},
    {"x-priority", FieldKind::x_priority},
    {"importance", FieldKind::importance},
    {"priority", FieldKind::priority},
    {"x-msmail-priority", FieldKind::x_msmail_priority},
    {"mime-version", FieldKind::mime_version},
    {"content-type", FieldKind::content_type},
    {"dkim-signature", FieldKind::dkim_signature},
};
static_assert(std::size(known_fields) + 1 == field_kinds);

}  // namespace

FieldKind field_kind(std::string_view name) noexcept {
    for (const KnownField& known : known_fields)
        if (known.name.size() == name.size() && base::iequals(known.name, name)) return known.kind;
    return FieldKind::other;
}

const HeaderField* HeaderSection::find(FieldKind kind) const noexcept {
    if (count(kind) == 0) return nullptr;
    const auto found = std::ranges::find(fields, kind, &HeaderField::kind);
    return found == fields.end() ? nullptr : &*found;
}

HeaderSection read_header(std::string_view message, const HeaderLimits& limits) {
    return Reader(message, limits).run();
}

std::string unfold(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    for (const char c : value)
        if (c != '\r' && c != '\n') out.push_back(c);
    return std::string(base::trim(out));
}

}  // namespace outpost::message

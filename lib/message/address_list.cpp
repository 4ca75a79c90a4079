#include "message/address_list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "smtp/domain.hpp"

namespace outpost::message {

namespace {

using smtp::Mailbox;

constexpr bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// atext of RFC 5322 section 3.2.3 with the octets of UTF-8 (RFC 6532 section 3.2).
constexpr bool is_atext(char c) noexcept {
    return static_cast<unsigned char>(c) > 127 ||
           (c > ' ' && c < 127 && !std::string_view("()<>[]:;@\\,.\"").contains(c));
}
constexpr bool is_dot_or_atext(char c) noexcept {
    return c == '.' || is_atext(c);
}

bool is_dot_atom(std::string_view text) noexcept {
    return !text.empty() && text.front() != '.' && text.back() != '.' && !text.contains("..");
}

/// Recursive descent without recursion: every construct is one loop. An error is kept in error_
/// and ends the parse; the functions then return false.
class Parser {
  public:
    explicit Parser(std::string_view value) : value_(value) {}

    bool run() {
        if (!check_octets()) return false;
        while (true) {
            if (!element()) return false;
            if (at_end()) return !in_group_ || fail("a group does not end with `;`", position_);
            if (peek() == ';' && !end_group()) return false;
            if (at_end()) return true;
            ++position_;  // the comma
        }
    }

    std::vector<Mailbox> mailboxes;
    bool had_group = false;
    AddressError error;

  private:
    /// One word of a display name or a local part.
    struct Word {
        std::size_t begin = 0;
        bool quoted = false;
        bool folded = false;
        std::string text;  ///< unquoted
    };

    [[nodiscard]] bool at_end() const noexcept { return position_ == value_.size(); }
    [[nodiscard]] char peek() const noexcept { return value_[position_]; }

    bool fail(std::string text, std::size_t position) {
        error = {std::move(text), position};
        return false;
    }
    bool fail_unexpected() {
        if (at_end()) return fail("ends in the middle of an address", position_);
        if (is_space(peek())) return fail("white space inside an address", position_);
        if (peek() == '(') return fail("a comment inside an address", position_);
        if (peek() == '@') return fail("two @ in one address", position_);
        return fail(fmt::format("unexpected `{}`", base::printable(value_.substr(position_, 1))),
                    position_);
    }

    /// No control characters but folds, and UTF-8 only: later code need not look again.
    bool check_octets() {
        for (std::size_t i = 0; i < value_.size(); ++i) {
            const auto c = static_cast<unsigned char>(value_[i]);
            if (c == '\r' && i + 2 < value_.size() && value_[i + 1] == '\n' &&
                (value_[i + 2] == ' ' || value_[i + 2] == '\t'))
                i += 2;
            else if ((c < ' ' && c != '\t') || c == 127)
                return fail("has a control character", i);
        }
        return base::is_utf8(value_) ||
               fail("is neither ASCII nor UTF-8: encode names by RFC 2047", 0);
    }

    /// One list element up to `,`, `;` or the end, or a group's name and colon.
    bool element() {
        if (!skip_comments_and_space()) return false;
        if (at_list_mark()) return true;
        Word first;
        std::size_t words = 0;
        std::size_t word_end = 0;
        while (!at_list_mark()) {
            const char c = peek();
            if (c == '@') return bare_address(first, words, word_end);
            if (c == '<') return angle_address();
            if (c == ':') return begin_group(words);
            if (c == '"' || is_dot_or_atext(c)) {
                Word other;
                if (!word(words == 0 ? first : other)) return false;
                ++words;
                word_end = position_;
            } else if (!is_space(c) && c != '(') {
                return fail_unexpected();
            }
            if (!skip_comments_and_space()) return false;
        }
        return fail("a name without an address", first.begin);
    }

    [[nodiscard]] bool at_list_mark() const noexcept {
        return at_end() || peek() == ',' || (in_group_ && peek() == ';');
    }

    bool begin_group(std::size_t words) {
        if (in_group_) return fail("a group inside a group", position_);
        if (words == 0) return fail_unexpected();
        ++position_;
        in_group_ = had_group = true;
        return element();
    }

    bool end_group() {
        ++position_;
        in_group_ = false;
        if (!skip_comments_and_space()) return false;
        return at_end() || peek() == ',' || fail("text after the end of a group", position_);
    }

    /// `local@domain` without angle brackets; position_ is at the @.
    bool bare_address(const Word& local, std::size_t words, std::size_t word_end) {
        if (words == 0) return fail("an address without a local part", position_);
        if (words > 1)
            return fail("several words before an @: quote the name, put the address in <>",
                        local.begin);
        if (word_end != position_) {
            position_ = word_end;
            return fail_unexpected();
        }
        return address(local) && skip_comments_and_space() && element_ends();
    }

    bool angle_address() {
        ++position_;
        skip_space();
        if (!at_end() && peek() == '@') return fail("a source route", position_);
        if (!at_end() && peek() == '>') return fail("an empty address <>", position_);
        Word local;
        if (at_end() || (peek() != '"' && !is_dot_or_atext(peek()))) return fail_unexpected();
        if (!word(local)) return false;
        if (at_end() || peek() != '@') {
            if (!at_end() && peek() == '>') return fail("an address without @", local.begin);
            return fail_unexpected();
        }
        if (!address(local)) return false;
        skip_space();
        if (at_end() || peek() != '>') return fail_unexpected();
        ++position_;
        return skip_comments_and_space() && element_ends();
    }

    bool element_ends() {
        if (at_list_mark()) return true;
        if (peek() == '<') return fail("an address in front of <>: quote the name", position_);
        if (peek() == '@') return fail("two @ in one address", position_);
        return fail("text after an address", position_);
    }

    /// Domain and address at the @; the local part is already read.
    bool address(const Word& local) {
        if (local.folded || local.text.empty())
            return fail("the local part is empty or folded", local.begin);
        if (!local.quoted && !is_dot_atom(local.text))
            return fail("a dot at the wrong place in the local part", local.begin);
        const std::size_t begin = ++position_;
        if (!at_end() && peek() == '[') {
            position_ = std::min(value_.find(']', position_), value_.size() - 1) + 1;
            const std::string_view literal = value_.substr(begin, position_ - begin);
            if (!smtp::is_address_literal(literal))
                return fail("the address literal is not valid", begin);
        } else {
            while (!at_end() && is_dot_or_atext(peek())) ++position_;
            if (position_ == begin) return fail("an address without a domain", begin);
            if (!smtp::is_domain(value_.substr(begin, position_ - begin), true))
                return fail(
                    fmt::format("`{}` is not a domain",
                                base::printable(value_.substr(begin, position_ - begin), 80)),
                    begin);
        }
        mailboxes.push_back({local.text, std::string(value_.substr(begin, position_ - begin))});
        return true;
    }

    /// An atom (dots included) or a quoted string.
    bool word(Word& out) {
        out.begin = position_;
        if (peek() == '"') return quoted_string(out);
        while (!at_end() && is_dot_or_atext(peek())) ++position_;
        out.text = value_.substr(out.begin, position_ - out.begin);
        return true;
    }

    bool quoted_string(Word& out) {
        out.quoted = true;
        while (++position_ < value_.size()) {
            char c = peek();
            if (c == '"') {
                ++position_;
                return true;
            }
            if (c == '\\') {
                if (++position_ == value_.size()) break;
                c = peek();
            }
            if (c == '\r' || c == '\n') out.folded = true;
            out.text.push_back(c);
        }
        return fail("a quoted string without its closing quote", out.begin);
    }

    void skip_space() noexcept {
        while (!at_end() && is_space(peek())) ++position_;
    }

    bool skip_comments_and_space() {
        while (true) {
            skip_space();
            if (at_end() || peek() != '(') return true;
            if (!comment()) return false;
        }
    }

    /// Comments nest (RFC 5322 section 3.2.2). Readers that know no comments must not find another
    /// address in one.
    bool comment() {
        const std::size_t begin = position_;
        for (int depth = 0; !at_end(); ++position_) {
            const char c = peek();
            if (c == '<' || c == '>') return fail("`<` or `>` in a comment", position_);
            if (c == '(') ++depth;
            if (c == ')' && --depth == 0) {
                ++position_;
                return true;
            }
            if (c == '\\' && ++position_ == value_.size()) break;
        }
        return fail("a comment without its closing parenthesis", begin);
    }

    std::string_view value_;
    std::size_t position_ = 0;
    bool in_group_ = false;
};

}  // namespace

std::expected<std::vector<smtp::Mailbox>, AddressError> parse_address_list(std::string_view value) {
    Parser parser(value);
    if (!parser.run()) return std::unexpected(std::move(parser.error));
    return std::move(parser.mailboxes);
}

std::expected<smtp::Mailbox, AddressError> parse_single_mailbox(std::string_view value) {
    Parser parser(value);
    if (!parser.run()) return std::unexpected(std::move(parser.error));
    if (parser.had_group) return std::unexpected(AddressError{"a group where one address is due"});
    if (parser.mailboxes.empty()) return std::unexpected(AddressError{"no address"});
    if (parser.mailboxes.size() > 1)
        return std::unexpected(AddressError{"several addresses where one is due"});
    return std::move(parser.mailboxes.front());
}

}  // namespace outpost::message

#include "upstream/overrides.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "message/header_edit.hpp"

namespace outpost::upstream {

namespace {

using message::FieldKind;

/// RFC 5321 section 4.5.3.1.1.
constexpr std::size_t longest_local_part = 64;

constexpr std::string_view atext =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~";

/// A display name as a phrase: quoted where it needs it. edit_header encodes what is not ASCII.
std::string phrase(std::string_view name) {
    const auto plain = [](char c) {
        return c == ' ' || static_cast<unsigned char>(c) > 127 ||
               atext.find(c) != std::string_view::npos;
    };
    if (std::ranges::all_of(name, plain)) return std::string(name);
    std::string quoted = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

/// The name before the only address of a From field, as written; empty if there is none.
std::string written_name(std::string_view from) {
    const auto open = from.find('<');
    if (open == std::string_view::npos || from.find('<', open + 1) != std::string_view::npos ||
        from.find(',', from.find('>', open)) != std::string_view::npos)
        return {};
    return std::string(base::trim(from.substr(0, open)));
}

std::string new_author(const config::Overrides::From& author, std::string_view old) {
    const auto name = author.name.empty() ? written_name(old) : phrase(author.name);
    return name.empty() ? author.email : fmt::format("{} <{}>", name, author.email);
}

bool is_dot_atom(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return c == '.' || atext.find(c) != std::string_view::npos;
    });
}

std::string with_recipient(std::string_view return_path, std::string_view id,
                           std::string_view recipient) {
    const auto at = return_path.rfind('@');
    if (at == std::string_view::npos) return std::string(return_path);
    const auto local = fmt::format("{}+{}", return_path.substr(0, at), id);
    std::string marked(recipient);
    if (const auto sign = marked.rfind('@'); sign != std::string::npos) marked[sign] = '=';
    const bool fits = is_dot_atom(marked) && local.size() + 1 + marked.size() <= longest_local_part;
    return fmt::format("{}{}{}{}", local, fits ? "=" : "", fits ? marked : "",
                       return_path.substr(at));
}

}  // namespace

bool changes_header(const config::Overrides& overrides) noexcept {
    return overrides.from.has_value() || !overrides.reply_to.empty();
}

std::string override_header(std::string_view message, const message::HeaderSection& section,
                            const config::Overrides& overrides) {
    message::HeaderEdit edit;
    const auto* from = section.find(FieldKind::from);
    const auto author = from == nullptr ? std::string() : message::unfold(from->value);
    if (overrides.from) edit.set.emplace_back("From", new_author(*overrides.from, author));
    if (!overrides.reply_to.empty()) {
        edit.set.emplace_back("Reply-To", overrides.reply_to);
    } else if (section.find(FieldKind::reply_to) == nullptr && !author.empty()) {
        edit.set.emplace_back("Reply-To", author);
    }
    return message::edit_header(message, section, edit);
}

std::string override_reverse_path(std::string_view reverse_path, const config::Overrides& overrides,
                                  std::string_view id, std::string_view recipient) {
    if (reverse_path.empty()) return {};
    const std::string path =
        overrides.return_path.empty() ? std::string(reverse_path) : overrides.return_path;
    return overrides.verp ? with_recipient(path, id, recipient) : path;
}

}  // namespace outpost::upstream

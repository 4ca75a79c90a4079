#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outpost::smtp {

/// A mailbox of an envelope (RFC 5321 section 4.1.2, RFC 6531 for UTF-8). `local` is unquoted.
struct Mailbox {
    std::string local;
    std::string domain;  ///< as written: a domain in either form, or an address literal

    bool operator==(const Mailbox&) const = default;
    /// `local@domain`, the local part quoted where the grammar asks for it.
    [[nodiscard]] std::string address() const;
    /// Needs SMTPUTF8: an octet over 127 in either part.
    [[nodiscard]] bool needs_smtputf8() const noexcept;
};

/// Parses `local@domain` without angle brackets, by RFC 5321's Mailbox grammar.
[[nodiscard]] std::optional<Mailbox> parse_mailbox(std::string_view text, bool allow_utf8);

}  // namespace outpost::smtp

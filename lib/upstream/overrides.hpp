#pragma once

#include <string>
#include <string_view>

#include "config/types.hpp"
#include "message/header_reader.hpp"

/// What a message looks like to an upstream that has `from`, `reply_to`, `return_path` or `verp`.
/// Pure.
namespace outpost::upstream {

/// Whether the header section is to be changed.
[[nodiscard]] bool changes_header(const config::Overrides& overrides) noexcept;

/// The new header section, its empty line included. A new author keeps the old one's name, unless
/// it has one of its own; the old author is whom replies go to, unless the message or the overrides
/// say otherwise.
[[nodiscard]] std::string override_header(std::string_view message,
                                          const message::HeaderSection& section,
                                          const config::Overrides& overrides);

/// The reverse-path for one recipient of a message; a null one stays null. With `verp`, of
/// `bounces@example.com`: `bounces+ID=bob=example.net@example.com`; without the recipient where
/// that would be too long for a local part (64 octets), or has more than atoms in it.
[[nodiscard]] std::string override_reverse_path(std::string_view reverse_path,
                                                const config::Overrides& overrides,
                                                std::string_view id, std::string_view recipient);

}  // namespace outpost::upstream

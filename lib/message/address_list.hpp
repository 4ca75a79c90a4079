#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "smtp/path.hpp"

/// Parser for the address lists of header fields (RFC 5322 section 3.4, UTF-8 by RFC 6532), strict
/// enough to trust for policy: what two readers could take for different addresses is an error.
/// Accepted of the obsolete forms are only a `.` in an unquoted display name and empty list
/// elements. Refused although RFC 5322 has them: source routes, comments or white space inside an
/// address, `<` and `>` in comments.
namespace outpost::message {

struct AddressError {
    std::string text{};        ///< `two @ in one address`, for "field From: TEXT"
    std::size_t position = 0;  ///< octet in the value
};

/// Every mailbox of an address-list, group members included, in order. `local` is unquoted; the
/// domain is as written. An empty group gives none; so does an empty value, which is no error.
[[nodiscard]] std::expected<std::vector<smtp::Mailbox>, AddressError> parse_address_list(
    std::string_view value);

/// Exactly one mailbox, not in a group: Sender and Resent-Sender.
[[nodiscard]] std::expected<smtp::Mailbox, AddressError> parse_single_mailbox(
    std::string_view value);

}  // namespace outpost::message

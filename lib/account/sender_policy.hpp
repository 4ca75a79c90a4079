#pragma once

#include <string_view>
#include <variant>

#include "account/account.hpp"
#include "message/policy_header.hpp"
#include "smtp/reply.hpp"

namespace outpost::account {

struct Accept {};
struct Refuse {
    smtp::Reply reply;
};
using Verdict = std::variant<Accept, Refuse>;

/// Whether the account may use this reverse-path, `local@domain` without angle brackets; the null
/// reverse-path is the empty string and always allowed. For MAIL.
[[nodiscard]] Verdict check_envelope(const Account& account, std::string_view reverse_path);

/// Whether the account may send a message with this header: From, Sender, Resent-From and
/// Resent-Sender are authorized, Reply-To parses. For the end of the data.
[[nodiscard]] Verdict check_header(const Account& account, const message::PolicyHeader& header);

}  // namespace outpost::account

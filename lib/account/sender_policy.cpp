#include "account/sender_policy.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "smtp/path.hpp"

namespace outpost::account {
namespace {

using message::FieldKind;
using message::PolicyField;
using message::PolicyHeader;

constexpr smtp::EnhancedStatus not_authorized{5, 7, 1};
constexpr smtp::EnhancedStatus bad_header{5, 6, 0};

Refuse refuse(const smtp::EnhancedStatus& status, std::string text) {
    return {smtp::Reply{550, status, {std::move(text)}}};
}

/// `where`: "envelope sender" or "header field From".
Refuse not_permitted(const Account& account, std::string_view address, std::string_view where) {
    return refuse(
        not_authorized,
        fmt::format("Sender {} in {} is not authorized for account {}; use an address or domain "
                    "that the account may send from",
                    base::printable(address, 200), where, base::printable(account.name, 64)));
}

/// Fields that may stand once only.
Verdict check_counts(const PolicyHeader& header) {
    if (!header.problem.empty()) {
        return refuse(bad_header,
                      fmt::format("Message header: {}", base::printable(header.problem)));
    }
    if (header.from_count == 0) {
        return refuse(bad_header,
                      "Message has no header field From; add one with the sender's address");
    }
    if (header.from_count > 1) {
        return refuse(not_authorized, fmt::format("Message has {} header fields From; send one",
                                                  header.from_count));
    }
    if (header.sender_count > 1) {
        return refuse(not_authorized, fmt::format("Message has {} header fields Sender; send one",
                                                  header.sender_count));
    }
    if (header.reply_to_count > 1) {
        return refuse(bad_header, fmt::format("Message has {} header fields Reply-To; send one",
                                              header.reply_to_count));
    }
    return Accept{};
}

Verdict check_field(const Account& account, const PolicyField& field) {
    if (!field.error.empty()) {
        return refuse(bad_header, fmt::format("Header field {} is not valid: {}", field.name,
                                              base::printable(field.error)));
    }
    if (field.mailboxes.empty()) {
        return refuse(bad_header, fmt::format("Header field {} names no address", field.name));
    }
    if (field.kind == FieldKind::reply_to) return Accept{};
    for (const smtp::Mailbox& mailbox : field.mailboxes) {
        if (!account.authorized.permits(mailbox.local, mailbox.domain)) {
            return not_permitted(account, mailbox.address(), "header field " + field.name);
        }
    }
    return Accept{};
}

}  // namespace

Verdict check_envelope(const Account& account, std::string_view reverse_path) {
    if (reverse_path.empty()) return Accept{};
    const auto mailbox = smtp::parse_mailbox(reverse_path, true);
    if (mailbox && account.authorized.permits(mailbox->local, mailbox->domain)) return Accept{};
    return not_permitted(account, reverse_path, "envelope sender");
}

Verdict check_header(const Account& account, const PolicyHeader& header) {
    Verdict verdict = check_counts(header);
    for (auto field = header.fields.begin();
         field != header.fields.end() && std::holds_alternative<Accept>(verdict); ++field) {
        verdict = check_field(account, *field);
    }
    return verdict;
}

}  // namespace outpost::account

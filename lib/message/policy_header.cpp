#include "message/policy_header.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "message/address_list.hpp"

namespace outpost::message {

namespace {

/// Empty for a field that policy does not look at.
std::string_view policy_name(FieldKind kind) noexcept {
    switch (kind) {
        case FieldKind::from: return "From";
        case FieldKind::sender: return "Sender";
        case FieldKind::reply_to: return "Reply-To";
        case FieldKind::resent_from: return "Resent-From";
        case FieldKind::resent_sender: return "Resent-Sender";
        default: return {};
    }
}

std::string describe(const AddressError& error) {
    return fmt::format("{} (octet {})", error.text, error.position);
}

/// Fills in mailboxes or error.
void parse(std::string_view value, PolicyField& field) {
    if (field.kind == FieldKind::sender || field.kind == FieldKind::resent_sender) {
        auto mailbox = parse_single_mailbox(value);
        if (mailbox)
            field.mailboxes.push_back(std::move(*mailbox));
        else
            field.error = describe(mailbox.error());
        return;
    }
    auto mailboxes = parse_address_list(value);
    if (mailboxes)
        field.mailboxes = std::move(*mailboxes);
    else
        field.error = describe(mailboxes.error());
}

}  // namespace

PolicyHeader policy_header(const HeaderSection& header) {
    PolicyHeader summary;
    summary.from_count = header.count(FieldKind::from);
    summary.sender_count = header.count(FieldKind::sender);
    summary.reply_to_count = header.count(FieldKind::reply_to);
    if (header.problem) summary.problem = header.problem->text;
    for (const HeaderField& field : header.fields) {
        const std::string_view name = policy_name(field.kind);
        if (name.empty()) continue;
        PolicyField& out = summary.fields.emplace_back();
        out.kind = field.kind;
        out.name = name;
        // Some readers take `From :` for the From field, others for an mbox separator or for text.
        if (field.spaced_colon)
            out.error = "white space between the name and the colon";
        else
            parse(field.value, out);
    }
    return summary;
}

}  // namespace outpost::message

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "message/header_reader.hpp"
#include "smtp/path.hpp"

namespace outpost::message {

/// One identity field as policy sees it.
struct PolicyField {
    FieldKind kind = FieldKind::from;  ///< from, sender, reply_to, resent_from or resent_sender
    std::string name{};                ///< `From`, `Sender`, `Reply-To`, `Resent-From`, ...
    std::vector<smtp::Mailbox> mailboxes{};  ///< empty if `error`, or for an empty group
    std::string error{};  ///< why it does not parse, or empty: `two @ in one address (octet 12)`

    bool operator==(const PolicyField&) const = default;
};

/// What account::sender_policy judges of a header section (DETAILS "Submission and policy"): plain
/// values, nothing points into the message.
struct PolicyHeader {
    std::vector<PolicyField>
        fields{};  ///< every From, Sender, Reply-To, Resent-From, Resent-Sender
    unsigned from_count = 0;
    unsigned sender_count = 0;
    unsigned reply_to_count = 0;
    std::string
        problem{};  ///< the header section as a whole cannot be trusted (550 5.6.0); or empty

    bool operator==(const PolicyHeader&) const = default;
};

[[nodiscard]] PolicyHeader policy_header(const HeaderSection& header);

}  // namespace outpost::message

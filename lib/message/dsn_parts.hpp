#pragma once

#include <string>
#include <string_view>

#include "message/dsn.hpp"
#include "smtp/reply.hpp"

/// The parts that build_dsn assembles; for message/dsn*.cpp alone.
namespace outpost::message::dsn_parts {

/// What all parts of one report share.
struct Context {
    const DsnRequest& request;
    bool utf8 = false;  ///< octets over 127 may be shown (RFC 6533 report)
    bool returns_full = false;
    std::string original_subject{};     ///< safe to show; may be empty
    std::string original_message_id{};  ///< with its angle brackets; empty if none or not usable
};

/// Safe for one line of a report: no control characters, and ASCII only unless `utf8`.
[[nodiscard]] std::string shown(std::string_view text, bool utf8);

/// Appends `text`, broken at spaces before column 78; each new line begins with `indent`.
void append_wrapped(std::string& out, std::string_view text, std::string_view indent);

/// The Status field of a recipient: the reply's where its class fits the action.
[[nodiscard]] smtp::EnhancedStatus status_of(const DsnRecipient& recipient) noexcept;

/// Body of the message/delivery-status part (RFC 3464 section 2).
[[nodiscard]] std::string delivery_status(const Context& context);

/// The part for people.
[[nodiscard]] std::string notice(const Context& context);

}  // namespace outpost::message::dsn_parts

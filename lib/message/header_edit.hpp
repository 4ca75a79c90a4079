#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message/header_reader.hpp"

/// Changes to the header section of a ready message, its body untouched.
namespace outpost::message {

struct HeaderEdit {
    /// Fields to take out, by name in any case.
    std::function<bool(std::string_view name)> drop;
    /// Field name and value to put in (folded as needed, encoded by RFC 2047 where not ASCII); a
    /// field of that name is replaced where it stands, further ones are taken out; else it is
    /// appended to the section.
    std::vector<std::pair<std::string, std::string>> set;
};

/// The new header section, its empty line included; what follows of the message is
/// `message.substr(section.body_offset)`. Fields that are not touched stay octet for octet.
[[nodiscard]] std::string edit_header(std::string_view message, const HeaderSection& section,
                                      const HeaderEdit& edit);

/// The value of an unstructured field as ASCII on one line: encoded by RFC 2047 where it is not.
[[nodiscard]] std::string encode_text(std::string_view text);

/// What a client's message may not say to a provider (esp-apis.md 2.4): X-SES-*, X-MC-*,
/// X-Mailgun-*, X-SMTPAPI, X-MSYS-API, X-MJ-*, X-Mailjet-*, X-PM-*, X-SIB-*, X-Mailin-*,
/// X-Smtp2go-*, in any case.
[[nodiscard]] bool is_provider_control(std::string_view name) noexcept;

}  // namespace outpost::message

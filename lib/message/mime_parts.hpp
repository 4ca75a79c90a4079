#pragma once

#include <optional>
#include <string_view>

#include "message/gmime_object.hpp"
#include "message/header_reader.hpp"
#include "message/mime_content.hpp"

/// The two halves of take_apart(); each fills its fields of `content`, or says why it cannot.
namespace outpost::message {

/// Addresses, subject and all other header fields.
[[nodiscard]] std::optional<MimeObstacle> read_fields(const HeaderSection& header,
                                                      MimeContent& content);

/// Text, HTML, calendar and attachments. `top` was parsed from `message`, whose octets are taken.
[[nodiscard]] std::optional<MimeObstacle> read_parts(GMimeObject* top, std::string_view message,
                                                     MimeContent& content);

/// The name of an attachment, in UTF-8; empty if the part has none.
[[nodiscard]] std::expected<std::string, MimeObstacle> part_filename(GMimeObject* part);
/// A name for an attachment that has none: `attachment-2.pdf`.
[[nodiscard]] std::string made_up_filename(std::string_view content_type, std::size_t number);

}  // namespace outpost::message

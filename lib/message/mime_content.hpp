#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A message taken apart for a hop that does not take RFC 5322 text (JSON APIs), by GMime. Nothing
/// is lost without a word: what has no place in MimeContent is an Obstacle.
namespace outpost::message {

/// A display name, decoded to UTF-8, and an address `local@domain` as written.
struct NamedAddress {
    std::string name;
    std::string address;
    bool operator==(const NamedAddress&) const = default;
};

struct MimeAttachment {
    std::string content_type;  ///< `image/png`, lower case, without parameters
    std::string charset;     ///< of a text part as it came (its octets are as they came); or empty
    std::string filename;    ///< UTF-8; never empty: made from the type if the part has none
    std::string content_id;  ///< without <>; empty if none
    bool is_inline = false;  ///< shown within the HTML (multipart/related with a Content-ID, or
                             ///< Content-Disposition: inline with one)
    std::string content;     ///< decoded octets
};

struct MimeContent {
    std::vector<NamedAddress> from;
    std::optional<NamedAddress> sender;
    std::vector<NamedAddress> to;  ///< group members included
    std::vector<NamedAddress> cc;
    std::vector<NamedAddress> reply_to;
    std::string subject;                  ///< decoded to UTF-8
    std::string message_id;               ///< without <>
    std::string date;                     ///< as written
    std::optional<std::string> text;      ///< UTF-8, CRLF line ends
    std::optional<std::string> html;      ///< UTF-8, CRLF line ends
    std::optional<std::string> calendar;  ///< text/calendar beside text or HTML, UTF-8
    std::string calendar_method;          ///< its method parameter: REQUEST
    std::vector<MimeAttachment> attachments;
    /// All other fields in order, unfolded and decoded to UTF-8; without those that have a place
    /// above and those of MIME, trace and authentication (esp-apis.md 2.1 point 4).
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Why a message cannot be taken apart without loss.
struct MimeObstacle {
    enum class Kind : std::uint8_t {
        protected_content,  ///< signed or encrypted (S/MIME, PGP/MIME)
        report,             ///< multipart/report: a delivery or disposition notification
        structure,          ///< parts that no list of text, HTML and attachments can say
        header,             ///< From or another address field that no JSON field can say
        encoding,           ///< a charset or transfer encoding that cannot be decoded
    };
    Kind kind = Kind::structure;
    std::string text;  ///< for logs and reports: `the message is signed (multipart/signed), ...`
};

/// Takes a message with CRLF line ends apart. Thread-safe; takes milliseconds for megabytes, so it
/// belongs on an offload thread.
[[nodiscard]] std::expected<MimeContent, MimeObstacle> take_apart(std::string_view message);

}  // namespace outpost::message

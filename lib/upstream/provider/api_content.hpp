#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message/mime_content.hpp"
#include "upstream/provider/provider.hpp"

/// A message that is taken apart, in the words that JSON APIs have in common.
namespace outpost::upstream::api {

/// The names of the fields of an address object.
struct AddressKeys {
    std::string_view address = "email";
    std::string_view name = "name";
};

/// `{"email": ..., "name": ...}`; without a name if there is none.
[[nodiscard]] boost::json::object address_object(const message::NamedAddress& who,
                                                 const AddressKeys& keys = {});
[[nodiscard]] boost::json::array address_objects(std::span<const message::NamedAddress> who,
                                                 const AddressKeys& keys = {});

/// `Name <a@b>`, in UTF-8, the name in quotes where it needs them (RFC 5322 section 3.2.4).
[[nodiscard]] std::string address_text(const message::NamedAddress& who);
[[nodiscard]] boost::json::array address_texts(std::span<const message::NamedAddress> who);
/// With commas between them.
[[nodiscard]] std::string address_line(std::span<const message::NamedAddress> who);

/// The plain text, if it is to be said: nothing if it is empty beside HTML. A message without any
/// body is one line end, since the providers want something there.
[[nodiscard]] std::optional<std::string> plain_text(const message::MimeContent& content);
/// The HTML, if it is not empty.
[[nodiscard]] std::optional<std::string> html_text(const message::MimeContent& content);
/// For providers that refuse an empty subject: what mail readers show then.
[[nodiscard]] std::string subject_or_default(const message::MimeContent& content);

/// How a provider takes header fields that it has no word of its own for.
struct HeaderRules {
    /// Left out, in lower case, since the provider refuses them; `x-mj-*` stands for all that begin
    /// so.
    std::span<const std::string_view> refused;
    bool repeated = false;  ///< it takes the same field twice
    bool sender = false;    ///< it takes a Sender field
};

using HeaderFields = std::vector<std::pair<std::string, std::string>>;

/// The fields that a provider is given, in ASCII (RFC 2047), which none of them damages. Of a
/// repeated X- field the first one goes where there can be but one; for others that cannot be
/// carried, the reason.
[[nodiscard]] std::expected<HeaderFields, CannotCarry> header_fields(
    const message::MimeContent& content, const HeaderRules& rules);
/// As an object, field by field.
[[nodiscard]] boost::json::object header_object(const HeaderFields& fields);
/// A field's value; nothing if the message has none. `name` in any case.
[[nodiscard]] std::optional<std::string> header_value(const message::MimeContent& content,
                                                      std::string_view name);
/// The ids in a value of References or In-Reply-To, without <>.
[[nodiscard]] std::vector<std::string> message_ids(std::string_view value);

/// What a provider has no words for, by its title: images within the HTML, an invitation, several
/// addresses to reply to, or text that it would take for a template.
[[nodiscard]] CannotCarry cannot_carry(std::string_view title, std::string_view what);
struct Abilities {
    bool inline_images = true;
    bool calendar = false;
    bool several_reply_to = false;
};
[[nodiscard]] std::optional<CannotCarry> beyond(std::string_view title,
                                                const message::MimeContent& content,
                                                const Abilities& abilities);
/// Whether one of the marks stands in the subject, the text or the HTML.
[[nodiscard]] bool holds_template(const message::MimeContent& content,
                                  std::initializer_list<std::string_view> marks);

/// A GET that wants JSON, without credentials.
[[nodiscard]] net::HttpRequest get_json(std::string url);
/// `Authorization: Bearer KEY`.
[[nodiscard]] net::HttpRequest with_bearer(net::HttpRequest request, const base::Secret& key);

}  // namespace outpost::upstream::api

#pragma once

#include <string>
#include <vector>

#include "message/mime_content.hpp"
#include "upstream/provider/provider_cases.hpp"

/// What the tests of the providers without a raw form share: a message with all that mail clients
/// put into one, taken apart.
namespace outpost::upstream::test {

enum class Shape {
    full,       ///< text, HTML, an image within it, an attachment
    no_image,   ///< the same without the image, for who knows no Content-ID
    bare,       ///< a line of text, no subject
    empty,      ///< no body at all
    invitation  ///< with a calendar object
};

struct JsonMessage {
    explicit JsonMessage(Shape shape);
    explicit JsonMessage(message::MimeContent apart) : content(std::move(apart)) {}

    /// For all recipients: one in To, one in Cc, one hidden.
    [[nodiscard]] ApiMessage call() const;

    message::MimeContent content;
};

/// The request for it, which must be possible.
net::HttpRequest request_for(const Provider& provider, Shape shape,
                             const ProviderSettings& settings);
/// Why there is no request for it.
std::string obstacle_to(const Provider& provider, const message::MimeContent& content);

ProviderSettings fake_settings(const Provider& provider);

/// The answer to a call for three.
std::vector<Class> classes(const Provider& provider, int status, std::string_view body,
                           const net::HttpHeaders& headers = {});

}  // namespace outpost::upstream::test

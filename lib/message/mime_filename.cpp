#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "message/mime_decoding.hpp"
#include "message/mime_parts.hpp"

namespace outpost::message {

namespace {

struct KnownType {
    std::string_view type;
    std::string_view extension;
};

constexpr std::array known_types{
    KnownType{"text/plain", "txt"},
    KnownType{"text/calendar", "ics"},
    KnownType{"image/jpeg", "jpg"},
    KnownType{"image/svg+xml", "svg"},
    KnownType{"image/tiff", "tif"},
    KnownType{"audio/mpeg", "mp3"},
    KnownType{"application/msword", "doc"},
    KnownType{"application/gzip", "gz"},
    KnownType{"application/ics", "ics"},
    KnownType{"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"},
    KnownType{"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"},
    KnownType{"application/vnd.openxmlformats-officedocument.presentationml.presentation", "pptx"},
};

/// `filename*=utf-8''...`: the charset of RFC 2231 that stands there, or nothing.
std::string extended_charset(std::string_view value) {
    for (auto at = value.find("*="); at != std::string_view::npos; at = value.find("*=", at + 2)) {
        const std::string_view rest = value.substr(at + 2);
        const auto quote = rest.find('\'');
        if (quote == std::string_view::npos || quote == 0 || rest.find(';') < quote) continue;
        return std::string(base::trim(rest.substr(0, quote)));
    }
    return {};
}

MimeObstacle undecodable() {
    return {MimeObstacle::Kind::encoding,
            "the name of an attachment has characters that cannot be decoded to UTF-8"};
}

/// GMime decodes RFC 2231 well, but puts `?` where it cannot.
bool decodable(std::string_view value, std::string_view name) {
    const std::string charset = extended_charset(value);
    if (!charset.empty() && !to_utf8("x", charset)) return false;
    return !name.contains('?') || value.contains('?') || base::to_lower(value).contains("%3f");
}

/// A field of the part as it stands there; empty if it has none.
std::string raw_field(GMimeObject* part, const char* name) {
    GMimeHeader* header = g_mime_header_list_get_header(g_mime_object_get_header_list(part), name);
    const char* value = header != nullptr ? g_mime_header_get_raw_value(header) : nullptr;
    return value != nullptr ? unfold(value) : std::string();
}

std::string text_of(const char* value) {
    return value != nullptr ? value : "";
}

/// The parameter of a field whose value holds encoded words, which are left to decode_words().
std::string strict_parameter(const std::string& value, bool disposition) {
    GMimeParserOptions* options = g_mime_parser_options_new();
    g_mime_parser_options_set_parameter_compliance_mode(options, GMIME_RFC_COMPLIANCE_STRICT);
    std::string found;
    if (disposition) {
        const Owned<GMimeContentDisposition> parsed(
            g_mime_content_disposition_parse(options, value.c_str()));
        if (parsed)
            found = text_of(g_mime_content_disposition_get_parameter(parsed.get(), "filename"));
    } else {
        const Owned<GMimeContentType> parsed(g_mime_content_type_parse(options, value.c_str()));
        if (parsed) found = text_of(g_mime_content_type_get_parameter(parsed.get(), "name"));
    }
    g_mime_parser_options_free(options);
    return found;
}

}  // namespace

std::expected<std::string, MimeObstacle> part_filename(GMimeObject* part) {
    std::string found;
    bool disposition = true;
    if (GMimeContentDisposition* parsed = g_mime_object_get_content_disposition(part))
        found = text_of(g_mime_content_disposition_get_parameter(parsed, "filename"));
    if (found.empty()) {
        found = text_of(g_mime_object_get_content_type_parameter(part, "name"));
        disposition = false;
    }
    if (found.empty()) return found;
    const std::string value = raw_field(part, disposition ? "Content-Disposition" : "Content-Type");
    if (value.contains("=?")) {
        if (!decode_words(value)) return std::unexpected(undecodable());
        // Without quotes there is no such parameter to a strict reader.
        if (auto strict = strict_parameter(value, disposition); !strict.empty())
            found = std::move(strict);
    }
    auto name = decode_words(base::trim(found));
    if (!name || !decodable(value, *name)) return std::unexpected(undecodable());
    if (has_control(*name))
        return std::unexpected(MimeObstacle{MimeObstacle::Kind::header,
                                            "the name of an attachment has control characters"});
    return std::move(*name);
}

std::string made_up_filename(std::string_view content_type, std::size_t number) {
    if (content_type == "message/rfc822" || content_type == "message/global") return "message.eml";
    std::string_view extension = "bin";
    const auto known = std::ranges::find(known_types, content_type, &KnownType::type);
    const std::string_view subtype = content_type.substr(content_type.find('/') + 1);
    if (known != known_types.end()) {
        extension = known->extension;
    } else if (subtype.size() <= 4 && std::ranges::all_of(subtype, [](char c) {
                   return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
               })) {
        extension = subtype;
    }
    return fmt::format("attachment-{}.{}", number, extension);
}

}  // namespace outpost::message

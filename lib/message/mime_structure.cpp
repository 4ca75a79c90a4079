#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "message/mime_decoding.hpp"
#include "message/mime_parts.hpp"

namespace outpost::message {

namespace {

using Kind = MimeObstacle::Kind;

constexpr std::size_t most_parts = 500;
constexpr std::size_t most_depth = 50;

/// What a part may be in the place where it stands.
struct Place {
    bool body = true;          ///< it may be the text that is shown first
    bool alternative = false;  ///< it stands in multipart/alternative itself
    bool resource = false;     ///< HTML beside it refers to it (multipart/related)
    bool whole = false;        ///< it is all of the message
    std::size_t depth = 0;
};

std::string media_type(GMimeObject* object) {
    GMimeContentType* type = g_mime_object_get_content_type(object);
    return base::to_lower(fmt::format("{}/{}", g_mime_content_type_get_media_type(type),
                                      g_mime_content_type_get_media_subtype(type)));
}

std::string parameter(GMimeObject* object, const char* name) {
    const char* value = g_mime_object_get_content_type_parameter(object, name);
    return value != nullptr ? value : "";
}

/// RFC 5545 section 3.7.2 (iana-token); providers write it into a field as it is.
bool is_method(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-';
    });
}

std::string disposition(GMimeObject* object) {
    const char* value = g_mime_object_get_disposition(object);
    return value != nullptr ? base::to_lower(value) : "";
}

std::string content_id(GMimeObject* object) {
    const char* value = g_mime_object_get_content_id(object);
    return value != nullptr ? value : "";
}

std::string with_crlf(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    char last = '\0';
    for (const char c : text) {
        if (c == '\n' && last != '\r') out.push_back('\r');
        out.push_back(c);
        last = c;
    }
    return out;
}

/// Walks the parts of a message and puts each where it belongs. Once there is a failure, nothing
/// more is looked at.
class PartReader {
  public:
    PartReader(std::string_view message, MimeContent& content)
        : message_(message), content_(content) {}

    std::optional<MimeObstacle> run(GMimeObject* top) {
        visit(top, {.whole = true});
        if (failure_) return std::move(failure_);
        if (content_.calendar && !content_.text && !content_.html)
            return MimeObstacle{Kind::structure, "the message is a calendar object without text"};
        if (!content_.text && !content_.html) content_.text.emplace();
        for (std::size_t i = 0; i < content_.attachments.size(); ++i)
            settle_inline(content_.attachments[i], wishes_[i]);
        return std::nullopt;
    }

  private:
    /// What a part said of its place, until the HTML is known.
    struct Wish {
        bool resource = false;
        bool attachment = false;
        bool inlined = false;
    };

    void fail(Kind kind, std::string text) {
        if (!failure_) failure_ = MimeObstacle{kind, std::move(text)};
    }

    /// True if the part, or one inside it, became text of the body.
    bool visit(GMimeObject* object, const Place& place) {
        if (failure_) return false;
        if (++parts_ > most_parts || place.depth > most_depth) {
            fail(Kind::structure, fmt::format("the message has more than {} parts, or more than {} "
                                              "levels of them",
                                              most_parts, most_depth));
            return false;
        }
        const std::string type = media_type(object);
        if (refused(type)) return false;
        if (GMIME_IS_MULTIPART(object)) return visit_multipart(object, type, place);
        return visit_leaf(object, type, place);
    }

    /// What must stay as it is, or is of no use outside of its message.
    bool refused(const std::string& type) {
        if (type == "multipart/signed" || type == "multipart/encrypted" ||
            type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime") {
            fail(Kind::protected_content,
                 fmt::format("the message is {} ({}), and only a hop that takes whole messages "
                             "keeps that intact",
                             type == "multipart/signed" ? "signed" : "signed or encrypted", type));
        } else if (type == "multipart/report") {
            fail(Kind::report,
                 "the message is a report (multipart/report), which only a hop that "
                 "takes whole messages can carry");
        } else if (type == "message/partial" || type == "message/external-body") {
            fail(Kind::structure, fmt::format("the message has a part of type {}", type));
        }
        return failure_.has_value();
    }

    bool visit_multipart(GMimeObject* object, const std::string& type, const Place& place) {
        GMimeMultipart* multipart = GMIME_MULTIPART(object);
        const int count = g_mime_multipart_get_count(multipart);
        const char* boundary = g_mime_multipart_get_boundary(multipart);
        if (count == 0 || boundary == nullptr) {
            fail(Kind::structure, fmt::format("no part was found in a {}", type));
            return false;
        }
        boundaries_.push_back(fmt::format("\r\n--{}", boundary));
        bool bore = false;
        if (place.resource) {
            fail(Kind::structure, "a part that HTML refers to is itself a multipart");
        } else if (type == "multipart/alternative") {
            bore = visit_alternative(multipart, count, place);
        } else if (type == "multipart/related") {
            bore = visit_related(multipart, count, place);
        } else if (type == "multipart/mixed" || type == "multipart/digest" ||
                   type == "multipart/parallel") {
            bore = visit_mixed(multipart, count, place);
        } else {
            fail(Kind::structure, fmt::format("the message has a part of type {}", type));
        }
        boundaries_.pop_back();
        return bore;
    }

    bool visit_alternative(GMimeMultipart* multipart, int count, const Place& place) {
        if (!place.body)
            fail(Kind::structure, "a multipart/alternative follows the text of the message");
        bool bore = false;
        for (int i = 0; i < count; ++i) {
            const auto attached = content_.attachments.size();
            bore |= visit(g_mime_multipart_get_part(multipart, i),
                          {.alternative = true, .depth = place.depth + 1});
            if (content_.attachments.size() != attached && !content_.html)
                fail(Kind::structure, "an attachment stands in an alternative without HTML");
        }
        return bore;
    }

    bool visit_related(GMimeMultipart* multipart, int count, const Place& place) {
        const int root = related_root(multipart, count);
        const bool bore =
            visit(g_mime_multipart_get_part(multipart, root),
                  {.body = place.body, .alternative = place.alternative, .depth = place.depth + 1});
        for (int i = 0; i < count; ++i)
            if (i != root)
                visit(g_mime_multipart_get_part(multipart, i),
                      {.body = false, .resource = true, .depth = place.depth + 1});
        return bore;
    }

    static int related_root(GMimeMultipart* multipart, int count) {
        std::string start = parameter(GMIME_OBJECT(multipart), "start");
        if (start.starts_with('<') && start.ends_with('>'))
            start = start.substr(1, start.size() - 2);
        for (int i = 0; i < count && !start.empty(); ++i)
            if (content_id(g_mime_multipart_get_part(multipart, i)) == start) return i;
        return 0;
    }

    bool visit_mixed(GMimeMultipart* multipart, int count, const Place& place) {
        bool bore = false;
        for (int i = 0; i < count; ++i)
            bore |= visit(g_mime_multipart_get_part(multipart, i),
                          {.body = place.body && !bore, .depth = place.depth + 1});
        return bore;
    }

    bool visit_leaf(GMimeObject* object, const std::string& type, const Place& place) {
        auto filename = part_filename(object);
        if (!filename) {
            failure_ = std::move(filename.error());
            return false;
        }
        if (GMIME_IS_MESSAGE_PART(object)) {
            attach(object, type, std::move(*filename), embedded_octets(object), place);
            return false;
        }
        std::string octets = part_octets(object);
        if (failure_) return false;
        if (is_text(object, type, *filename, place)) return bear(object, type, octets, place);
        attach(object, type, std::move(*filename), std::move(octets), place);
        return false;
    }

    /// Text to be shown, rather than a file; whether or not there is a place for it.
    bool is_text(GMimeObject* object, const std::string& type, const std::string& filename,
                 const Place& place) {
        if (place.resource || disposition(object) == "attachment") return false;
        if (place.alternative) return true;
        if (type == "text/calendar") return !parameter(object, "method").empty();
        if (type != "text/plain" && type != "text/html") return false;
        return filename.empty() || place.whole;
    }

    bool bear(GMimeObject* object, const std::string& type, const std::string& octets,
              const Place& place) {
        if (!place.body) {
            fail(Kind::structure,
                 fmt::format("a part of type {} follows the text of the message, as mailing lists "
                             "append it: JSON knows one text",
                             type));
            return false;
        }
        if (shown_before_)
            fail(Kind::structure, "the text of the message follows a part that is shown above it");
        if (type == "text/calendar") {
            content_.calendar_method = parameter(object, "method");
            if (!is_method(content_.calendar_method))
                fail(Kind::header, fmt::format("the method of a text/calendar part is `{}`",
                                               base::printable(content_.calendar_method, 40)));
            return set_text(content_.calendar, object, type, octets);
        }
        if (type == "text/html") return set_text(content_.html, object, type, octets);
        if (type == "text/plain") {
            if (content_.html) fail(Kind::structure, "the plain text stands after the HTML");
            return set_text(content_.text, object, type, octets);
        }
        fail(Kind::structure, fmt::format("an alternative is of type {}", type));
        return false;
    }

    bool set_text(std::optional<std::string>& into, GMimeObject* object, const std::string& type,
                  const std::string& octets) {
        if (into) {
            fail(Kind::structure, fmt::format("the message has two parts of type {}", type));
            return false;
        }
        const std::string charset = parameter(object, "charset");
        const auto text = to_utf8(octets, charset);
        if (!text || text->contains('\0')) {
            fail(Kind::encoding,
                 fmt::format("a part of type {} cannot be decoded: its charset is `{}`", type,
                             base::printable(charset, 40)));
            return false;
        }
        into = with_crlf(*text);
        return true;
    }

    void attach(GMimeObject* object, const std::string& type, std::string filename,
                std::string octets, const Place& place) {
        if (failure_) return;
        const std::string wanted = disposition(object);
        MimeAttachment attachment;
        attachment.content_type = type;
        if (type.starts_with("text/")) attachment.charset = parameter(object, "charset");
        attachment.filename = filename.empty()
                                  ? made_up_filename(type, content_.attachments.size() + 1)
                                  : std::move(filename);
        attachment.content_id = content_id(object);
        attachment.content = std::move(octets);
        if (has_control(attachment.content_id) || !base::is_ascii(attachment.content_id))
            fail(Kind::header, "the Content-ID of a part is not printable ASCII");
        if (place.resource && attachment.content_id.empty() &&
            g_mime_object_get_header(object, "Content-Location") != nullptr)
            fail(Kind::structure, "HTML refers to a part by Content-Location");
        if (place.body && wanted != "attachment") shown_before_ = true;
        content_.attachments.push_back(std::move(attachment));
        wishes_.push_back({place.resource, wanted == "attachment", wanted == "inline"});
    }

    /// HTML that names the part decides; else its own word, and where it stands.
    void settle_inline(MimeAttachment& attachment, const Wish& wish) const {
        if (!content_.html || attachment.content_id.empty()) return;
        attachment.is_inline = refers_to(attachment.content_id) ||
                               (!wish.attachment && (wish.resource || wish.inlined));
    }

    [[nodiscard]] bool refers_to(const std::string& id) const {
        std::string escaped;
        for (const char c : id) escaped += c == '@' ? "%40" : std::string(1, c);
        return content_.html->contains("cid:" + id) || content_.html->contains("cid:" + escaped);
    }

    /// The decoded content of a part.
    std::string part_octets(GMimeObject* object) {
        GMimeDataWrapper* wrapper = g_mime_part_get_content(GMIME_PART(object));
        GMimeStream* stream =
            wrapper != nullptr ? g_mime_data_wrapper_get_stream(wrapper) : nullptr;
        if (stream == nullptr) return {};
        const auto begin = static_cast<std::size_t>(stream->bound_start);
        const auto length = static_cast<std::size_t>(g_mime_stream_length(stream));
        if (begin > message_.size() || length > message_.size() - begin) {
            fail(Kind::structure, "a part lies outside of the message");
            return {};
        }
        const std::string_view raw = message_.substr(begin, length);
        const char* field = g_mime_object_get_header(object, "Content-Transfer-Encoding");
        const std::string encoding = field != nullptr ? base::to_lower(base::trim(field)) : "";
        std::optional<std::string> decoded;
        if (encoding.empty() || encoding == "7bit" || encoding == "8bit" || encoding == "binary") {
            decoded = std::string(raw);
        } else if (encoding == "base64") {
            decoded = decode_base64(raw);
        } else if (encoding == "quoted-printable") {
            decoded = decode_quoted_printable(raw);
        }
        if (!decoded)
            fail(Kind::encoding,
                 fmt::format("a part of type {} cannot be decoded: its Content-Transfer-Encoding "
                             "is `{}`",
                             media_type(object), base::printable(encoding, 40)));
        return std::move(decoded).value_or(std::string());
    }

    /// A message within the message, octet for octet: from its first field to the next boundary.
    std::string embedded_octets(GMimeObject* object) {
        std::size_t begin = message_.size();
        if (GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object))) {
            begin = std::min(begin, first_field(GMIME_OBJECT(inner)));
            if (GMimeObject* part = g_mime_message_get_mime_part(inner))
                begin = std::min(begin, first_field(part));
        }
        if (begin == message_.size()) {
            fail(Kind::structure, "a message within the message has no header");
            return {};
        }
        auto end = message_.size();
        for (const std::string& boundary : boundaries_)
            end = std::min(end, message_.find(boundary, begin));
        return std::string(message_.substr(begin, end - begin));
    }

    [[nodiscard]] std::size_t first_field(GMimeObject* object) const {
        GMimeHeaderList* list = g_mime_object_get_header_list(object);
        if (g_mime_header_list_get_count(list) == 0) return message_.size();
        const gint64 offset = g_mime_header_get_offset(g_mime_header_list_get_header_at(list, 0));
        return offset < 0 ? message_.size() : static_cast<std::size_t>(offset);
    }

    std::string_view message_;
    MimeContent& content_;
    std::vector<std::string> boundaries_;  ///< of all multiparts around a part, with CRLF--
    std::vector<Wish> wishes_;             ///< one an attachment
    std::size_t parts_ = 0;
    bool shown_before_ = false;
    std::optional<MimeObstacle> failure_;
};

}  // namespace

std::optional<MimeObstacle> read_parts(GMimeObject* top, std::string_view message,
                                       MimeContent& content) {
    return PartReader(message, content).run(top);
}

}  // namespace outpost::message

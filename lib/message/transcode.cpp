#include "message/transcode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "message/gmime_object.hpp"
#include "message/header_reader.hpp"

/// GMime finds the parts and encodes them; the octets of everything else are taken from the input,
/// not from GMime's own serialisation, so that they stay exactly as they were.
namespace outpost::message {

namespace {

constexpr const char* encoding_field = "Content-Transfer-Encoding";

/// Octets of the input that are replaced.
struct Edit {
    std::size_t offset = 0;
    std::size_t size = 0;
    std::string text;
};

std::string encoded(std::string_view octets, GMimeContentEncoding encoding) {
    GMimeEncoding state;
    g_mime_encoding_init_encode(&state, encoding);
    std::string raw(g_mime_encoding_outlen(&state, octets.size()), '\0');
    raw.resize(g_mime_encoding_flush(&state, octets.data(), octets.size(), raw.data()));
    std::string out;
    out.reserve(raw.size() + raw.size() / 32);
    for (const char c : raw) {  // GMime ends lines with LF
        if (c == '\n') out.push_back('\r');
        out.push_back(c);
    }
    return out;
}

/// Walks the parts of one message and collects the edits that make it 7-bit.
class Recoder {
  public:
    explicit Recoder(std::string_view message) : message_(message) {}

    std::expected<std::string, TranscodeFailure> run() {
        const Owned<GMimeStream> stream(
            g_mime_stream_mem_new_with_buffer(message_.data(), message_.size()));
        const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
        g_mime_parser_set_format(parser.get(), GMIME_FORMAT_MESSAGE);
        const Owned<GMimeMessage> message(g_mime_parser_construct_message(parser.get(), nullptr));
        GMimeObject* top = message ? g_mime_message_get_mime_part(message.get()) : nullptr;
        if (top == nullptr) return failure("the message has no body that MIME can describe");
        declare_mime(top);
        visit(top);
        std::ranges::sort(edits_, {}, [](const Edit& e) { return std::pair(e.offset, e.size); });
        if (overlapping()) fail(TranscodeFailure::Kind::impossible, "its parts overlap");
        if (failure_) return std::unexpected(std::move(*failure_));
        std::string out = spliced();
        if (has_eight_bit(std::string_view(out).substr(read_header(out).body_offset)))
            return failure("8-bit octets stand outside of the body parts or in their headers");
        return out;
    }

  private:
    std::unexpected<TranscodeFailure> failure(std::string_view what) const {
        return std::unexpected(TranscodeFailure{
            TranscodeFailure::Kind::impossible,
            fmt::format("cannot be re-encoded for a server without 8BITMIME: {}", what)});
    }
    void fail(TranscodeFailure::Kind kind, std::string text) {
        if (!failure_) failure_ = TranscodeFailure{kind, std::move(text)};
    }

    /// A message that does not say that it is MIME must, once a part of it is encoded.
    void declare_mime(GMimeObject* top) {
        const HeaderSection header = read_header(message_);
        std::string fields;
        if (header.count(FieldKind::mime_version) == 0) fields += "MIME-Version: 1.0\r\n";
        if (header.count(FieldKind::content_type) == 0 && GMIME_IS_PART(top))
            fields += fmt::format(
                "Content-Type: text/plain; charset={}\r\n",
                base::is_utf8(message_.substr(header.body_offset)) ? "utf-8" : "unknown-8bit");
        if (!fields.empty()) edits_.push_back({header.end, 0, std::move(fields)});
    }

    void visit(GMimeObject* object) {
        if (failure_) return;
        if (GMIME_IS_MULTIPART(object)) {
            visit_multipart(object);
        } else if (GMIME_IS_MESSAGE_PART(object)) {
            GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
            if (inner == nullptr) return;
            relabel_container(object);
            if (GMimeObject* part = g_mime_message_get_mime_part(inner)) visit(part);
        } else if (GMIME_IS_PART(object)) {
            visit_leaf(object);
        }
    }

    void visit_multipart(GMimeObject* object) {
        const bool was_signed = std::exchange(
            in_signed_,
            in_signed_ || g_mime_content_type_is_type(g_mime_object_get_content_type(object),
                                                      "multipart", "signed"));
        relabel_container(object);
        GMimeMultipart* multipart = GMIME_MULTIPART(object);
        for (int i = 0; i < g_mime_multipart_get_count(multipart); ++i)
            visit(g_mime_multipart_get_part(multipart, i));
        in_signed_ = was_signed;
    }

    void visit_leaf(GMimeObject* object) {
        GMimeDataWrapper* content = g_mime_part_get_content(GMIME_PART(object));
        GMimeStream* stream = content ? g_mime_data_wrapper_get_stream(content) : nullptr;
        if (stream == nullptr) return;
        const auto begin = static_cast<std::size_t>(stream->bound_start);
        const auto length = static_cast<std::size_t>(g_mime_stream_length(stream));
        if (begin > message_.size() || length > message_.size() - begin)
            return fail(TranscodeFailure::Kind::impossible, "a part lies outside of the message");
        const std::string_view octets = message_.substr(begin, length);
        const GMimeContentEncoding declared = g_mime_part_get_content_encoding(GMIME_PART(object));
        if (!has_eight_bit(octets)) {
            // A server without 8BITMIME need not know the word `8bit`.
            relabel_container(object);
            return;
        }
        if (!may_encode(object, declared)) return;
        const GMimeContentEncoding encoding =
            declared == GMIME_CONTENT_ENCODING_BINARY
                ? GMIME_CONTENT_ENCODING_BASE64
                : g_mime_part_get_best_content_encoding(GMIME_PART(object),
                                                        GMIME_ENCODING_CONSTRAINT_7BIT);
        const bool base64 = encoding == GMIME_CONTENT_ENCODING_BASE64;
        if (!relabel(object, base64 ? "base64" : "quoted-printable")) insert_label(begin, base64);
        edits_.push_back({begin, length,
                          encoded(octets, base64 ? GMIME_CONTENT_ENCODING_BASE64
                                                 : GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE)});
    }

    bool may_encode(GMimeObject* object, GMimeContentEncoding declared) {
        constexpr auto impossible = TranscodeFailure::Kind::impossible;
        if (in_signed_) {
            fail(TranscodeFailure::Kind::signed_content,
                 "a signed part has 8-bit octets and the server lacks 8BITMIME: re-encoding would "
                 "break the signature; sign in quoted-printable or base64");
        } else if (declared != GMIME_CONTENT_ENCODING_DEFAULT &&
                   declared != GMIME_CONTENT_ENCODING_7BIT &&
                   declared != GMIME_CONTENT_ENCODING_8BIT &&
                   declared != GMIME_CONTENT_ENCODING_BINARY) {
            fail(impossible, "a part that is declared as encoded has 8-bit octets");
        } else if (const GMimeContentType* type = g_mime_object_get_content_type(object);
                   g_mime_content_type_is_type(const_cast<GMimeContentType*>(type), "message",
                                               "*") &&
                   !std::string_view(
                        g_mime_content_type_get_media_subtype(const_cast<GMimeContentType*>(type)))
                        .starts_with("global")) {
            // RFC 2046 section 5.2: other message types must not be encoded.
            fail(impossible, "a message part that may not be encoded has 8-bit octets");
        }
        return !failure_;
    }

    /// `8bit` and `binary` become `7bit` on what holds no 8-bit octets of its own.
    void relabel_container(GMimeObject* object) {
        const char* value = g_mime_object_get_header(object, encoding_field);
        if (value == nullptr) return;
        const GMimeContentEncoding declared = g_mime_content_encoding_from_string(value);
        if (declared == GMIME_CONTENT_ENCODING_8BIT || declared == GMIME_CONTENT_ENCODING_BINARY)
            relabel(object, "7bit");
    }

    /// Replaces a part's Content-Transfer-Encoding field; false if it has none.
    bool relabel(GMimeObject* object, std::string_view encoding) {
        GMimeHeader* header =
            g_mime_header_list_get_header(g_mime_object_get_header_list(object), encoding_field);
        if (header == nullptr) return false;
        const gint64 offset = g_mime_header_get_offset(header);
        if (offset < 0 || static_cast<std::size_t>(offset) >= message_.size()) return false;
        const HeaderSection found = read_header(message_.substr(static_cast<std::size_t>(offset)));
        if (found.fields.empty() || !base::iequals(found.fields.front().name, encoding_field)) {
            fail(TranscodeFailure::Kind::impossible, "a part's header section is malformed");
            return false;
        }
        edits_.push_back({static_cast<std::size_t>(offset), found.fields.front().size,
                          fmt::format("{}: {}\r\n", encoding_field, encoding)});
        return true;
    }

    /// A label for a part without one, in front of the empty line before its content.
    void insert_label(std::size_t content, bool base64) {
        if (content < 2 || message_.substr(content - 2, 2) != "\r\n")
            return fail(TranscodeFailure::Kind::impossible,
                        "a part has no empty line before its content");
        edits_.push_back(
            {content - 2, 0,
             fmt::format("{}: {}\r\n", encoding_field, base64 ? "base64" : "quoted-printable")});
    }

    [[nodiscard]] bool overlapping() const noexcept {
        return std::ranges::adjacent_find(edits_, [](const Edit& a, const Edit& b) {
                   return a.offset + a.size > b.offset;
               }) != edits_.end();
    }

    [[nodiscard]] std::string spliced() const {
        std::string out;
        out.reserve(message_.size() + message_.size() / 2);
        std::size_t from = 0;
        for (const Edit& edit : edits_) {
            out.append(message_.substr(from, edit.offset - from)).append(edit.text);
            from = edit.offset + edit.size;
        }
        return out.append(message_.substr(from));
    }

    std::string_view message_;
    std::vector<Edit> edits_;
    std::optional<TranscodeFailure> failure_;
    bool in_signed_ = false;
};

}  // namespace

bool has_eight_bit(std::string_view octets) noexcept {
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    constexpr std::size_t block = 64;
    const char* at = octets.data();
    std::size_t left = octets.size();
    for (; left >= block; at += block, left -= block) {
        std::array<std::uint64_t, block / sizeof(std::uint64_t)> words{};
        std::memcpy(words.data(), at, block);
        std::uint64_t all = 0;
        for (const std::uint64_t word : words) all |= word;
        if ((all & high_bits) != 0) return true;
    }
    return !base::is_ascii({at, left});
}

std::expected<std::string, TranscodeFailure> to_seven_bit(std::string_view message) {
    const HeaderSection header = read_header(message);
    if (!has_eight_bit(message.substr(header.body_offset))) return std::string(message);
    if (header.count(FieldKind::dkim_signature) > 0)
        return std::unexpected(TranscodeFailure{
            TranscodeFailure::Kind::signed_content,
            "the message is DKIM-signed with 8-bit content and the server lacks 8BITMIME: "
            "re-encoding would break the signature; sign in quoted-printable or base64"});
    initialize_gmime();
    return Recoder(message).run();
}

}  // namespace outpost::message

#include "message/mime_content.hpp"

#include "message/mime_parts.hpp"

namespace outpost::message {

std::expected<MimeContent, MimeObstacle> take_apart(std::string_view message) {
    const HeaderSection header = read_header(message);
    if (header.problem)
        return std::unexpected(MimeObstacle{MimeObstacle::Kind::header, header.problem->text});
    if (header.count(FieldKind::content_type) > 1)
        return std::unexpected(MimeObstacle{MimeObstacle::Kind::structure,
                                            "field Content-Type stands more than once"});
    initialize_gmime();
    MimeContent content;
    if (auto obstacle = read_fields(header, content)) return std::unexpected(std::move(*obstacle));
    const Owned<GMimeStream> stream(
        g_mime_stream_mem_new_with_buffer(message.data(), message.size()));
    const Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    g_mime_parser_set_format(parser.get(), GMIME_FORMAT_MESSAGE);
    const Owned<GMimeMessage> parsed(g_mime_parser_construct_message(parser.get(), nullptr));
    GMimeObject* top = parsed ? g_mime_message_get_mime_part(parsed.get()) : nullptr;
    if (top == nullptr)
        return std::unexpected(MimeObstacle{MimeObstacle::Kind::structure,
                                            "the message has no body that MIME can describe"});
    if (auto obstacle = read_parts(top, message, content))
        return std::unexpected(std::move(*obstacle));
    return content;
}

}  // namespace outpost::message

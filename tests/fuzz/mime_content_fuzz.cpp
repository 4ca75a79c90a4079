// links: message
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.hpp"
#include "message/header_edit.hpp"
#include "message/mime_content.hpp"

using namespace outpost;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

void check(const message::MimeContent& content) {
    const auto sound = [](std::string_view text) {
        require(base::is_utf8(text));
        require(text.find_first_of("\r\n") == std::string_view::npos);
    };
    require(content.text || content.html);
    sound(content.subject);
    for (const auto& [name, value] : content.headers) {
        sound(name);
        sound(value);
    }
    for (const auto* list : {&content.from, &content.to, &content.cc, &content.reply_to})
        for (const auto& [name, address] : *list) {
            sound(name);
            sound(address);
        }
    for (const auto* text : {&content.text, &content.html, &content.calendar})
        require(!*text || base::is_utf8(**text));
    for (const auto& attachment : content.attachments) {
        sound(attachment.filename);
        sound(attachment.content_id);
        require(!attachment.filename.empty());
    }
}

/// What is set is one field, whatever octets it has.
void edit(std::string_view text) {
    const auto section = message::read_header(text);
    const auto value = text.substr(section.body_offset, 2000);
    const message::HeaderEdit changes{
        .drop = [](std::string_view name) { return name.size() % 2 == 1; },
        .set = {{"From", std::string(value)}, {"X-Test", std::string(value)}}};
    const std::string edited = message::edit_header(text, section, changes);
    const auto read = message::read_header(edited);
    if (section.problem) return;
    require(read.has_empty_line() && read.body_offset == edited.size());
    require(read.count(message::FieldKind::from) == 1);
    std::size_t kept = 0;
    for (const auto& field : section.fields) {
        const bool replaced =
            field.kind == message::FieldKind::from || base::iequals(field.name, "X-Test");
        if (!replaced && field.name.size() % 2 == 0) ++kept;
    }
    require(read.fields.size() == kept + 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto content = message::take_apart(text);
    if (content)
        check(*content);
    else
        require(!content.error().text.empty());
    edit(text);
    return 0;
}

#include <gmime/gmime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "message/mime_content.hpp"

/// Messages that GMime makes of random content come apart into the same content.
namespace outpost::message {
namespace {

class Generator {
  public:
    explicit Generator(unsigned seed) : random_(seed) {}

    bool chance() { return number(2) == 0; }
    std::size_t number(std::size_t below) { return random_() % below; }

    std::string octets(std::size_t most) {
        std::string out(number(most), '\0');
        for (char& c : out) c = static_cast<char>(number(256));
        return out;
    }

    /// Lines of words in many scripts, with what encoders find hard.
    std::string text() {
        static constexpr std::array words{"plain", "Grüße",     "日本語", "=3D",  "x=",  ".",
                                          "From ", "trailing ", "\t",     "🙂",   "--b", "{{x}}",
                                          "ελ",    "a\"b\\c",   "<p>",    "%40@", "",    "שלום"};
        std::string out;
        for (std::size_t i = number(30); i > 0; --i) {
            for (std::size_t k = number(20); k > 0; --k)
                out.append(words[number(words.size())]).append(k % 2 == 0 ? "" : " ");
            out += "\r\n";
        }
        return out;
    }

    std::string name() {
        static constexpr std::array words{"Bericht", "für", "März", "日本", "a b",
                                          "\"q\"",   "x;y", "🙂",   "100%", "it's"};
        std::string out;
        for (std::size_t k = number(9) + 1; k > 0; --k) out += words[number(words.size())];
        return out + ".bin";
    }

  private:
    std::mt19937 random_;
};

GMimeObject* text_part(Generator& random, const char* subtype, const std::string& text,
                       const char* charset = "utf-8") {
    static constexpr std::array encodings{GMIME_CONTENT_ENCODING_BASE64,
                                          GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE,
                                          GMIME_CONTENT_ENCODING_8BIT};
    GMimePart* part = g_mime_part_new_with_type("text", subtype);
    g_mime_object_set_content_type_parameter(GMIME_OBJECT(part), "charset", charset);
    GMimeStream* stream = g_mime_stream_mem_new_with_buffer(text.data(), text.size());
    GMimeDataWrapper* wrapper =
        g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
    g_mime_part_set_content(part, wrapper);
    g_mime_part_set_content_encoding(part, encodings[random.number(encodings.size())]);
    g_object_unref(wrapper);
    g_object_unref(stream);
    return GMIME_OBJECT(part);
}

GMimeObject* file_part(const MimeAttachment& attachment) {
    const auto slash = attachment.content_type.find('/');
    GMimePart* part = g_mime_part_new_with_type(attachment.content_type.substr(0, slash).c_str(),
                                                attachment.content_type.substr(slash + 1).c_str());
    GMimeStream* stream =
        g_mime_stream_mem_new_with_buffer(attachment.content.data(), attachment.content.size());
    GMimeDataWrapper* wrapper =
        g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
    g_mime_part_set_content(part, wrapper);
    g_mime_part_set_content_encoding(part, GMIME_CONTENT_ENCODING_BASE64);
    g_mime_object_set_disposition(GMIME_OBJECT(part),
                                  attachment.is_inline ? "inline" : "attachment");
    g_mime_part_set_filename(part, attachment.filename.c_str());
    if (!attachment.content_id.empty())
        g_mime_part_set_content_id(part, attachment.content_id.c_str());
    g_object_unref(wrapper);
    g_object_unref(stream);
    return GMIME_OBJECT(part);
}

GMimeObject* joined(const char* subtype, std::initializer_list<GMimeObject*> parts) {
    GMimeMultipart* multipart = g_mime_multipart_new_with_subtype(subtype);
    for (GMimeObject* part : parts) {
        g_mime_multipart_add(multipart, part);
        g_object_unref(part);
    }
    return GMIME_OBJECT(multipart);
}

std::string serialised(GMimeObject* body, const MimeContent& content) {
    GMimeMessage* message = g_mime_message_new(FALSE);
    g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_FROM, content.from.front().name.c_str(),
                               content.from.front().address.c_str());
    for (const auto& to : content.to)
        g_mime_message_add_mailbox(message, GMIME_ADDRESS_TYPE_TO, to.name.c_str(),
                                   to.address.c_str());
    g_mime_message_set_subject(message, content.subject.c_str(), "utf-8");
    g_mime_message_set_mime_part(message, body);
    g_object_unref(body);
    GMimeFormatOptions* format = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(format, GMIME_NEWLINE_FORMAT_DOS);
    GMimeStream* out = g_mime_stream_mem_new();
    g_mime_object_write_to_stream(GMIME_OBJECT(message), format, out);
    const GByteArray* octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
    std::string text(reinterpret_cast<const char*>(octets->data), octets->len);
    g_object_unref(out);
    g_mime_format_options_free(format);
    g_object_unref(message);
    return text;
}

/// Content, and the message that says it in one of the usual shapes.
std::string make(Generator& random, MimeContent& content) {
    content.from = {{random.name(), "from@example.com"}};
    content.to = {{random.name(), "to@example.net"}, {"", "second@example.org"}};
    content.subject = random.name() + " " + random.name();
    const bool with_html = random.chance();
    if (!with_html || random.chance()) content.text = random.text();
    GMimeObject* body = content.text ? text_part(random, "plain", *content.text) : nullptr;
    if (with_html) {
        MimeAttachment image{"image/png",         {},   random.name(),
                             "img.1@example.com", true, random.octets(3000)};
        const bool with_image = random.chance();
        content.html =
            random.text() + (with_image ? "<img src=\"cid:img.1@example.com\">\r\n" : "");
        GMimeObject* html = text_part(random, "html", *content.html);
        if (with_image) {
            html = joined("related", {html, file_part(image)});
            content.attachments.push_back(std::move(image));
        }
        body = body != nullptr ? joined("alternative", {body, html}) : html;
    }
    for (std::size_t i = random.number(4); i > 0; --i) {
        MimeAttachment file{"application/x-data", {}, random.name(), {}, false,
                            random.octets(5000)};
        body = joined("mixed", {body, file_part(file)});
        content.attachments.push_back(std::move(file));
    }
    return serialised(body, content);
}

TEST(TakeApart, GivesBackWhatGmimePutTogether) {
    g_mime_init();
    Generator random(20240101);
    for (int i = 0; i < 500; ++i) {
        MimeContent expected;
        const std::string message = make(random, expected);
        const auto content = take_apart(message);
        ASSERT_TRUE(content) << content.error().text << "\n" << message;
        ASSERT_EQ(content->text, expected.text) << message;
        ASSERT_EQ(content->html, expected.html) << message;
        ASSERT_EQ(content->subject, expected.subject) << message;
        ASSERT_EQ(content->from, expected.from) << message;
        ASSERT_EQ(content->to, expected.to) << message;
        ASSERT_EQ(content->attachments.size(), expected.attachments.size()) << message;
        for (std::size_t k = 0; k < expected.attachments.size(); ++k) {
            const auto& got = content->attachments[k];
            const auto& wanted = expected.attachments[k];
            ASSERT_EQ(got.content, wanted.content) << message;
            ASSERT_EQ(got.filename, wanted.filename) << message;
            ASSERT_EQ(got.content_type, wanted.content_type) << message;
            ASSERT_EQ(got.content_id, wanted.content_id) << message;
            ASSERT_EQ(got.is_inline, wanted.is_inline) << message;
        }
    }
}

}  // namespace
}  // namespace outpost::message

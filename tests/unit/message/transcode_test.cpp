#include "message/transcode.hpp"

#include <gmime/gmime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "message/header_reader.hpp"

namespace outpost::message {
namespace {

using testing::HasSubstr;
using Kind = TranscodeFailure::Kind;

constexpr std::string_view umlauts =
    "Gr\xc3\xbc\xc3\x9f"
    "e";

/// The decoded content of the only part of a message.
std::string decoded(const std::string& message) {
    g_mime_init();
    GMimeStream* in = g_mime_stream_mem_new_with_buffer(message.data(), message.size());
    GMimeParser* parser = g_mime_parser_new_with_stream(in);
    GMimeMessage* parsed = g_mime_parser_construct_message(parser, nullptr);
    GMimeStream* out = g_mime_stream_mem_new();
    g_mime_data_wrapper_write_to_stream(
        g_mime_part_get_content(GMIME_PART(g_mime_message_get_mime_part(parsed))), out);
    const GByteArray* octets = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(out));
    std::string text(reinterpret_cast<const char*>(octets->data), octets->len);
    g_object_unref(out);
    g_object_unref(parsed);
    g_object_unref(parser);
    g_object_unref(in);
    return text;
}

std::string seven_bit(const std::string& message) {
    const auto result = to_seven_bit(message);
    EXPECT_TRUE(result) << result.error().text;
    if (!result) return {};
    EXPECT_FALSE(has_eight_bit(std::string_view(*result).substr(read_header(*result).body_offset)));
    return *result;
}

TEST(EightBit, IsFoundAtEveryPlace) {
    for (std::size_t size : {0, 1, 63, 64, 65, 200}) {
        std::string text(size, 'x');
        EXPECT_FALSE(has_eight_bit(text));
        for (std::size_t i = 0; i < size; ++i) {
            text[i] = '\x80';
            EXPECT_TRUE(has_eight_bit(text)) << i << " of " << size;
            text[i] = 'x';
        }
    }
}

TEST(Transcode, LeavesSevenBitMessagesAlone) {
    const std::string message = "From: a@b.example\r\n\r\nplain\r\n";
    EXPECT_EQ(seven_bit(message), message);
}

TEST(Transcode, LeavesTheHeaderToSmtputf8) {
    const std::string message = "Subject: \xc3\xbc\r\n\r\nplain\r\n";
    EXPECT_EQ(seven_bit(message), message);
}

TEST(Transcode, EncodesTextAsQuotedPrintable) {
    const std::string body = std::string(umlauts) +
                             " = a line with trailing blank \r\n\r\n.\r\n..dots\r\n" +
                             std::string(990, 'x') + "\r\nlast";
    const std::string head =
        "From:  a@b.example\r\nX-Odd:\t z\r\n  y\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n";
    const std::string result =
        seven_bit(head + "Content-Transfer-Encoding: 8bit\r\nX-Last: 1\r\n\r\n" + body);
    EXPECT_THAT(result, testing::StartsWith(
                            head + "Content-Transfer-Encoding: quoted-printable\r\nX-Last: 1\r\n"
                                   "\r\nGr=C3=BC=C3=9Fe =3D a line with trailing blank=20\r\n"));
    EXPECT_EQ(decoded(result), body);
}

TEST(Transcode, EncodesMostlyForeignTextAsBase64) {
    std::string body;
    for (int i = 0; i < 100; ++i) body += "\xd0\x96\xd0\x97";
    body += "\r\n";
    const std::string result =
        seven_bit("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + body);
    EXPECT_THAT(result, HasSubstr("Content-Transfer-Encoding: base64\r\n\r\n"));
    EXPECT_EQ(decoded(result), body);
}

TEST(Transcode, DeclaresMimeWhereTheMessageDoesNot) {
    EXPECT_THAT(seven_bit("From: a@b.example\r\n\r\nJust some text, " + std::string(umlauts) +
                          ", and on it goes for a while\r\n"),
                HasSubstr("From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
                          "charset=utf-8\r\nContent-Transfer-Encoding: "));
    EXPECT_THAT(seven_bit("From: a@b.example\r\n\r\nlatin \xe4\r\n"),
                HasSubstr("charset=unknown-8bit"));
}

std::string multipart(std::string_view type, std::string_view part) {
    std::string message = "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/";
    message.append(type).append("; boundary=\"b b\"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
    message.append("before\r\n--b b\r\nContent-Type: text/plain\r\nX-Kept :  yes\r\n\r\n");
    message.append("ascii \r\n--b b\r\n").append(part).append("\r\n--b b--\r\nafter\r\n");
    return message;
}

TEST(Transcode, EncodesOnlyThePartsThatNeedIt) {
    const std::string result =
        seven_bit(multipart("mixed",
                            "Content-Type: text/plain; charset=utf-8\r\n\r\nA longer line of text, "
                            "\xc3\xbc, and its end"));
    EXPECT_EQ(result,
              "From: a@b.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
              "boundary=\"b b\"\r\nContent-Transfer-Encoding: 7bit\r\n\r\nbefore\r\n--b b\r\n"
              "Content-Type: text/plain\r\nX-Kept :  yes\r\n\r\nascii \r\n--b b\r\nContent-Type: "
              "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
              "A longer line of text, =C3=BC, and its end\r\n--b b--\r\nafter\r\n");
}

TEST(Transcode, EncodesInsideAttachedMessages) {
    const std::string result = seven_bit(multipart(
        "mixed",
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: inner\r\n"
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        "\xff\xfe\xfd"));
    EXPECT_THAT(result, HasSubstr("message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
                                  "Subject: inner\r\nContent-Type: application/octet-stream\r\n"
                                  "Content-Transfer-Encoding: base64\r\n\r\n//79\r\n"));
}

TEST(Transcode, RefusesSignedParts) {
    const auto result = to_seven_bit(multipart(
        "signed", "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n\xc3\xbc\r\n--c--"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, Kind::signed_content);
    EXPECT_THAT(result.error().text, HasSubstr("signature"));
}

TEST(Transcode, TakesSignedPartsThatAreSevenBitBesideOthersThatAreNot) {
    const std::string inner =
        "Content-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\nascii\r\n--c--\r\n--b b\r\n"
        "Content-Type: text/plain\r\n\r\n\xc3\xbc";
    EXPECT_THAT(seven_bit(multipart("mixed", inner)), HasSubstr("--c\r\n\r\nascii\r\n--c--\r\n"));
}

TEST(Transcode, RefusesDkimSignedMessagesWithEightBitBodies) {
    const std::string head = "DKIM-Signature: v=1; d=b.example\r\nFrom: a@b.example\r\n\r\n";
    const auto result = to_seven_bit(head + "\xc3\xbc\r\n");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().kind, Kind::signed_content);
    EXPECT_EQ(seven_bit(head + "ascii\r\n"), head + "ascii\r\n");
}

TEST(Transcode, RefusesWhatNoEncodingCanCarry) {
    for (const std::string_view part :
         {"Content-Type: message/delivery-status\r\n\r\nX: \xc3\xbc",
          "Content-Type: text/plain; name=\"\xc3\xbc\"\r\n\r\nascii",
          "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n\xc3\xbc"}) {
        const auto result = to_seven_bit(multipart("mixed", part));
        ASSERT_FALSE(result) << part;
        EXPECT_EQ(result.error().kind, Kind::impossible);
    }
}

TEST(Transcode, WorksOnSeveralThreadsAtOnce) {
    const std::string message = multipart("mixed", "\r\n\xc3\xbc and much more plain text");
    const std::string expected = seven_bit(message);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int n = 0; n < 50; ++n) EXPECT_EQ(to_seven_bit(message), expected);
        });
    for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace outpost::message

#include "message/header_edit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.hpp"
#include "message/mime_content.hpp"
#include "message/mime_messages.hpp"

namespace outpost::message {
namespace {

const std::string message = crlf(R"(
Received: from a
	by b
From: Old <old@example.com>
X-SES-Tag : one
Subject:  odd
   fold
From: Second <second@example.com>

body
)");

std::string edited(const HeaderEdit& edit, const std::string& text = message) {
    return edit_header(text, read_header(text), edit);
}

TEST(HeaderEdit, LeavesUntouchedFieldsOctetForOctet) {
    EXPECT_EQ(edited({}), message.substr(0, message.size() - 6));
    EXPECT_EQ(edited({.drop = [](auto name) { return name == "X-SES-Tag"; }, .set = {}}), crlf(R"(
Received: from a
	by b
From: Old <old@example.com>
Subject:  odd
   fold
From: Second <second@example.com>

)"));
}

TEST(HeaderEdit, ReplacesWhereTheFirstStoodAndAppendsTheRest) {
    EXPECT_EQ(
        edited({.drop = {}, .set = {{"from", "new@example.com"}, {"Reply-To", "r@b.example"}}}),
        crlf(R"(
Received: from a
	by b
from: new@example.com
X-SES-Tag : one
Subject:  odd
   fold
Reply-To: r@b.example

)"));
}

TEST(HeaderEdit, SetsWhatItAlsoDrops) {
    EXPECT_THAT(edited({.drop = [](auto) { return true; }, .set = {{"Subject", "new"}}}),
                "Subject: new\r\n\r\n");
}

TEST(HeaderEdit, EndsTheSectionOfAMessageWithoutBody) {
    EXPECT_EQ(edited({.drop = {}, .set = {{"B", "2"}}}, "A: 1\r\n"), "A: 1\r\nB: 2\r\n\r\n");
    EXPECT_EQ(edited({.drop = {}, .set = {{"B", "2"}}}, "A: 1"), "A: 1\r\nB: 2\r\n\r\n");
    EXPECT_EQ(edited({.drop = {}, .set = {{"B", ""}}}, ""), "B:\r\n\r\n");
}

TEST(HeaderEdit, NeverLetsAValueOrNameMakeAField) {
    const std::string out = edited({.drop = {},
                                    .set = {{"X-A", "a\r\nBcc: eve@example.com"},
                                            {"X-B", "b\r\n\r\nbody"},
                                            {"X-C", std::string("c\0d\x7f", 4)},
                                            {"Bad Name", "x"},
                                            {"Bad:", "x"},
                                            {"Bad\r\nBcc", "x"},
                                            {"", "x"}}},
                                   "A: 1\r\n\r\n");
    EXPECT_EQ(out, "A: 1\r\nX-A: a  Bcc: eve@example.com\r\nX-B: b    body\r\nX-C: c d\r\n\r\n");
}

TEST(HeaderEdit, EncodesNamesButNotAddresses) {
    const std::string out =
        edited({.drop = {},
                .set = {{"From", "Jürgen Müller <juergen@example.com>, \"A, B\" <b@example.com>"}}},
               "Subject: x\r\n\r\n");
    EXPECT_TRUE(base::is_ascii(out)) << out;
    EXPECT_THAT(out, testing::HasSubstr(" <juergen@example.com>, \"A, B\"\r\n <b@example.com>"));
    const std::string single = edited(
        {.drop = {}, .set = {{"From", "Jürgen \"J=ab\" Müller <juergen@example.com>"}}}, "\r\n");
    const auto content = take_apart(single);
    ASSERT_TRUE(content) << content.error().text << single;
    EXPECT_EQ(content->from.front().address, "juergen@example.com");
    EXPECT_EQ(content->from.front().name, "Jürgen J=ab Müller");
}

TEST(HeaderEdit, SplitsLongNamesBetweenCharacters) {
    std::string name;
    for (int i = 0; i < 40; ++i) name += i % 3 == 0 ? "日本" : "aé";
    const std::string out = edited(
        {.drop = {}, .set = {{"Reply-To", name + " <a@example.com>, b@example.com"}}}, "\r\n");
    EXPECT_TRUE(base::is_ascii(out)) << out;
    const auto content = take_apart(out);
    ASSERT_TRUE(content) << content.error().text << out;
    ASSERT_EQ(content->reply_to.size(), 2U);
    EXPECT_EQ(content->reply_to[0].name, name);
}

TEST(HeaderEdit, EncodesTextAndFoldsIt) {
    std::string subject;
    for (int i = 0; i < 30; ++i) subject += "Straße Nummer " + std::to_string(i) + ", ";
    subject += "Ende";
    const std::string out = edited({.drop = {}, .set = {{"Subject", subject}}}, "\r\n");
    EXPECT_TRUE(base::is_ascii(out));
    for (std::size_t at = 0; at < out.size();) {
        const auto end = out.find("\r\n", at);
        ASSERT_NE(end, std::string::npos);
        EXPECT_LE(end - at, 78U) << out.substr(at, end - at);
        at = end + 2;
    }
    const auto content = take_apart(out);
    ASSERT_TRUE(content);
    EXPECT_EQ(content->subject, subject);
}

TEST(HeaderEdit, FoldsAtWhiteSpaceOnly) {
    const std::string word(100, 'x');
    EXPECT_EQ(edited({.drop = {}, .set = {{"X", word + " " + word}}}, "\r\n"),
              "X: " + word + "\r\n " + word + "\r\n\r\n");
    EXPECT_EQ(edited({.drop = {}, .set = {{"X", " a\t  b "}}}, "\r\n"), "X: a\t  b\r\n\r\n");
}

TEST(HeaderEdit, LeavesInternationalAddressesInUtf8) {
    EXPECT_EQ(edited({.drop = {}, .set = {{"To", "not a list ü"}}}, "\r\n"),
              "To: not a list ü\r\n\r\n");
    const std::string out = edited({.drop = {}, .set = {{"To", "Ü <grün@example.com>"}}}, "\r\n");
    EXPECT_THAT(out, testing::HasSubstr("<grün@example.com>"));
}

TEST(ProviderControl, IsKnownInAnyCase) {
    for (const char* name : {"X-SES-Configuration-Set", "x-mc-track", "X-Mailgun-Tag", "X-SMTPAPI",
                             "X-MSYS-API", "X-MJ-CustomID", "X-Mailjet-Campaign", "X-PM-Tag",
                             "X-SIB-API", "X-Mailin-Custom", "X-Smtp2go-Track"})
        EXPECT_TRUE(is_provider_control(name)) << name;
    for (const char* name : {"X-SES", "X-Mailer", "Subject", "X-MCx", "X-SMTPAPI-More", ""})
        EXPECT_FALSE(is_provider_control(name)) << name;
}

}  // namespace
}  // namespace outpost::message

#include "message/mime_decoding.hpp"

#include <gtest/gtest.h>

namespace outpost::message {
namespace {

TEST(ToUtf8, KnowsCharsetsInAnyCase) {
    EXPECT_EQ(to_utf8("gr\xfcn", "ISO-8859-1"), "grün");
    EXPECT_EQ(to_utf8("5 \x80", "windows-1252"), "5 €");
    EXPECT_EQ(to_utf8("\xa4", "iso-8859-15"), "€");
    EXPECT_EQ(to_utf8("\x82\xa0", "Shift_JIS"), "あ");
    EXPECT_EQ(to_utf8("\xc4\xe3", "GB2312"), "你");
    EXPECT_EQ(to_utf8(std::string("\xfe\xff\0a", 4), "utf-16"), "a");
    EXPECT_EQ(to_utf8("grün", "UTF-8"), "grün");
    EXPECT_EQ(to_utf8("", "koi8-r"), "");
    EXPECT_EQ(to_utf8(std::string(100000, '\xe4'), "iso-8859-1")->size(), 200000U);
}

TEST(ToUtf8, GivesNothingForWhatItCannotDecode) {
    EXPECT_FALSE(to_utf8("x", "x-nobody-knows"));
    EXPECT_FALSE(to_utf8("x", "unknown-8bit"));
    EXPECT_FALSE(to_utf8("x", "x-unknown"));
    EXPECT_FALSE(to_utf8("\xfc", "utf-8"));
    EXPECT_FALSE(to_utf8("\xed\xa0\x80", "utf-8"));
    EXPECT_FALSE(to_utf8("\xfc", "us-ascii"));
    EXPECT_FALSE(to_utf8("\xfc", ""));
    EXPECT_FALSE(to_utf8("\x82", "shift_jis"));
    EXPECT_FALSE(to_utf8("\x1b$B$", "iso-2022-jp"));
}

TEST(Base64, MayLackItsPaddingOnly) {
    EXPECT_EQ(decode_base64("SGVs\r\nbG8=\r\n"), "Hello");
    EXPECT_EQ(decode_base64(" SGVsbG8 "), "Hello");
    EXPECT_EQ(decode_base64(""), "");
    EXPECT_FALSE(decode_base64("SGVsbG8!"));
    EXPECT_FALSE(decode_base64("SGVsb"));
    EXPECT_FALSE(decode_base64("SGVsbG8=SGVsbG8="));
}

TEST(QuotedPrintable, IsDecoded) {
    EXPECT_EQ(decode_quoted_printable("a=3Db=e4=\r\nc  \r\nd=20\r\n"),
              "a=b\xe4"
              "c\r\nd \r\n");
    EXPECT_EQ(decode_quoted_printable("soft= \r\nline"), "softline");
    EXPECT_EQ(decode_quoted_printable("end="), "end");
    EXPECT_EQ(decode_quoted_printable(""), "");
    EXPECT_FALSE(decode_quoted_printable("a=ZZ"));
    EXPECT_FALSE(decode_quoted_printable("a=3"));
}

TEST(EncodedWords, AreDecoded) {
    EXPECT_EQ(decode_words("plain = ?text?="), "plain = ?text?=");
    EXPECT_EQ(decode_words("=?utf-8?q?a_b=3F?="), "a b?");
    EXPECT_EQ(decode_words("a =?utf-8?Q?b?= c"), "a b c");
    EXPECT_EQ(decode_words("=?utf-8?Q?b?=  =?iso-8859-1?Q?=E4?="), "bä");
    EXPECT_EQ(decode_words("=?utf-8?Q?b?= c =?utf-8?Q?d?="), "b c d");
    EXPECT_EQ(decode_words("=?utf-8*en?Q?x?="), "x");
    EXPECT_EQ(decode_words("=?utf-8?B?w6Q?="), "ä");
    EXPECT_EQ(decode_words("=?utf-8?Q?with space?="), "with space");
    EXPECT_EQ(decode_words("(=?utf-8?Q?x?=)"), "(x)");
    EXPECT_EQ(decode_words("=?utf-8?X?x?="), "=?utf-8?X?x?=");
    EXPECT_EQ(decode_words("=?utf-8?Q?unfinished"), "=?utf-8?Q?unfinished");
    EXPECT_EQ(decode_words("grün"), "grün");
    EXPECT_EQ(decode_words("=?utf-8?Q?=E6=97?= =?UTF-8?Q?=A5?="), "日");
}

TEST(EncodedWords, GiveNothingIfOneIsBroken) {
    EXPECT_FALSE(decode_words("=?x-nobody-knows?Q?x?="));
    EXPECT_FALSE(decode_words("=?utf-8?Q?=FF?="));
    EXPECT_FALSE(decode_words("=?utf-8?Q?=F?="));
    EXPECT_FALSE(decode_words("=?utf-8?B?!?="));
    EXPECT_FALSE(decode_words("gr\xfcn"));
}

TEST(Control, IsFound) {
    EXPECT_FALSE(has_control("tab\tand ümlaut"));
    EXPECT_TRUE(has_control("a\r"));
    EXPECT_TRUE(has_control(std::string_view("\0", 1)));
    EXPECT_TRUE(has_control("\x7f"));
}

}  // namespace
}  // namespace outpost::message

#include "base/text.hpp"

#include <gtest/gtest.h>

#include <array>

namespace outpost::base {
namespace {

TEST(Text, ComparesWithoutAsciiCase) {
    EXPECT_TRUE(iequals("StartTLS", "STARTTLS"));
    EXPECT_FALSE(iequals("STARTTLS", "STARTTL"));
    EXPECT_FALSE(iequals("\xC3\xA4", "\xC3\x84"));
}

TEST(Text, SplitsListsAndLeavesEmptyPartsOut) {
    EXPECT_EQ(split_list(" a.com; b.com;;", ';'), (std::vector<std::string>{"a.com", "b.com"}));
    EXPECT_TRUE(split_list("", ';').empty());
}

TEST(Text, PrintableHidesControlsAndCutsAtACharacter) {
    EXPECT_EQ(printable("a\r\nb"), "a??b");
    EXPECT_EQ(printable("ab\xC3\xA4", 3), "ab...");
    EXPECT_EQ(printable("abc", 3), "abc");
}

TEST(Text, FindsTheNearestWordAndOnlyANearOne) {
    static constexpr std::array<std::string_view, 3> words{"listen", "accounts", "upstreams"};
    EXPECT_EQ(near_match("acounts", words), "accounts");
    EXPECT_EQ(near_match("lisen", words), "listen");
    EXPECT_EQ(near_match("zebra", words), std::nullopt);
    static constexpr std::array<std::string_view, 4> zones{"Europe/Rome", "Europe/Amsterdamned",
                                                           "Europe/Amsterdam", "Europe/Oslo"};
    EXPECT_EQ(near_match("Europe/Ams", zones), "Europe/Amsterdam");
    EXPECT_EQ(near_match("Europe/Osl", zones), "Europe/Oslo");
    EXPECT_EQ(near_match("Eu", zones), std::nullopt);
}

TEST(Text, Utf8IsWellFormedOrNot) {
    EXPECT_TRUE(is_utf8("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"));
    for (const char* bad : {"\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"})
        EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace outpost::base

#include "smtp/xtext.hpp"

#include <gtest/gtest.h>

namespace outpost::smtp {
namespace {

TEST(Xtext, EncodesWhatIsNotPlain) {
    EXPECT_EQ(xtext_encode("user+x=y@example.com"), "user+2Bx+3Dy@example.com");
    EXPECT_EQ(xtext_encode("a b\r\n\x7F\xC3\xB6"), "a+20b+0D+0A+7F+C3+B6");
    EXPECT_EQ(xtext_encode(""), "");
}

TEST(Xtext, DecodesEveryOctet) {
    std::string all;
    for (int octet = 0; octet < 256; ++octet) all += static_cast<char>(octet);
    EXPECT_EQ(xtext_decode(xtext_encode(all)), all);
}

TEST(Xtext, RefusesOtherText) {
    for (const auto* const text : {"a b", "a=b", "+", "a+2", "+2b", "+G0", "a\t", "ö", "\x7F"})
        EXPECT_FALSE(xtext_decode(text)) << text;
    EXPECT_EQ(xtext_decode(""), "");
}

}  // namespace
}  // namespace outpost::smtp

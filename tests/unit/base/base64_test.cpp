#include "base/base64.hpp"

#include <gtest/gtest.h>

namespace outpost::base {
namespace {

TEST(Base64, EncodesTheVectorsOfRfc4648) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"}};
    for (const auto& [octets, text] : vectors) {
        EXPECT_EQ(base64_encode(octets), text);
        EXPECT_EQ(base64_decode(text), octets);
    }
}

TEST(Base64, RefusesWhatIsNotBase64) {
    for (const char* text : {"Zg=", "Zg", "Z===", "Zm9v!A==", "Zg==Zg==", "=Zg=", "Zm9v\r\n"})
        EXPECT_FALSE(base64_decode(text)) << text;
}

}  // namespace
}  // namespace outpost::base

#include "config/domain_name.hpp"

#include <gtest/gtest.h>

namespace outpost::config {
namespace {

TEST(CanonicalDomain, FoldsCaseAndUnicode) {
    EXPECT_EQ(canonical_domain("Example.COM"), "example.com");
    EXPECT_EQ(canonical_domain("localhost"), "localhost");
    EXPECT_EQ(canonical_domain("b\xC3\xBC"
                               "cher.example"),
              "xn--bcher-kva.example");
    EXPECT_EQ(canonical_domain("B\xC3\x9C"
                               "CHER.example"),
              "xn--bcher-kva.example");
    EXPECT_EQ(canonical_domain("bu\xCC\x88"
                               "cher.example"),
              "xn--bcher-kva.example");
    EXPECT_EQ(canonical_domain("XN--BCHER-KVA.example"), "xn--bcher-kva.example");
    EXPECT_EQ(canonical_domain("stra\xC3\x9F"
                               "e.example"),
              "xn--strae-oqa.example");
}

TEST(CanonicalDomain, RefusesWhatIsNoDomain) {
    for (const std::string& bad :
         {std::string(), std::string("."), std::string(".example"), std::string("example."),
          std::string("a..b"), std::string("-a.example"), std::string("a-.example"),
          std::string("a b.example"), std::string("a@b"), std::string("\xFF.example"),
          std::string("\xC3\xBC..example"), std::string(64, 'a') + ".example",
          std::string(2000, 'a'), std::string("a\0b", 3), std::string("[192.0.2.1]")}) {
        EXPECT_FALSE(canonical_domain(bad)) << bad;
    }
}

}  // namespace
}  // namespace outpost::config

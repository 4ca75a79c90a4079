#include "config/upstream_host.hpp"

#include <gtest/gtest.h>

namespace outpost::config {
namespace {

TEST(UpstreamHost, ReadsEveryForm) {
    struct Case {
        const char* text;
        UpstreamHost expected;
    };
    const Case cases[] = {
        {"example.net", {"example.net", false, {}}},
        {"Example.NET:587", {"example.net", false, 587}},
        {"[smtp.example.net]", {"smtp.example.net", true, {}}},
        {"[smtp.example.net]:587", {"smtp.example.net", true, 587}},
        {"localhost:1025", {"localhost", false, 1025}},
        {"192.0.2.1", {"192.0.2.1", true, {}}},
        {"192.0.2.1:25", {"192.0.2.1", true, 25}},
        {"[192.0.2.1]:25", {"192.0.2.1", true, 25}},
        {"[::1]", {"::1", true, {}}},
        {"[::1]:25", {"::1", true, 25}},
        {"[IPv6:2001:db8::1]:25", {"2001:db8::1", true, 25}},
        {"[IPv6:::1]", {"::1", true, {}}},
        {"b\xC3\xBC"
         "cher.example",
         {"xn--bcher-kva.example", false, {}}},
    };
    for (const Case& c : cases) {
        const auto host = UpstreamHost::parse(c.text);
        ASSERT_TRUE(host) << c.text << ": " << host.error();
        EXPECT_EQ(*host, c.expected) << c.text;
    }
}

TEST(UpstreamHost, RefusesWhatIsNone) {
    for (const char* bad :
         {"", "[]", "[", "[smtp.example.net", "[smtp.example.net]587",
          "[smtp.example.net]:", "smtp.example.net:0", "smtp.example.net:70000",
          "smtp.example.net:25-26", "::1", "2001:db8::1:25", "smtp example", "smtp_.example",
          "smtp://example.net", "[::g]", "a:b", ":25", "[[::1]]"}) {
        EXPECT_FALSE(UpstreamHost::parse(bad)) << bad;
    }
    EXPECT_EQ(UpstreamHost::parse("::1").error(),
              "\"::1\" is not a host; write an IPv6 address in brackets, such as [::1]:25");
}

}  // namespace
}  // namespace outpost::config

#include "config/network.hpp"

#include <gtest/gtest.h>

namespace outpost::config {
namespace {

TEST(IpAddress, ReadsAndWritesBothFamilies) {
    EXPECT_EQ(IpAddress::parse("192.0.2.1")->text(), "192.0.2.1");
    EXPECT_EQ(IpAddress::parse("::ffff:192.0.2.1"), IpAddress::parse("192.0.2.1"));
    EXPECT_EQ(IpAddress::parse("2001:DB8:0::1")->text(), "2001:db8::1");
    for (const char* bad : {"", "192.0.2", "192.0.2.256", "[::1]", "::1%eth0", "host", "1.2.3.4/8",
                            "1:2:3:4:5:6:7:8:9"}) {
        EXPECT_FALSE(IpAddress::parse(bad)) << bad;
    }
}

TEST(IpAddress, KnowsLoopback) {
    for (const char* yes : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"}) {
        EXPECT_TRUE(IpAddress::parse(yes)->is_loopback()) << yes;
    }
    for (const char* no : {"::", "0.0.0.0", "128.0.0.1", "::2"}) {
        EXPECT_FALSE(IpAddress::parse(no)->is_loopback()) << no;
    }
}

TEST(IpAddress, GroupsIpv6ClientsBySlash64) {
    EXPECT_EQ(IpAddress::parse("2001:db8:1:2:3:4:5:6")->client_group().text(), "2001:db8:1:2::");
    EXPECT_EQ(IpAddress::parse("192.0.2.1")->client_group().text(), "192.0.2.1");
}

TEST(Network, ContainsItsAddresses) {
    struct Case {
        const char* network;
        const char* client;
        bool inside;
    };
    const Case cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.128/25", "192.0.2.127", false},
        {"192.0.2.7", "192.0.2.7", true},
        {"192.0.2.7", "192.0.2.8", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"::/0", "2001:db8::1", true},
        {"::/0", "192.0.2.1", false},
        {"2001:db8::/33", "2001:db8:7fff::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
    };
    for (const Case& c : cases) {
        EXPECT_EQ(Network::parse(c.network)->contains(*IpAddress::parse(c.client)), c.inside)
            << c.network << " " << c.client;
    }
}

TEST(Network, RefusesWhatIsNone) {
    for (const char* bad : {"", "192.0.2.0/33", "192.0.2.1/24", "2001:db8::1/32", "::/129",
                            "192.0.2.0/", "192.0.2.0/a", "/24", "192.0.2.0/24/8", "192.0.2.0/-1"}) {
        EXPECT_FALSE(Network::parse(bad)) << bad;
    }
}

}  // namespace
}  // namespace outpost::config

#include "net/proxy_header.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpost::net {
namespace {

using namespace std::string_literals;
using Kind = ProxyHeader::Kind;

std::string v2(char command, char family, const std::string& block) {
    std::string out = "\r\n\r\n\0\r\nQUIT\n"s;
    out += command;
    out += family;
    out += static_cast<char>(block.size() >> 8);
    out += static_cast<char>(block.size() & 0xFF);
    return out + block;
}

const std::string ipv4_block = "\xC0\x00\x02\x01\xC0\x00\x02\x02\xDE\xAD\x00\x19"s;
const std::string ipv6_block = "\x20\x01\x0D\xB8" + std::string(11, '\0') + "\x01" +
                               std::string(15, '\0') + "\x01" + "\x00\x01\xFF\xFF"s;

std::string unix_block(const std::string& source, const std::string& destination) {
    return source + std::string(108 - source.size(), '\0') + destination +
           std::string(108 - destination.size(), '\0');
}

struct Accepted {
    std::string_view name;
    std::string input;
    ProxyHeader header;  ///< `consumed` apart: all of the input
};

const std::vector<Accepted>& accepted() {
    static const std::vector<Accepted> all{
        {"v1 TCP4",
         "PROXY TCP4 192.0.2.1 198.51.100.7 56324 25\r\n",
         {Kind::ipv4, {"192.0.2.1", 56324}, {"198.51.100.7", 25}}},
        {"v1 TCP6",
         "PROXY TCP6 2001:DB8:0::1 ::1 0 65535\r\n",
         {Kind::ipv6, {"2001:db8::1", 0}, {"::1", 65535}}},
        {"v1 TCP6 at its longest",
         "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
         {Kind::ipv6,
          {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535},
          {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535}}},
        {"v1 UNKNOWN", "PROXY UNKNOWN\r\n", {Kind::unknown, {}, {}}},
        {"v1 UNKNOWN of 107 octets",
         "PROXY UNKNOWN " + std::string(91, 'x') + "\r\n",
         {Kind::unknown, {}, {}}},
        {"v2 TCP4",
         v2('\x21', '\x11', ipv4_block),
         {Kind::ipv4, {"192.0.2.1", 0xDEAD}, {"192.0.2.2", 25}}},
        {"v2 TCP4 with values behind",
         v2('\x21', '\x11', ipv4_block + "\x04\x00\x02xx"s),
         {Kind::ipv4, {"192.0.2.1", 0xDEAD}, {"192.0.2.2", 25}}},
        {"v2 TCP6",
         v2('\x21', '\x21', ipv6_block),
         {Kind::ipv6, {"2001:db8::1", 1}, {"::1", 65535}}},
        {"v2 UNIX",
         v2('\x21', '\x31', unix_block("/run/a", "/run/b")),
         {Kind::unix_socket, {"/run/a", 0}, {"/run/b", 0}}},
        {"v2 UNIX path without NUL",
         v2('\x21', '\x31', unix_block(std::string(108, 'p'), "/run/b")),
         {Kind::unix_socket, {std::string(108, 'p'), 0}, {"/run/b", 0}}},
        {"v2 LOCAL", v2('\x20', '\x00', ""), {Kind::local, {}, {}}},
        {"v2 LOCAL with addresses", v2('\x20', '\x11', ipv4_block), {Kind::local, {}, {}}},
        {"v2 UNSPEC", v2('\x21', '\x00', "abc"), {Kind::unknown, {}, {}}},
        {"v2 as long as allowed",
         v2('\x21', '\x11', ipv4_block + std::string(proxy_v2_max_length - 12, 'x')),
         {Kind::ipv4, {"192.0.2.1", 0xDEAD}, {"192.0.2.2", 25}}},
    };
    return all;
}

TEST(ProxyHeader, IsReadInBothVersions) {
    for (const auto& [name, input, header] : accepted()) {
        SCOPED_TRACE(name);
        auto expected = header;
        expected.consumed = input.size();
        EXPECT_EQ(parse_proxy_header(input), ProxyResult(expected));
        EXPECT_EQ(parse_proxy_header(input + "EHLO a\r\n"), ProxyResult(expected));
        EXPECT_EQ(header.has_addresses(), !header.source.address.empty());
    }
}

TEST(ProxyHeader, IsWaitedForAtEverySplit) {
    for (const auto& [name, input, header] : accepted()) {
        SCOPED_TRACE(name);
        for (std::size_t i = 0; i < input.size(); ++i) {
            ASSERT_EQ(parse_proxy_header(std::string_view(input).substr(0, i)),
                      ProxyResult(ProxyNeedMore{}))
                << "after " << i << " octets";
        }
    }
}

TEST(ProxyHeader, IsRefusedWhereMalformed) {
    const std::pair<std::string_view, std::string> cases[] = {
        {"SMTP", "EHLO a\r\n"},
        {"TLS", "\x16\x03\x01"},
        {"lower case", "proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n"},
        {"v1 without a family", "PROXY \r\n"},
        {"v1 other family", "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n"},
        {"v1 UNKNOWNX", "PROXY UNKNOWNX\r\n"},
        {"v1 bare LF", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"},
        {"v1 LF at once", "PROXY \n"},
        {"v1 two spaces", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"},
        {"v1 space at the end", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"},
        {"v1 no ports", "PROXY TCP4 192.0.2.1 192.0.2.2\r\n"},
        {"v1 one port", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"},
        {"v1 port too large", "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n"},
        {"v1 port with zero", "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n"},
        {"v1 port signed", "PROXY TCP4 192.0.2.1 192.0.2.2 -1 2\r\n"},
        {"v1 octet too large", "PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"},
        {"v1 ipv6 as TCP4", "PROXY TCP4 ::1 ::2 1 2\r\n"},
        {"v1 ipv4 as TCP6", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"},
        {"v1 NUL", "PROXY TCP4 192.0.2.1\0x 192.0.2.2 1 2\r\n"s},
        {"v1 of 108 octets", "PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"},
        {"v1 without end", "PROXY " + std::string(101, 'x')},
        {"v2 version 1", v2('\x11', '\x11', ipv4_block)},
        {"v2 unknown command", v2('\x22', '\x11', ipv4_block)},
        {"v2 datagram", v2('\x21', '\x12', ipv4_block)},
        {"v2 unknown family", v2('\x21', '\x41', ipv4_block)},
        {"v2 TCP4 too short", v2('\x21', '\x11', ipv4_block.substr(1))},
        {"v2 TCP6 too short", v2('\x21', '\x21', ipv6_block.substr(1))},
        {"v2 UNIX too short", v2('\x21', '\x31', std::string(215, 'x'))},
        {"v2 too long", v2('\x21', '\x11', std::string(proxy_v2_max_length + 1, 'x'))},
    };
    for (const auto& [name, input] : cases) {
        SCOPED_TRACE(name);
        const auto result = parse_proxy_header(input);
        ASSERT_TRUE(std::holds_alternative<ProxyError>(result));
        EXPECT_FALSE(std::get<ProxyError>(result).reason.empty());
    }
}

TEST(ProxyHeader, IsRefusedAsSoonAsItCannotBeOne) {
    for (const std::string input : {"E", "PROXX", "\r\n\r\n\r", "\r\n\r\nx"}) {
        EXPECT_TRUE(std::holds_alternative<ProxyError>(parse_proxy_header(input))) << input;
    }
    const auto huge = v2('\x21', '\x11', std::string(proxy_v2_max_length + 1, 'x')).substr(0, 16);
    EXPECT_TRUE(std::holds_alternative<ProxyError>(parse_proxy_header(huge)));
}

}  // namespace
}  // namespace outpost::net

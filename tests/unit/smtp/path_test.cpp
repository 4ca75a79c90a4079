#include "smtp/path.hpp"

#include <gtest/gtest.h>

#include <string>

namespace outpost::smtp {
namespace {

std::string repeat(std::size_t count, char c) {
    return std::string(count, c);
}

/// A domain of exactly `length` octets.
std::string domain_of(std::size_t length) {
    std::string out;
    while (length > 63) {
        out += repeat(length > 64 ? 63 : 62, 'd') + '.';
        length -= length > 64 ? 64 : 63;
    }
    return out + repeat(length, 'd');
}

struct Accepted {
    std::string_view name;
    std::string text;
    std::string local;
    std::string domain;
    std::string address;  ///< as address() writes it; empty: as it was read
};

TEST(Mailbox, IsReadByTheGrammar) {
    const Accepted cases[] = {
        {"plain", "user@example.com", "user", "example.com", ""},
        {"case is kept", "User@Example.COM", "User", "Example.COM", ""},
        {"dots and atext", "a.b+c!#$%&'*-/=?^_`{|}~@x.org", "a.b+c!#$%&'*-/=?^_`{|}~", "x.org", ""},
        {"one label", "root@localhost", "root", "localhost", ""},
        {"digits in the domain", "a@1.2x.3", "a", "1.2x.3", ""},
        {"inner hyphens", "a@x--y.co-m", "a", "x--y.co-m", ""},
        {"quoted without need", "\"user\"@x.org", "user", "x.org", "user@x.org"},
        {"quoted space", "\"a b\"@x.org", "a b", "x.org", ""},
        {"quoted at", "\"a@b\"@x.org", "a@b", "x.org", ""},
        {"quoted pair", R"("a\"b\\c"@x.org)", R"(a"b\c)", "x.org", ""},
        {"needless quoted pair", R"("\a\.\b"@x.org)", "a.b", "x.org", "a.b@x.org"},
        {"quoted dots", "\".a..b.\"@x.org", ".a..b.", "x.org", ""},
        {"quoted empty", "\"\"@x.org", "", "x.org", ""},
        {"quoted bracket", "\"a>b\"@x.org", "a>b", "x.org", ""},
        {"ipv4 literal", "a@[192.0.2.1]", "a", "[192.0.2.1]", ""},
        {"ipv6 literal", "a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]", ""},
        {"ipv6 literal in full", "a@[IPv6:1:2:3:4:5:6:7:8]", "a", "[IPv6:1:2:3:4:5:6:7:8]", ""},
        {"ipv6 literal with ipv4", "a@[ipv6:::ffff:192.0.2.1]", "a", "[ipv6:::ffff:192.0.2.1]", ""},
        {"64 octets of local part", repeat(64, 'l') + "@x.org", repeat(64, 'l'), "x.org", ""},
        {"63 octets of label", "a@" + repeat(63, 'd'), "a", repeat(63, 'd'), ""},
        {"254 octets", "a@" + domain_of(252), "a", domain_of(252), ""},
    };
    for (const auto& [name, text, local, domain, address] : cases) {
        SCOPED_TRACE(name);
        for (const bool allow_utf8 : {false, true}) {
            const auto mailbox = parse_mailbox(text, allow_utf8);
            ASSERT_TRUE(mailbox);
            EXPECT_EQ(mailbox->local, local);
            EXPECT_EQ(mailbox->domain, domain);
            EXPECT_EQ(mailbox->address(), address.empty() ? text : address);
            EXPECT_EQ(parse_mailbox(mailbox->address(), false), mailbox);
            EXPECT_FALSE(mailbox->needs_smtputf8());
        }
    }
}

TEST(Mailbox, IsRefusedOutsideTheGrammar) {
    const std::pair<std::string_view, std::string> cases[] = {
        {"empty", ""},
        {"no at", "user"},
        {"no local part", "@x.org"},
        {"no domain", "user@"},
        {"two ats", "a@b@x.org"},
        {"leading dot", ".a@x.org"},
        {"trailing dot", "a.@x.org"},
        {"two dots", "a..b@x.org"},
        {"space", "a b@x.org"},
        {"leading space", " a@x.org"},
        {"trailing space", "a@x.org "},
        {"bracket", "<a@x.org>"},
        {"comma", "a,b@x.org"},
        {"open quote", "\"a@x.org"},
        {"quote within", "a\"b\"@x.org"},
        {"text after quote", "\"a\"b@x.org"},
        {"quoted control", "\"a\tb\"@x.org"},
        {"backslash at the end", "\"a\\"},
        {"line break", "a\r\n@x.org"},
        {"NUL", std::string("a\0b@x.org", 9)},
        {"source route", "@a.org,@b.org:c@x.org"},
        {"domain ends in dot", "a@x.org."},
        {"domain begins with dot", "a@.x.org"},
        {"empty label", "a@x..org"},
        {"label begins with hyphen", "a@-x.org"},
        {"label ends with hyphen", "a@x-.org"},
        {"underscore", "a@x_y.org"},
        {"label of 64", "a@" + repeat(64, 'd') + ".org"},
        {"local part of 65", repeat(65, 'l') + "@x.org"},
        {"quoted local part of 65", '"' + repeat(63, 'l') + "\"@x.org"},
        {"255 octets", "a@" + domain_of(253)},
        {"ipv4 literal out of range", "a@[192.0.2.256]"},
        {"ipv4 literal too short", "a@[192.0.2]"},
        {"ipv4 literal with leading zero", "a@[192.0.2.01]"},
        {"ipv6 literal without its tag", "a@[2001:db8::1]"},
        {"ipv6 literal of nine groups", "a@[IPv6:1:2:3:4:5:6:7:8:9]"},
        {"ipv6 literal of seven groups", "a@[IPv6:1:2:3:4:5:6:7]"},
        {"ipv6 literal with two gaps", "a@[IPv6:1::2::3]"},
        {"ipv6 literal with three colons", "a@[IPv6::::]"},
        {"ipv6 gap for no group", "a@[IPv6:1:2:3:4::5:6:7:8]"},
        {"ipv4 before the last ipv6 group", "a@[IPv6:1:2:3:4:5:6:1.2.3.4:7]"},
        {"ipv6 group too long", "a@[IPv6:12345::]"},
        {"ipv4 in front of ipv6", "a@[IPv6:1.2.3.4::1]"},
        {"other literal", "a@[tag:content]"},
        {"open literal", "a@[192.0.2.1"},
        {"text after literal", "a@[192.0.2.1]x"},
    };
    for (const auto& [name, text] : cases) {
        SCOPED_TRACE(name);
        EXPECT_FALSE(parse_mailbox(text, false));
        EXPECT_FALSE(parse_mailbox(text, true));
    }
}

TEST(Mailbox, TakesUtf8OnlyWhereAllowed) {
    const std::string texts[] = {"jös@example.com", "jo@exämple.com", "\"ö ö\"@例え.jp",
                                 "用户@例子.广告"};
    for (const auto& text : texts) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(parse_mailbox(text, false));
        const auto mailbox = parse_mailbox(text, true);
        ASSERT_TRUE(mailbox);
        EXPECT_TRUE(mailbox->needs_smtputf8());
        EXPECT_EQ(mailbox->address(), text);
    }
}

TEST(Mailbox, RefusesOctetsThatAreNotUtf8) {
    const std::pair<std::string_view, std::string> cases[] = {
        {"latin1", "j\xF6s@example.com"},
        {"lone continuation", "a\x80@example.com"},
        {"overlong", "a\xC0\xAE@example.com"},
        {"surrogate", "a\xED\xA0\x80@example.com"},
        {"cut short", "a@example\xC3"},
        {"beyond Unicode", "a\xF4\x90\x80\x80@example.com"},
        {"C1 control", "a\xC2\x85@example.com"},
        {"in the domain", "a@ex\xFFple.com"},
        {"quoted pair of an octet over 127", "\"\\\xC3\xB6\"@example.com"},
    };
    for (const auto& [name, text] : cases) {
        SCOPED_TRACE(name);
        EXPECT_FALSE(parse_mailbox(text, true));
    }
}

TEST(Mailbox, WithoutDomainIsWrittenAsLocalPart) {
    EXPECT_EQ((Mailbox{"Postmaster", ""}.address()), "Postmaster");
}

}  // namespace
}  // namespace outpost::smtp

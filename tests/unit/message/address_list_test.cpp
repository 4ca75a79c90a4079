#include "message/address_list.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpost::message {
namespace {

using std::literals::string_literals::operator""s;
using smtp::Mailbox;
using Mailboxes = std::vector<Mailbox>;

struct GoodCase {
    std::string name;
    std::string value;
    Mailboxes mailboxes;
};

class AddressList : public testing::TestWithParam<GoodCase> {};

TEST_P(AddressList, GivesItsMailboxes) {
    const auto parsed = parse_address_list(GetParam().value);
    ASSERT_TRUE(parsed) << parsed.error().text << " at " << parsed.error().position;
    EXPECT_EQ(*parsed, GetParam().mailboxes);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AddressList,
    testing::Values(
        GoodCase{"Bare", " a@b.example", {{"a", "b.example"}}},
        GoodCase{"Angle", "<a@b.example>", {{"a", "b.example"}}},
        GoodCase{"SpaceInsideAngle", "< a@b.example >", {{"a", "b.example"}}},
        GoodCase{"Name", "Joe Q. Public <joe@b.example>", {{"joe", "b.example"}}},
        GoodCase{"QuotedName", "\"Public, Joe\" <joe@b.example>", {{"joe", "b.example"}}},
        GoodCase{"QuotedAddressAsName", "\"x@y.example\" <joe@b.example>", {{"joe", "b.example"}}},
        GoodCase{"QuotedPairInName", "\"a \\\" b\" <joe@b.example>", {{"joe", "b.example"}}},
        GoodCase{"NoSpaceBeforeAngle", "Joe<joe@b.example>", {{"joe", "b.example"}}},
        GoodCase{"EncodedWord", "=?UTF-8?Q?J=C3=B6rg?= <j@b.example>", {{"j", "b.example"}}},
        GoodCase{"RawUtf8Name", "J\xc3\xb6rg <j@b.example>", {{"j", "b.example"}}},
        GoodCase{"Utf8Address",
                 "j\xc3\xb6rg@b\xc3\xbc"
                 "cher.example",
                 {{"j\xc3\xb6rg",
                   "b\xc3\xbc"
                   "cher.example"}}},
        GoodCase{
            "OldStyleComment", "joe@b.example (Joe \\(nick\\) (nested))", {{"joe", "b.example"}}},
        GoodCase{"LeadingComment", "(hi) joe@b.example", {{"joe", "b.example"}}},
        GoodCase{
            "CommentBetweenNameAndAngle", "Joe (x) <joe@b.example> (y)", {{"joe", "b.example"}}},
        GoodCase{"QuotedLocal", "\"a b\"@b.example", {{"a b", "b.example"}}},
        GoodCase{
            "QuotedLocalWithAt", "<\"a@x.example\"@b.example>", {{"a@x.example", "b.example"}}},
        GoodCase{"AtextInLocal",
                 "a!#$%&'*+-/=?^_`{|}~z@b.example",
                 {{"a!#$%&'*+-/=?^_`{|}~z", "b.example"}}},
        GoodCase{"IPv4Literal", "a@[192.0.2.1]", {{"a", "[192.0.2.1]"}}},
        GoodCase{"IPv6Literal", "<a@[IPv6:2001:db8::1]>", {{"a", "[IPv6:2001:db8::1]"}}},
        GoodCase{"SeveralFolded",
                 "a@b.example,\r\n B <b@b.example>,\r\n\tc@b.example",
                 {{"a", "b.example"}, {"b", "b.example"}, {"c", "b.example"}}},
        GoodCase{"EmptyElements",
                 ",a@b.example,, b@b.example,",
                 {{"a", "b.example"}, {"b", "b.example"}}},
        GoodCase{"Group",
                 "Team: a@b.example, B <b@b.example>;",
                 {{"a", "b.example"}, {"b", "b.example"}}},
        GoodCase{"GroupAmongOthers",
                 "x@b.example, Team: a@b.example;, y@b.example",
                 {{"x", "b.example"}, {"a", "b.example"}, {"y", "b.example"}}},
        GoodCase{"EmptyGroup", "undisclosed-recipients:;", {}},
        GoodCase{"QuotedGroupName", "\"A, B\": a@b.example;", {{"a", "b.example"}}},
        GoodCase{"Empty", "", {}}, GoodCase{"OnlyComment", " (nothing) ", {}}),
    [](const auto& info) { return info.param.name; });

struct BadCase {
    std::string name;
    std::string value;
    std::string error;
};

class BadAddressList : public testing::TestWithParam<BadCase> {};

TEST_P(BadAddressList, IsRefusedWithAReason) {
    const auto parsed = parse_address_list(GetParam().value);
    ASSERT_FALSE(parsed) << "gave " << parsed->size() << " mailboxes";
    EXPECT_THAT(parsed.error().text, testing::HasSubstr(GetParam().error));
    EXPECT_LE(parsed.error().position, GetParam().value.size());
}

INSTANTIATE_TEST_SUITE_P(
    Ambiguous, BadAddressList,
    testing::Values(
        BadCase{"AddressAsUnquotedName", "a@b.example <c@d.example>", "quote the name"},
        BadCase{"AddressAndAngleTogether", "a@b.example<c@d.example>", "quote the name"},
        BadCase{"TwoAt", "a@b.example@c.example", "two @"},
        BadCase{"TwoAtInAngle", "<a@b.example@c.example>", "two @"},
        BadCase{"TwoAngles", "<a@b.example> <c@d.example>", "quote the name"},
        BadCase{"TwoAnglesTogether", "<a@b.example><c@d.example>", "quote the name"},
        BadCase{"AngleInAngle", "<a@b.example<c@d.example>>", "unexpected `<`"},
        BadCase{"TrailingGarbage", "a@b.example garbage", "text after an address"},
        BadCase{"TrailingGarbageAfterAngle", "<a@b.example> x", "text after an address"},
        BadCase{"SourceRoute", "<@x.example:a@b.example>", "source route"},
        BadCase{"SourceRouteTwo", "<@x.example,@y.example:a@b.example>", "source route"},
        BadCase{"OpenQuote", "\"Joe <a@b.example>", "closing quote"},
        BadCase{"QuoteAfterBackslash", "\"Joe\\\" <a@b.example>", "closing quote"},
        BadCase{"OpenComment", "a@b.example (Joe", "closing parenthesis"},
        BadCase{"OpenNestedComment", "a@b.example (Joe (x)", "closing parenthesis"},
        BadCase{"StrayParenthesis", "Joe) <a@b.example>", "unexpected `)`"},
        BadCase{"OpenAngle", "<a@b.example", "ends in the middle"},
        BadCase{"StrayAngle", "a@b.example>", "text after an address"},
        BadCase{"AngleInComment", "a@b.example (<c@d.example>)", "in a comment"},
        BadCase{"CommentHidesAngle", "<x(v@v.example>)@b.example>", "a comment inside"},
        BadCase{"CommentBeforeAt", "a(x)@b.example", "a comment inside"},
        BadCase{"CommentInDomain", "a@(x)b.example", "without a domain"},
        BadCase{"SpaceBeforeAt", "a @b.example", "white space inside"},
        BadCase{"SpaceAfterAt", "a@ b.example", "without a domain"},
        BadCase{"SpaceInDomain", "a@b. example", "not a domain"},
        BadCase{"FoldInDomain", "a@b.\r\n example", "not a domain"},
        BadCase{"WordsBeforeAt", "Joe a@b.example", "several words"},
        BadCase{"ObsoleteLocal", "\"a\".b@b.example", "several words"},
        BadCase{"FoldInQuotedLocal", "\"a\r\n b\"@b.example", "folded"},
        BadCase{"EmptyQuotedLocal", "\"\"@b.example", "empty"},
        BadCase{"DotFirst", ".a@b.example", "dot"}, BadCase{"DotLast", "a.@b.example", "dot"},
        BadCase{"DotTwice", "a..b@b.example", "dot"},
        BadCase{"DomainDotLast", "a@b.example.", "not a domain"},
        BadCase{"DomainDotTwice", "a@b..example", "not a domain"},
        BadCase{"DomainOddOctet", "a@b!c.example", "not a domain"},
        BadCase{"NoDomain", "a@", "without a domain"},
        BadCase{"NoLocal", "@b.example", "without a local part"},
        BadCase{"EmptyAngle", "<>", "empty address"},
        BadCase{"NameOnly", "Joe", "without an address"},
        BadCase{"NameOnlyInAngle", "<joe>", "without @"},
        BadCase{"NameOnlyAmongOthers", "a@b.example, Joe", "without an address"},
        BadCase{"UnquotedCommaInName", "Public, Joe <a@b.example>", "without an address"},
        BadCase{"Semicolon", "a@b.example; c@d.example", "text after an address"},
        BadCase{"GroupNotClosed", "Team: a@b.example", "does not end with `;`"},
        BadCase{"GroupInGroup", "A: B: a@b.example;;", "group inside a group"},
        BadCase{"GroupWithoutName", ": a@b.example;", "unexpected `:`"},
        BadCase{"TextAfterGroup", "A: a@b.example; c@d.example", "after the end of a group"},
        BadCase{"LiteralNotClosed", "a@[192.0.2.1", "address literal"},
        BadCase{"LiteralNoAddress", "a@[example]", "address literal"},
        BadCase{"Bracket", "[Tag] <a@b.example>", "unexpected `[`"},
        BadCase{"Backslash", "a\\@x@b.example", "unexpected `\\`"},
        BadCase{"Nul", "a\0b@b.example"s, "control character"},
        BadCase{"BareLineFeed", "a@b.example,\n c@d.example", "control character"},
        BadCase{"BareCarriageReturn", "a@b.example\r", "control character"},
        BadCase{"FoldWithoutSpace", "a@b.example\r\nx", "control character"},
        BadCase{"Delete", "a\x7f@b.example", "control character"},
        BadCase{"Latin1", "J\xf6rg <j@b.example>", "neither ASCII nor UTF-8"},
        BadCase{"OverlongUtf8At",
                "a\xc1\x80"
                "b@b.example",
                "neither ASCII nor UTF-8"}),
    [](const auto& info) { return info.param.name; });

TEST(SingleMailbox, TakesExactlyOneAddress) {
    const auto one = parse_single_mailbox("Joe <a@b.example>");
    ASSERT_TRUE(one);
    EXPECT_EQ(*one, (Mailbox{"a", "b.example"}));
    EXPECT_FALSE(parse_single_mailbox(""));
    EXPECT_FALSE(parse_single_mailbox("a@b.example, c@d.example"));
    EXPECT_FALSE(parse_single_mailbox("G: a@b.example;"));
    EXPECT_FALSE(parse_single_mailbox("a@b.example <c@d.example>"));
}

TEST(AddressListError, SaysWhere) {
    const auto parsed = parse_address_list("a@b.example, c@d.example e");
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().position, 25U);
}

}  // namespace
}  // namespace outpost::message

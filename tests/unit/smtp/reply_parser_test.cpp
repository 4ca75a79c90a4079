#include "smtp/reply_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace outpost::smtp {
namespace {

ReplyParser::Result parse(std::string_view text) {
    ReplyParser parser;
    return parser.take(text);
}

struct Good {
    std::string_view name;
    std::string_view wire;
    Reply reply;
};

TEST(ReplyParser, ReadsRepliesOfEveryForm) {
    const std::vector<Good> cases{
        {"one line", "250 Ok\r\n", {250, {}, {"Ok"}}},
        {"a code alone", "354\r\n", {354, {}, {""}}},
        {"a code and a space", "250 \r\n", {250, {}, {""}}},
        {"several lines",
         "250-one\r\n250-two\r\n250 three\r\n",
         {250, {}, {"one", "two", "three"}}},
        {"an empty line within", "250-one\r\n250-\r\n250 two\r\n", {250, {}, {"one", "", "two"}}},
        {"enhanced status", "550 5.7.1 No\r\n", {550, {5, 7, 1}, {"No"}}},
        {"enhanced status alone", "550 5.7.1\r\n", {550, {5, 7, 1}, {""}}},
        {"three-digit details", "450 4.123.456 x\r\n", {450, {4, 123, 456}, {"x"}}},
        {"enhanced status on each line",
         "550-5.1.1 a\r\n550 5.1.1 b\r\n",
         {550, {5, 1, 1}, {"a", "b"}}},
        {"a status of another class is text", "550 4.7.1 No\r\n", {550, {}, {"4.7.1 No"}}},
        {"a challenge is text", "334 3.7.1 x\r\n", {334, {}, {"3.7.1 x"}}},
        {"a version is text", "250 2.0.0.1 x\r\n", {250, {}, {"2.0.0.1 x"}}},
        {"four digits are text", "250 2.0.1000 x\r\n", {250, {}, {"2.0.1000 x"}}},
        {"control characters",
         "250 a\tb\x01"
         "c\x7f\r\n",
         {250, {}, {"a?b?c?"}}},
        {"UTF-8", "250 gr\xc3\xbc\xc3\x9f\r\n", {250, {}, {"gr\xc3\xbc\xc3\x9f"}}},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.name);
        const auto result = parse(each.wire);
        ASSERT_TRUE(result.has_value());
        ASSERT_TRUE(result->has_value());
        EXPECT_EQ(**result, each.reply);
    }
}

TEST(ReplyParser, GivesTheSameForAnyCutOfTheInput) {
    const std::string wire = "250-2.0.0 one\r\n250 2.0.0 two\r\n354 go\r\n";
    for (std::size_t cut = 0; cut <= wire.size(); ++cut) {
        ReplyParser parser;
        std::vector<Reply> replies;
        for (std::string_view part :
             {std::string_view(wire).substr(0, cut), std::string_view(wire).substr(cut)}) {
            while (!part.empty()) {
                const auto result = parser.take(part);
                ASSERT_TRUE(result.has_value());
                if (*result) replies.push_back(**result);
            }
        }
        ASSERT_EQ(replies.size(), 2U);
        EXPECT_EQ(replies[0], (Reply{250, {2, 0, 0}, {"one", "two"}}));
        EXPECT_EQ(replies[1], (Reply{354, {}, {"go"}}));
        EXPECT_FALSE(parser.midway());
    }
}

TEST(ReplyParser, LeavesTheNextReplyInTheInput) {
    ReplyParser parser;
    std::string_view input = "250 a\r\n550 b\r\n";
    EXPECT_TRUE(parser.take(input)->has_value());
    EXPECT_EQ(input, "550 b\r\n");
}

TEST(ReplyParser, WaitsForTheRestOfAReply) {
    ReplyParser parser;
    std::string_view input = "250-a\r\n250";
    EXPECT_FALSE(parser.take(input)->has_value());
    EXPECT_TRUE(input.empty());
    EXPECT_TRUE(parser.midway());
}

struct Bad {
    std::string_view name;
    std::string wire;
    ReplyFault fault;
};

TEST(ReplyParser, RefusesWhatCannotBePairedSafely) {
    std::string many_lines;
    for (int i = 0; i < 513; ++i) many_lines += "250-x\r\n";
    std::string much;
    for (int i = 0; i < 40; ++i) much += "250-" + std::string(2000, 'x') + "\r\n";
    const std::vector<Bad> cases{
        {"bare LF", "250 ok\n", ReplyFault::bare_newline},
        {"bare LF inside a reply", "250-a\n250 b\r\n", ReplyFault::bare_newline},
        {"bare CR", "250 a\rb\r\n", ReplyFault::bare_newline},
        {"no code", "hello\r\n", ReplyFault::malformed},
        {"empty line", "\r\n", ReplyFault::malformed},
        {"two digits", "25\r\n", ReplyFault::malformed},
        {"code 199", "199 x\r\n", ReplyFault::malformed},
        {"code 600", "600 x\r\n", ReplyFault::malformed},
        {"no separator", "2500 x\r\n", ReplyFault::malformed},
        {"tab as separator", "250\tx\r\n", ReplyFault::malformed},
        {"different codes", "250-a\r\n550 b\r\n", ReplyFault::mixed_codes},
        {"long line", "250 " + std::string(2048, 'x') + "\r\n", ReplyFault::line_too_long},
        {"line without end", std::string(3000, '2'), ReplyFault::line_too_long},
        {"many lines", many_lines, ReplyFault::too_many_lines},
        {"long reply", much, ReplyFault::reply_too_long},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.name);
        const auto result = parse(each.wire);
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error(), each.fault);
        EXPECT_FALSE(describe(each.fault).empty());
    }
}

TEST(ReplyParser, StaysBrokenAfterAFaultUntilReset) {
    ReplyParser parser;
    std::string_view bad = "hello\r\n";
    EXPECT_FALSE(parser.take(bad).has_value());
    std::string_view good = "250 ok\r\n";
    EXPECT_FALSE(parser.take(good).has_value());
    parser.reset();
    EXPECT_TRUE(parser.take(good)->has_value());
}

TEST(ReplyParser, TakesALineOfExactlyTheLimit) {
    const std::string wire = "250 " + std::string(ReplyParser::max_line - 6, 'x') + "\r\n";
    EXPECT_TRUE(parse(wire).has_value());
}

}  // namespace
}  // namespace outpost::smtp

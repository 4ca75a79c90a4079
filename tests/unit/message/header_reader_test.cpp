#include "message/header_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace outpost::message {
namespace {

using std::literals::string_literals::operator""s;
using std::literals::string_view_literals::operator""sv;

TEST(HeaderReader, SplitsFieldsAndFindsTheBody) {
    const auto message =
        "From: a@b.example\r\nSubject: x\r\n y\r\n\tz\r\nX-Odd:\r\n\r\nBody: no\r\n"sv;
    const HeaderSection header = read_header(message);
    ASSERT_EQ(header.fields.size(), 3U);
    EXPECT_EQ(header.fields[0].kind, FieldKind::from);
    EXPECT_EQ(header.fields[0].value, " a@b.example");
    EXPECT_EQ(header.fields[1].name, "Subject");
    EXPECT_EQ(header.fields[1].value, " x\r\n y\r\n\tz");
    EXPECT_EQ(unfold(header.fields[1].value), "x y\tz");
    EXPECT_EQ(message.substr(header.fields[1].offset, header.fields[1].size),
              "Subject: x\r\n y\r\n\tz\r\n");
    EXPECT_EQ(header.fields[2].value, "");
    EXPECT_EQ(message.substr(header.body_offset), "Body: no\r\n");
    EXPECT_EQ(message.substr(header.end), "\r\nBody: no\r\n");
    EXPECT_TRUE(header.ended);
    EXPECT_FALSE(header.problem);
    EXPECT_FALSE(header.eight_bit);
}

TEST(HeaderReader, TakesAnEmptyHeaderSection) {
    const HeaderSection header = read_header("\r\nFrom: a@b.example\r\n");
    EXPECT_TRUE(header.fields.empty());
    EXPECT_TRUE(header.has_empty_line());
    EXPECT_EQ(header.body_offset, 2U);
}

TEST(HeaderReader, ReadsAMessageThatIsAllHeader) {
    const HeaderSection header = read_header("From: a@b.example\r\nDate: now\r\n");
    EXPECT_EQ(header.fields.size(), 2U);
    EXPECT_FALSE(header.ended);
    EXPECT_FALSE(header.has_empty_line());
}

TEST(HeaderReader, ReadsALastFieldWithoutLineEnd) {
    const HeaderSection header = read_header("From: a@b.example\r\nTo: c");
    ASSERT_EQ(header.fields.size(), 2U);
    EXPECT_EQ(header.fields[1].value, " c");
    EXPECT_EQ(header.fields[1].size, 5U);
}

TEST(HeaderReader, CountsAndFindsByKindWhateverTheCase) {
    const HeaderSection header =
        read_header("RECEIVED: 1\r\nreceived: 2\r\nfRoM: a\r\nX-MSMail-Priority: High\r\n\r\n");
    EXPECT_EQ(header.count(FieldKind::received), 2U);
    EXPECT_EQ(header.count(FieldKind::from), 1U);
    ASSERT_NE(header.find(FieldKind::x_msmail_priority), nullptr);
    EXPECT_EQ(header.find(FieldKind::bcc), nullptr);
}

TEST(HeaderReader, NotesOctetsOver127InTheHeaderOnly) {
    EXPECT_TRUE(read_header("Subject: \xc3\xbc\r\n\r\n").eight_bit);
    EXPECT_FALSE(read_header("Subject: u\r\n\r\n\xc3\xbc\r\n").eight_bit);
}

struct BodyCase {
    std::string name;
    std::string message;
    std::size_t fields;
    std::string body;  ///< from body_offset on
};

class HeaderReaderBody : public testing::TestWithParam<BodyCase> {};

TEST_P(HeaderReaderBody, BeginsWhereNoFieldIs) {
    const HeaderSection header = read_header(GetParam().message);
    EXPECT_EQ(header.fields.size(), GetParam().fields);
    EXPECT_EQ(GetParam().message.substr(header.body_offset), GetParam().body);
    EXPECT_FALSE(header.problem);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, HeaderReaderBody,
    testing::Values(
        BodyCase{"NoColon", "A: 1\r\nHello\r\nFrom: x\r\n\r\n", 1, "Hello\r\nFrom: x\r\n\r\n"},
        BodyCase{"TextWithColon", "A: 1\r\nHello there: x\r\n", 1, "Hello there: x\r\n"},
        BodyCase{"FirstLineIsNoField", "Hello\r\nFrom: x\r\n", 0, "Hello\r\nFrom: x\r\n"},
        BodyCase{"FirstLineIndented", " From: x\r\nTo: y\r\n", 0, " From: x\r\nTo: y\r\n"},
        BodyCase{"MboxLine", "From a@b Sat Jan 1 00:00:00 2026\r\nFrom: x\r\n", 0,
                 "From a@b Sat Jan 1 00:00:00 2026\r\nFrom: x\r\n"},
        BodyCase{"EmptyName", "A: 1\r\n: x\r\n", 1, ": x\r\n"},
        BodyCase{"SpacesOnlyBeforeColon", "A: 1\r\n : x\r\n", 1, ""},  // continues A
        BodyCase{"WhiteLineContinues", "A: 1\r\n \r\nB: 2\r\n\r\nbody", 2, "body"},
        BodyCase{"PartialLine", "A: 1\r\nB", 1, "B"},
        BodyCase{"LoneCarriageReturnAtTheEnd", "A: 1\r\n\r", 1, "\r"},
        BodyCase{"Nothing", "", 0, ""}),
    [](const auto& info) { return info.param.name; });

struct ProblemCase {
    std::string name;
    std::string message;
    HeaderProblem::Kind kind;
    std::size_t offset;
};

class HeaderReaderProblem : public testing::TestWithParam<ProblemCase> {};

TEST_P(HeaderReaderProblem, IsReportedWithItsPlace) {
    const HeaderSection header = read_header(GetParam().message);
    ASSERT_TRUE(header.problem);
    EXPECT_EQ(header.problem->kind, GetParam().kind);
    EXPECT_EQ(header.problem->offset, GetParam().offset);
    EXPECT_THAT(header.problem->text, testing::HasSubstr("header "));
}

using Kind = HeaderProblem::Kind;
INSTANTIATE_TEST_SUITE_P(
    Attacks, HeaderReaderProblem,
    testing::Values(
        ProblemCase{"NulInName", "Fr\0om: evil@x.example\r\n\r\n"s, Kind::bad_name, 0},
        ProblemCase{"NulInValue", "From: a\0b\r\n\r\n"s, Kind::nul, 7},
        ProblemCase{"NulBehindName", "From\0: x\r\n\r\n"s, Kind::bad_name, 0},
        ProblemCase{"ControlInName", "A: 1\r\nFrom\x01: x\r\n\r\n", Kind::bad_name, 6},
        ProblemCase{"VerticalTabBeforeName", "\vFrom: x\r\n\r\n", Kind::bad_name, 0},
        ProblemCase{"CyrillicLetter", "Fr\xd0\xbem: x\r\n\r\n", Kind::bad_name, 0},
        ProblemCase{"NoBreakSpace", "From\xc2\xa0: x\r\n\r\n", Kind::bad_name, 0},
        ProblemCase{"ByteOrderMark",
                    "\xef\xbb\xbf"
                    "From: x\r\n\r\n",
                    Kind::bad_name, 0},
        ProblemCase{"BareLineFeed", "Subject: a\nFrom: evil@x.example\r\n\r\n", Kind::bare_newline,
                    10},
        ProblemCase{"BareCarriageReturn", "Subject: a\rFrom: evil@x.example\r\n\r\n",
                    Kind::bare_newline, 10},
        ProblemCase{"BareLineFeedFirst", "\nFrom: evil@x.example\r\n\r\n", Kind::bare_newline, 0},
        ProblemCase{"TwoBareLineFeeds", "A: 1\n\nFrom: x\r\n\r\n", Kind::bare_newline, 4},
        ProblemCase{"CarriageReturnTwice", "A: 1\r\r\nFrom: x\r\n\r\n", Kind::bare_newline, 4},
        ProblemCase{"NameFoldedFromColon", "From\r\n : evil@x.example\r\n\r\n", Kind::folded_name,
                    0},
        ProblemCase{"NameFoldedTwice", "A: 1\r\nFrom\r\n \r\n\t: evil\r\n\r\n", Kind::folded_name,
                    6}),
    [](const auto& info) { return info.param.name; });

TEST(HeaderReader, SeesAFieldWithWhiteSpaceBeforeTheColon) {
    const HeaderSection header = read_header("From \t: evil@x.example\r\n\r\n");
    ASSERT_EQ(header.count(FieldKind::from), 1U);
    EXPECT_TRUE(header.fields[0].spaced_colon);
    EXPECT_EQ(header.fields[0].name, "From");
    EXPECT_FALSE(read_header("From: x\r\n\r\n").fields[0].spaced_colon);
}

TEST(HeaderReader, RefusesASectionOverTheLimits) {
    const HeaderLimits limits{.octets = 30, .fields = 2};
    const HeaderSection many = read_header("A: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits);
    ASSERT_TRUE(many.problem);
    EXPECT_EQ(many.problem->kind, Kind::too_long);
    EXPECT_TRUE(many.ended);
    const HeaderSection folded =
        read_header("A: 1\r\n aaaaaaaaaa\r\n bbbbbbbbbb\r\n ccccccccc\r\n\r\n", limits);
    ASSERT_TRUE(folded.problem);
    EXPECT_EQ(folded.problem->kind, Kind::too_long);
    EXPECT_FALSE(read_header("A: 1\r\nB: 2\r\n\r\n" + std::string(1000, 'x'), limits).problem);
}

TEST(HeaderReader, DefaultLimitsTakeLargeRealHeaders) {
    std::string message;
    for (int i = 0; i < 1500; ++i) message += "X-Custom-Field: " + std::string(100, 'v') + "\r\n";
    EXPECT_FALSE(read_header(message + "\r\n").problem);
}

}  // namespace
}  // namespace outpost::message

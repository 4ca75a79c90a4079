#include "upstream/provider/api_content.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "upstream/provider/api_refusal.hpp"

namespace outpost::upstream::api {
namespace {

using message::MimeContent;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(AddressText, QuotesNamesThatNeedIt) {
    EXPECT_EQ(address_text({"", "a@b.example"}), "a@b.example");
    EXPECT_EQ(address_text({"Jürgen Müller", "a@b.example"}), "Jürgen Müller <a@b.example>");
    EXPECT_EQ(address_text({"Doe, J.", "a@b.example"}), "\"Doe, J.\" <a@b.example>");
    EXPECT_EQ(address_text({"a \"b\" \\c", "a@b.example"}), R"("a \"b\" \\c" <a@b.example>)");
    const std::vector<message::NamedAddress> two{{"A, B", "a@b.example"}, {"", "c@d.example"}};
    EXPECT_EQ(address_line(two), "\"A, B\" <a@b.example>, c@d.example");
}

TEST(PlainText, IsThereWhenNothingElseIs) {
    MimeContent content;
    content.text = "";
    EXPECT_EQ(plain_text(content), "\r\n");
    content.html = "<p>";
    EXPECT_EQ(plain_text(content), std::nullopt);
    content.html = "";
    EXPECT_EQ(html_text(content), std::nullopt);
    EXPECT_EQ(plain_text(content), "\r\n");
    content.text = "x";
    EXPECT_EQ(plain_text(content), "x");
}

TEST(HeaderFields, FollowTheRules) {
    constexpr std::array refused{std::string_view("x-refused"), std::string_view("x-all-*")};
    MimeContent content;
    content.from = {{"", "a@example.com"}};
    content.sender = {{"", "a@example.com"}};
    content.headers = {{"X-Refused", "1"}, {"X-ALL-Of-It", "2"}, {"X-Twice", "3"},
                       {"x-twice", "4"},   {"X-MC-Track", "5"},  {"Comments", "grün"}};
    EXPECT_THAT(*header_fields(content, {.refused = refused, .sender = true}),
                ElementsAre(Pair("X-Twice", "3"), Pair("X-MC-Track", "5"),
                            Pair("Comments", "=?UTF-8?b?Z3LDvG4=?=")));
    EXPECT_EQ(header_fields(content, {.refused = {}, .repeated = true})->size(), 6U);
    content.sender = {{"Žan", "b@example.com"}};
    content.headers = {{"Comments", "1"}, {"comments", "2"}};
    const auto fields = header_fields(content, {.refused = {}});
    ASSERT_FALSE(fields);
    EXPECT_THAT(fields.error().text, HasSubstr("comments"));
    content.headers.clear();
    EXPECT_THAT(*header_fields(content, {.refused = {}, .sender = true}),
                ElementsAre(Pair("Sender", "=?UTF-8?b?xb1hbg==?= <b@example.com>")));
}

TEST(MessageIds, AreTakenFromTheirBrackets) {
    EXPECT_THAT(message_ids("<a@b> (comment)\t<c@d> <open"), ElementsAre("a@b", "c@d"));
    EXPECT_THAT(message_ids("none"), testing::IsEmpty());
}

TEST(IsoTime, IsRead) {
    using namespace std::chrono_literals;
    EXPECT_EQ(iso_time("1970-01-02T00:00:01Z"), base::WallTime(86401s));
    EXPECT_EQ(iso_time("1970-01-01T00:00:01.123Z"), base::WallTime(1s));
    EXPECT_EQ(iso_time("1970-01-01T00:00:01+00:00"), base::WallTime(1s));
    for (const char* bad : {"", "1970-01-01", "1970-13-01T00:00:00Z", "1970-02-30T00:00:00Z",
                            "1970-01-01T24:00:00Z", "1970-01-01T00:00:00+01:00", "x"})
        EXPECT_EQ(iso_time(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace outpost::upstream::api

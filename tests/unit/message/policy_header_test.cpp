#include "message/policy_header.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace outpost::message {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

PolicyHeader summary(std::string_view message) {
    return policy_header(read_header(message));
}

TEST(PolicyHeader, ListsTheIdentityFieldsInOrder) {
    const PolicyHeader header = summary(
        "Resent-Sender: r@x.example\r\nResent-From: q@x.example\r\nTo: t@x.example\r\n"
        "from: A <a@x.example>, b@x.example\r\nSender: s@x.example\r\n"
        "Reply-To: c@x.example\r\n\r\n");
    ASSERT_EQ(header.fields.size(), 5U);
    EXPECT_EQ(header.fields[0].name, "Resent-Sender");
    EXPECT_EQ(header.fields[1].kind, FieldKind::resent_from);
    EXPECT_EQ(header.fields[2].name, "From");
    ASSERT_EQ(header.fields[2].mailboxes.size(), 2U);
    EXPECT_EQ(header.fields[2].mailboxes[1].local, "b");
    EXPECT_EQ(header.fields[3].name, "Sender");
    EXPECT_EQ(header.fields[4].name, "Reply-To");
    EXPECT_EQ(header.from_count, 1U);
    EXPECT_EQ(header.sender_count, 1U);
    EXPECT_EQ(header.reply_to_count, 1U);
    EXPECT_THAT(header.problem, IsEmpty());
}

TEST(PolicyHeader, CountsASecondFromHoweverItIsWritten) {
    EXPECT_EQ(summary("From: a@x.example\r\nfrom: b@y.example\r\n\r\n").from_count, 2U);
    EXPECT_EQ(summary("From: a@x.example\r\nFrom : b@y.example\r\n\r\n").from_count, 2U);
    EXPECT_EQ(summary("From: a@x.example\r\n \r\nFROM: b@y.example\r\n\r\n").from_count, 2U);
}

TEST(PolicyHeader, DoesNotCountAFromBehindALineOfText) {
    // fix_up() puts an empty line in front of `text`, so no later hop counts it either.
    EXPECT_EQ(summary("From: a@x.example\r\ntext\r\nFrom: b@y.example\r\n\r\n").from_count, 1U);
}

TEST(PolicyHeader, ReportsWhiteSpaceBeforeTheColon) {
    const PolicyHeader header = summary("From : a@x.example\r\n\r\n");
    ASSERT_EQ(header.fields.size(), 1U);
    EXPECT_THAT(header.fields[0].error, HasSubstr("white space"));
    EXPECT_THAT(header.fields[0].mailboxes, IsEmpty());
}

TEST(PolicyHeader, ReportsWhyAFieldDoesNotParse) {
    const PolicyHeader header = summary("From: a@x.example <b@y.example>\r\n\r\n");
    ASSERT_EQ(header.fields.size(), 1U);
    EXPECT_THAT(header.fields[0].error, HasSubstr("quote the name"));
    EXPECT_THAT(header.fields[0].error, HasSubstr("octet 13"));
    EXPECT_THAT(header.fields[0].mailboxes, IsEmpty());
}

TEST(PolicyHeader, TakesOneAddressInSender) {
    const PolicyHeader header = summary("Sender: a@x.example, b@x.example\r\n\r\n");
    ASSERT_EQ(header.fields.size(), 1U);
    EXPECT_THAT(header.fields[0].error, HasSubstr("several addresses"));
}

TEST(PolicyHeader, GivesNoMailboxForAnEmptyGroup) {
    const PolicyHeader header = summary("From: nobody:;\r\n\r\n");
    ASSERT_EQ(header.fields.size(), 1U);
    EXPECT_THAT(header.fields[0].error, IsEmpty());
    EXPECT_THAT(header.fields[0].mailboxes, IsEmpty());
}

TEST(PolicyHeader, PassesOnTheProblemOfTheSection) {
    EXPECT_THAT(summary("Subject: x\nFrom: a@x.example\r\n\r\n").problem,
                HasSubstr("bare CR or LF"));
    EXPECT_THAT(summary("From\r\n : a@x.example\r\n\r\n").problem, HasSubstr("`From`"));
}

TEST(PolicyHeader, FindsNothingInAMessageWithoutHeader) {
    const PolicyHeader header = summary("Hello\r\nFrom: a@x.example\r\n");
    EXPECT_EQ(header.from_count, 0U);
    EXPECT_THAT(header.fields, IsEmpty());
}

}  // namespace
}  // namespace outpost::message

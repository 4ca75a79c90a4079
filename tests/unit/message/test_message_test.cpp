#include "message/test_message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"
#include "message/address_list.hpp"
#include "message/header_reader.hpp"

namespace outpost::message {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Optional;

TestMessage test() {
    return {.id = base::MessageId{1},
            .hostname = "relay.example.com",
            .upstream = "office",
            .from = "postmaster@example.com",
            .to = "ann@example.org",
            .now = base::WallTime(std::chrono::milliseconds(1'800'000'000'000)),
            .random = "k2j9x"};
}

std::string value(const HeaderSection& header, FieldKind kind) {
    const HeaderField* const field = header.find(kind);
    return field == nullptr ? "(none)" : std::string(base::trim(field->value));
}

TEST(TestMessage, SaysWhoSentItByWhichHostAndUpstreamAndWhen) {
    const std::string octets = build_test_message(test());
    const auto header = read_header(octets);
    EXPECT_EQ(value(header, FieldKind::subject), "Test from Outpost (office)");
    EXPECT_EQ(value(header, FieldKind::date), "Fri, 15 Jan 2027 08:00:00 +0000");
    EXPECT_EQ(value(header, FieldKind::message_id),
              "<" + base::MessageId{1}.text() + ".k2j9x@relay.example.com>");
    const auto from = parse_address_list(value(header, FieldKind::from));
    ASSERT_TRUE(from);
    EXPECT_EQ(from->at(0).address(), "postmaster@example.com");
    const std::string body = octets.substr(header.body_offset);
    EXPECT_THAT(body, HasSubstr("An operator of Outpost has sent it"));
    EXPECT_THAT(body, HasSubstr("Host:     relay.example.com\r\n"));
    EXPECT_THAT(body, HasSubstr("Upstream: office\r\n"));
    EXPECT_THAT(body, HasSubstr("Sent:     Fri, 15 Jan 2027 08:00:00 +0000\r\n"));
}

TEST(TestMessage, HasOnlyWholeLines) {
    std::string octets = build_test_message(test());
    for (std::size_t at = 0; (at = octets.find("\r\n", at)) != std::string::npos;)
        octets.erase(at, 2);
    EXPECT_THAT(octets, Not(::testing::AnyOf(HasSubstr("\r"), HasSubstr("\n"))));
    EXPECT_TRUE(build_test_message(test()).ends_with("\r\n"));
}

TEST(TestMessage, ASubjectOfOtherLettersIsEncoded) {
    TestMessage german = test();
    german.subject = "Prüfung";
    EXPECT_THAT(build_test_message(german), HasSubstr("Subject: =?UTF-8?b?UHLDvGZ1bmc=?=\r\n"));
}

TEST(TestMessage, AnUpstreamOfOtherLettersMakesItEightBit) {
    EXPECT_THAT(build_test_message(test()), HasSubstr("charset=us-ascii\r\n"
                                                      "Content-Transfer-Encoding: 7bit\r\n"));
    TestMessage german = test();
    german.upstream = "büro";
    EXPECT_THAT(build_test_message(german), HasSubstr("charset=utf-8\r\n"
                                                      "Content-Transfer-Encoding: 8bit\r\n"));
}

TEST(TestMessage, ASubjectThatCouldForgeAFieldIsRefused) {
    EXPECT_EQ(subject_fault("Hello there"), std::nullopt);
    EXPECT_EQ(subject_fault(std::string(255, 'x')), std::nullopt);
    EXPECT_THAT(subject_fault("Hi\r\nBcc: all@example.org"),
                Optional(HasSubstr("subject \"Hi??Bcc: all@example.org\" has control characters")));
    EXPECT_TRUE(subject_fault("a\nb"));
    EXPECT_TRUE(subject_fault(std::string("a\0b", 3)));
    EXPECT_THAT(subject_fault("caf\xe9"), Optional(HasSubstr("is not UTF-8")));
    EXPECT_THAT(subject_fault(std::string(256, 'x')), Optional(HasSubstr("has 256 octets")));
}

}  // namespace
}  // namespace outpost::message

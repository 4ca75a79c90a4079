#include "message/trace_headers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace outpost::message {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using std::literals::chrono_literals::operator""s;

TraceFacts facts() {
    return {.hostname = "relay.example.com",
            .client_address = "192.0.2.1",
            .client_name = {},
            .helo = "client.example",
            .esmtp = true,
            .tls = true,
            .authenticated = true,
            .smtputf8 = false,
            .tls_text = {},
            .account = {},
            .recipient = {},
            .id = *base::MessageId::parse("0ABCDEFGH1"),
            .now = base::WallTime(1'795'298'213s),
            .random = "r4nd0m"};
}

std::string fixed(std::string_view message) {
    const FixedHeader result = fix_up(message, read_header(message), facts());
    return result.head + std::string(message.substr(result.data_offset));
}

/// What fix_up made, without our Received field.
std::string without_received(std::string_view message) {
    const std::string all = fixed(message);
    const std::string ours = received_field(facts());
    EXPECT_THAT(all, StartsWith(ours));
    return all.substr(ours.size());
}

TEST(ReceivedField, SaysWhoHowAndWhen) {
    EXPECT_EQ(received_field(facts()),
              "Received: from client.example ([192.0.2.1]) by relay.example.com\r\n"
              "\twith ESMTPSA id 0ABCDEFGH1; Sat, 21 Nov 2026 21:56:53 +0000\r\n");
}

TEST(ReceivedField, ShowsTlsAccountNameAndTheOnlyRecipient) {
    TraceFacts all = facts();
    all.client_name = "host.client.example";
    all.client_address = "2001:db8::1";
    all.tls_text = "TLSv1.3 with cipher TLS_AES_256_GCM_SHA384";
    all.account = "newsletter";
    all.recipient = "bob@example.org";
    EXPECT_EQ(received_field(all),
              "Received: from client.example (host.client.example [IPv6:2001:db8::1])\r\n"
              "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)\r\n"
              "\t(account newsletter) by relay.example.com with ESMTPSA id 0ABCDEFGH1\r\n"
              "\tfor <bob@example.org>; Sat, 21 Nov 2026 21:56:53 +0000\r\n");
}

TEST(ReceivedField, StaysUnder78Columns) {
    TraceFacts all = facts();
    all.account = "an-account-with-quite-a-long-name-indeed";
    all.recipient = "someone-with-a-long-name@department.example.org";
    std::string field = received_field(all);
    for (std::size_t from = 0; from < field.size();) {
        const auto end = field.find("\r\n", from);
        EXPECT_LT(end - from, 78U) << field;
        from = end + 2;
    }
}

TEST(ReceivedField, MakesWhatTheClientChoseHarmless) {
    TraceFacts evil = facts();
    evil.helo = "x)\r\nFrom: evil (y;\x01\xc3\xbc";
    evil.account = "a)(b\\\n";
    evil.client_name = "n\r\nX: y";
    const std::string field = received_field(evil);
    EXPECT_EQ(read_header(field + "\r\n").fields.size(), 1U) << field;
    EXPECT_FALSE(read_header(field + "\r\n").problem);
    EXPECT_THAT(field, HasSubstr("from x?"));
    EXPECT_THAT(field, HasSubstr("(account a??b?"));
}

TEST(ReceivedField, NamesTheProtocol) {
    TraceFacts all = facts();
    EXPECT_EQ(protocol_name(all), "ESMTPSA");
    all.tls = false;
    EXPECT_EQ(protocol_name(all), "ESMTPA");
    all.authenticated = false;
    EXPECT_EQ(protocol_name(all), "ESMTP");
    all.tls = true;
    EXPECT_EQ(protocol_name(all), "ESMTPS");
    all.esmtp = false;
    EXPECT_EQ(protocol_name(all), "SMTP");
    all.smtputf8 = true;
    EXPECT_EQ(protocol_name(all), "UTF8SMTPS");
    all.authenticated = true;
    EXPECT_EQ(protocol_name(all), "UTF8SMTPSA");
}

constexpr std::string_view whole =
    "From: a@b.example\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@b.example>\r\n";

TEST(FixUp, LeavesACompleteMessageWhereItIs) {
    const std::string message = std::string(whole) + "\r\nBody\r\n";
    const FixedHeader result = fix_up(message, read_header(message), facts());
    EXPECT_EQ(result.data_offset, 0U);
    EXPECT_EQ(result.head, received_field(facts()));
}

TEST(FixUp, AddsDateAndMessageIdWhereMissing) {
    EXPECT_EQ(without_received("From: a@b.example\r\nSubject: x\r\n\r\nBody\r\n"),
              "From: a@b.example\r\nSubject: x\r\nDate: Sat, 21 Nov 2026 21:56:53 +0000\r\n"
              "Message-ID: <0ABCDEFGH1.r4nd0m@relay.example.com>\r\n\r\nBody\r\n");
}

TEST(FixUp, AddsOnlyWhatIsMissing) {
    EXPECT_EQ(without_received("message-id: <1@b.example>\r\n\r\n"),
              "message-id: <1@b.example>\r\nDate: Sat, 21 Nov 2026 21:56:53 +0000\r\n\r\n");
}

TEST(FixUp, TakesOutEveryBccAndReturnPath) {
    const std::string message =
        "Return-Path: <x@y.example>\r\nBcc: one@b.example,\r\n two@b.example\r\n" +
        std::string(whole) +
        "bcc : three@b.example\r\nX-Odd :  kept\r\n  as is\r\nResent-Bcc: four@b.example\r\n"
        "RETURN-PATH: <z@y.example>\r\nX-Last: Bcc: no\r\n\r\nBcc: five@b.example\r\n";
    EXPECT_EQ(without_received(message), std::string(whole) +
                                             "X-Odd :  kept\r\n  as is\r\nX-Last: Bcc: no\r\n\r\n"
                                             "Bcc: five@b.example\r\n");
    const FixedHeader result = fix_up(message, read_header(message), facts());
    EXPECT_EQ(message.substr(result.data_offset), "X-Last: Bcc: no\r\n\r\nBcc: five@b.example\r\n");
}

TEST(FixUp, TakesOutWhatAProviderWouldObeyUnlessTheAccountMay) {
    const std::string fields = "X-SMTPAPI: {\"to\": [\"a@b.example\"]}\r\nx-mc-Track: no\r\n";
    const std::string kept = "X-Mcx: 1\r\nX-Mailer: some\r\n";
    const std::string message = std::string(whole) + fields + kept + "\r\nX-SMTPAPI: body\r\n";
    EXPECT_EQ(without_received(message), std::string(whole) + kept + "\r\nX-SMTPAPI: body\r\n");
    auto trusted = facts();
    trusted.provider_headers = true;
    const FixedHeader result = fix_up(message, read_header(message), trusted);
    EXPECT_EQ(result.data_offset, 0U);
}

TEST(FixUp, TakesOutABccAtTheVeryEnd) {
    EXPECT_EQ(without_received(std::string(whole) + "Bcc: x@b.example\r\n\r\nBody\r\n"),
              std::string(whole) + "\r\nBody\r\n");
}

TEST(FixUp, PutsTheMissingEmptyLineBeforeTheBody) {
    // A reader that skips bad lines would take the second From for the sender.
    EXPECT_EQ(without_received(std::string(whole) + "text\r\nFrom: evil@y.example\r\n\r\n"),
              std::string(whole) + "\r\ntext\r\nFrom: evil@y.example\r\n\r\n");
    EXPECT_EQ(without_received(std::string(whole)), std::string(whole) + "\r\n");
}

TEST(FixUp, KeepsAnIndentedFirstLineFromContinuingOurReceived) {
    EXPECT_THAT(without_received(" From: evil@y.example\r\n"),
                testing::EndsWith("\r\n\r\n From: evil@y.example\r\n"));
    EXPECT_EQ(read_header(fixed(" x: y\r\n")).fields.size(), 3U);
}

TEST(FixUp, EndsALastFieldWithoutLineEnd) {
    EXPECT_EQ(without_received("Date: x\r\nMessage-ID: <y@z>"),
              "Date: x\r\nMessage-ID: <y@z>\r\n\r\n");
}

TEST(FixUp, TakesAnEmptyMessage) {
    EXPECT_THAT(without_received(""), StartsWith("Date: "));
    EXPECT_THAT(without_received("\r\n"), testing::EndsWith(">\r\n\r\n"));
}

TEST(FixUp, KeepsEveryOtherOctet) {
    const std::string message = std::string(whole) +
                                "X-Strange:\t \"a\\\"b\"  ;\r\n\t\r\n  z\r\nX-8: \xff\xfe\r\n\r\n" +
                                std::string(2000, 'x') + "\r\n..\r\n.\r\n no end";
    EXPECT_EQ(without_received(message), message);
}

}  // namespace
}  // namespace outpost::message

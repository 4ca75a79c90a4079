#include "smtp/extensions.hpp"

#include <gtest/gtest.h>

namespace outpost::smtp {
namespace {

Extensions parse(std::vector<std::string> lines) {
    lines.insert(lines.begin(), "mail.example.com greets you");
    return parse_extensions(lines);
}

TEST(Extensions, AreWrittenAsAnEhloReply) {
    const Extensions offered{.starttls = true,
                             .pipelining = true,
                             .eight_bit_mime = true,
                             .smtputf8 = true,
                             .chunking = true,
                             .binary_mime = true,
                             .dsn = true,
                             .enhanced_status_codes = true,
                             .mt_priority = true,
                             .auth = {"PLAIN", "SCRAM-SHA-256"},
                             .size = 26214400,
                             .mail_max = 100,
                             .rcpt_max = 1000,
                             .rcpt_domain_max = {}};
    EXPECT_EQ(ehlo_reply("relay.example.com", offered).wire(),
              "250-relay.example.com\r\n"
              "250-PIPELINING\r\n"
              "250-STARTTLS\r\n"
              "250-8BITMIME\r\n"
              "250-SMTPUTF8\r\n"
              "250-CHUNKING\r\n"
              "250-BINARYMIME\r\n"
              "250-DSN\r\n"
              "250-ENHANCEDSTATUSCODES\r\n"
              "250-MT-PRIORITY\r\n"
              "250-SIZE 26214400\r\n"
              "250-AUTH PLAIN SCRAM-SHA-256\r\n"
              "250 LIMITS MAILMAX=100 RCPTMAX=1000\r\n");
    EXPECT_EQ(parse_extensions(ehlo_reply("relay.example.com", offered).lines), offered);
}

TEST(Extensions, SayUntilWhenMailIsHeldAndHowSoonItIsReturned) {
    Extensions offered;
    offered.deliver_by = 0;
    offered.future_release = {.max_interval = std::chrono::hours(1),
                              .max_time = base::WallTime(std::chrono::seconds(1'795'298'213))};
    EXPECT_EQ(ehlo_reply("relay.example.com", offered).wire(),
              "250-relay.example.com\r\n"
              "250-DELIVERBY\r\n"
              "250 FUTURERELEASE 3600 2026-11-21T21:56:53Z\r\n");
    offered.deliver_by = 60;
    EXPECT_EQ(ehlo_reply("relay.example.com", offered).lines[1], "DELIVERBY 60");
}

TEST(Extensions, ReadTheLeastTimeOfDeliverBy) {
    EXPECT_EQ(parse({"DELIVERBY"}).deliver_by, 0U);
    EXPECT_EQ(parse({"deliverby 120"}).deliver_by, 120U);
    EXPECT_EQ(parse({"DELIVERBY 120,FUTURE=1"}).deliver_by, 120U);
    EXPECT_EQ(parse({"DELIVERBY FUTURE"}).deliver_by, 0U);
    EXPECT_EQ(parse({"PIPELINING"}).deliver_by, std::nullopt);
}

TEST(Extensions, AreLeftOutWhereNotOffered) {
    EXPECT_EQ(ehlo_reply("relay.example.com", {}).wire(), "250 relay.example.com\r\n");
}

TEST(Extensions, AreReadLeniently) {
    EXPECT_TRUE(parse({"pipelining"}).pipelining);
    EXPECT_TRUE(parse({"8BitMime extra"}).eight_bit_mime);
    EXPECT_TRUE(parse({"STARTTLS "}).starttls);
    EXPECT_TRUE(parse({"MT-PRIORITY MIXER"}).mt_priority);
    EXPECT_EQ(parse({"XFORWARD NAME ADDR", "", "X-UNKNOWN=1", "VRFY"}), Extensions{});
    EXPECT_EQ(parse_extensions({}), Extensions{});
}

TEST(Extensions, AreNotReadFromTheGreeting) {
    const std::vector<std::string> lines{"STARTTLS"};
    EXPECT_EQ(parse_extensions(lines), Extensions{});
}

TEST(Extensions, ReadSize) {
    EXPECT_EQ(parse({"SIZE 35882577"}).size, 35882577U);
    EXPECT_EQ(parse({"size  0"}).size, 0U);
    EXPECT_EQ(parse({"SIZE"}).size, 0U);
    EXPECT_FALSE(parse({"SIZE many"}).size);
    EXPECT_FALSE(parse({"SIZE -1"}).size);
    EXPECT_FALSE(parse({"SIZE 99999999999999999999"}).size);
    EXPECT_FALSE(parse({"8BITMIME"}).size);
}

TEST(Extensions, ReadBothFormsOfAuth) {
    using Mechanisms = std::vector<std::string>;
    EXPECT_EQ(parse({"AUTH PLAIN login"}).auth, (Mechanisms{"PLAIN", "LOGIN"}));
    EXPECT_EQ(parse({"AUTH=PLAIN LOGIN"}).auth, (Mechanisms{"PLAIN", "LOGIN"}));
    EXPECT_EQ(parse({"AUTH PLAIN", "AUTH=plain CRAM-MD5"}).auth, (Mechanisms{"PLAIN", "CRAM-MD5"}));
    EXPECT_EQ(parse({"AUTH"}).auth, Mechanisms{});
    EXPECT_TRUE(parse({"AUTH plain"}).has_auth("PLAIN"));
    EXPECT_FALSE(parse({"AUTH plain"}).has_auth("LOGIN"));
}

TEST(Extensions, ReadLimits) {
    const auto limits = parse({"LIMITS rcptmax=20 MAILMAX=5 X=1 RCPTDOMAINMAX=999999"});
    EXPECT_EQ(limits.rcpt_max, 20U);
    EXPECT_EQ(limits.mail_max, 5U);
    EXPECT_EQ(limits.rcpt_domain_max, 999999U);
    for (const auto* const line : {"LIMITS RCPTMAX=0", "LIMITS RCPTMAX=", "LIMITS RCPTMAX",
                                   "LIMITS RCPTMAX=-1", "LIMITS RCPTMAX=1000000", "LIMITS"}) {
        EXPECT_FALSE(parse({line}).rcpt_max) << line;
    }
}

}  // namespace
}  // namespace outpost::smtp

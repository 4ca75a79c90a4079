#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "smtp/command_parser.hpp"

namespace outpost::smtp {
namespace {

std::optional<MailCommand> mail(std::string_view line) {
    const auto command = parse_command(line, false);
    return command ? std::optional(std::get<MailCommand>(*command)) : std::nullopt;
}

TEST(MailCommand, ReadsTheReversePath) {
    const std::pair<std::string, std::optional<Mailbox>> cases[] = {
        {"MAIL FROM:<a@x.org>", Mailbox{"a", "x.org"}},
        {"mail from:<a@x.org>", Mailbox{"a", "x.org"}},
        {"MAIL FROM: <a@x.org>", Mailbox{"a", "x.org"}},
        {"MAIL  FROM:<a@x.org> ", Mailbox{"a", "x.org"}},
        {"MAIL FROM:<>", std::nullopt},
        {"MAIL FROM:<> SIZE=1", std::nullopt},
        {R"(MAIL FROM:<"a> b\">"@x.org>)", Mailbox{R"(a> b">)", "x.org"}},
        {"MAIL FROM:<a@[192.0.2.1]>", Mailbox{"a", "[192.0.2.1]"}},
        {"MAIL FROM:<a=b@x.org> SIZE=1", Mailbox{"a=b", "x.org"}},
        {"MAIL FROM:<ö@ö.org> SMTPUTF8", Mailbox{"ö", "ö.org"}},
    };
    for (const auto& [line, expected] : cases) {
        SCOPED_TRACE(line);
        const auto command = mail(line);
        ASSERT_TRUE(command);
        EXPECT_EQ(command->reverse_path, expected);
    }
}

TEST(MailCommand, ReadsEveryParameter) {
    const auto command = mail(
        "MAIL FROM:<a@x.org> SIZE=12345 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=id+2B1 "
        "AUTH=<> MT-PRIORITY=-4");
    ASSERT_TRUE(command);
    const MailCommand expected{.reverse_path = Mailbox{"a", "x.org"},
                               .size = 12345,
                               .body = BodyType::eight_bit_mime,
                               .smtputf8 = true,
                               .ret = Ret::headers,
                               .envid = "id+2B1",
                               .mt_priority = -4};
    EXPECT_EQ(*command, expected);
}

TEST(MailCommand, ReadsEachValue) {
    EXPECT_EQ(mail("MAIL FROM:<> size=0")->size, 0U);
    EXPECT_EQ(mail("MAIL FROM:<> SIZE=18446744073709551615")->size,
              std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(mail("MAIL FROM:<> SIZE=99999999999999999999")->size,
              std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(mail("MAIL FROM:<> body=7bit")->body, BodyType::seven_bit);
    EXPECT_EQ(mail("MAIL FROM:<> BODY=BinaryMime")->body, BodyType::binary_mime);
    EXPECT_EQ(mail("MAIL FROM:<> RET=full")->ret, Ret::full);
    EXPECT_EQ(mail("MAIL FROM:<> MT-PRIORITY=9")->mt_priority, 9);
    EXPECT_EQ(mail("MAIL FROM:<> MT-PRIORITY=0")->mt_priority, 0);
    EXPECT_EQ(mail("MAIL FROM:<> MT-PRIORITY=-9")->mt_priority, -9);
    EXPECT_EQ(mail("MAIL FROM:<> ENVID=" + std::string(100, 'e'))->envid, std::string(100, 'e'));
    EXPECT_EQ(mail("MAIL FROM:<> AUTH=e+3Dmc2@example.com"), mail("MAIL FROM:<>"));
}

TEST(MailCommand, ReadsWhenToReleaseTheMessage) {
    using std::chrono::seconds;
    EXPECT_EQ(mail("MAIL FROM:<> holdfor=1")->hold_for, seconds(1));
    EXPECT_EQ(mail("MAIL FROM:<> HOLDFOR=999999999")->hold_for, seconds(999'999'999));
    EXPECT_EQ(mail("MAIL FROM:<> HOLDUNTIL=2030-01-31T09:00:00.25+01:00")->hold_until,
              base::parse_rfc3339("2030-01-31T08:00:00.250Z"));
}

TEST(MailCommand, ReadsByWhenToDeliverTheMessage) {
    using enum DeliverBy::Mode;
    using std::chrono::seconds;
    const std::pair<std::string, ByParameter> cases[] = {
        {"BY=120;R", {seconds(120), return_mail, false}},
        {"by=+120;rt", {seconds(120), return_mail, true}},
        {"BY=999999999;N", {seconds(999'999'999), notify, false}},
        {"BY=0;N", {seconds(0), notify, false}},
        {"BY=-120;NT", {seconds(-120), notify, true}},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(mail("MAIL FROM:<> " + text)->by, expected) << text;
}

struct Refused {
    std::string_view name;
    std::string line;
    CommandFault fault;
    std::string text;
};

TEST(MailCommand, RefusesWithItsOwnFault) {
    using enum CommandFault;
    const Refused cases[] = {
        {"no argument", "MAIL", missing_argument, ""},
        {"no FROM", "MAIL <a@x.org>", bad_argument, "<a@x.org>"},
        {"TO", "MAIL TO:<a@x.org>", bad_argument, "TO:<a@x.org>"},
        {"blank before the colon", "MAIL FROM :<a@x.org>", bad_argument, "FROM :<a@x.org>"},
        {"nothing after the colon", "MAIL FROM:", bad_reverse_path, ""},
        {"no brackets", "MAIL FROM:a@x.org", bad_reverse_path, "a@x.org"},
        {"open bracket", "MAIL FROM:<a@x.org", bad_reverse_path, "<a@x.org"},
        {"bracket within an open quote", "MAIL FROM:<\"a@x.org>", bad_reverse_path, "<\"a@x.org>"},
        {"text after the bracket", "MAIL FROM:<a@x.org>SIZE=1", bad_reverse_path,
         "<a@x.org>SIZE=1"},
        {"no domain", "MAIL FROM:<a>", bad_reverse_path, "a"},
        {"blank path", "MAIL FROM:< >", bad_reverse_path, " "},
        {"blank around", "MAIL FROM:< a@x.org >", bad_reverse_path, " a@x.org "},
        {"display name", "MAIL FROM:A B <a@x.org>", bad_reverse_path, "A B <a@x.org>"},
        {"source route", "MAIL FROM:<@a.org,@b.org:c@x.org>", source_route,
         "@a.org,@b.org:c@x.org"},
        {"at alone is no route", "MAIL FROM:<@x.org>", bad_reverse_path, "@x.org"},
        {"utf-8 without SMTPUTF8", "MAIL FROM:<ö@x.org>", non_ascii_reverse_path, "ö@x.org"},
        {"not utf-8", "MAIL FROM:<\xF6@x.org> SMTPUTF8", bad_reverse_path, "\xF6@x.org"},
        {"control", "MAIL FROM:<a\x01@x.org>", bad_reverse_path, "a?@x.org"},
        {"unknown parameter", "MAIL FROM:<> HOLD=3", unknown_parameter, "HOLD"},
        {"parameter of RCPT", "MAIL FROM:<> NOTIFY=NEVER", unknown_parameter, "NOTIFY"},
        {"SIZE twice", "MAIL FROM:<> SIZE=1 size=1", duplicate_parameter, "size"},
        {"SMTPUTF8 twice", "MAIL FROM:<> SMTPUTF8 SMTPUTF8", duplicate_parameter, "SMTPUTF8"},
        {"no keyword", "MAIL FROM:<> =1", bad_parameter, "=1"},
        {"bad keyword", "MAIL FROM:<> SI_ZE=1", bad_parameter, "SI_ZE=1"},
        {"hyphen first", "MAIL FROM:<> -SIZE=1", bad_parameter, "-SIZE=1"},
        {"empty value", "MAIL FROM:<> SIZE=", bad_parameter, "SIZE="},
        {"two equals", "MAIL FROM:<> SIZE=1=2", bad_parameter, "SIZE=1=2"},
        {"SIZE without value", "MAIL FROM:<> SIZE", bad_parameter, "SIZE"},
        {"SIZE negative", "MAIL FROM:<> SIZE=-1", bad_parameter, "SIZE=-1"},
        {"SIZE not a number", "MAIL FROM:<> SIZE=1k", bad_parameter, "SIZE=1k"},
        {"SIZE of 21 digits", "MAIL FROM:<> SIZE=000000000000000000001", bad_parameter,
         "SIZE=000000000000000000001"},
        {"BODY other", "MAIL FROM:<> BODY=9BIT", bad_parameter, "BODY=9BIT"},
        {"SMTPUTF8 with value", "MAIL FROM:<> SMTPUTF8=1", bad_parameter, "SMTPUTF8=1"},
        {"RET other", "MAIL FROM:<> RET=NONE", bad_parameter, "RET=NONE"},
        {"ENVID without value", "MAIL FROM:<> ENVID", bad_parameter, "ENVID"},
        {"ENVID of 101", "MAIL FROM:<> ENVID=" + std::string(101, 'e'), bad_parameter,
         "ENVID=" + std::string(101, 'e')},
        {"ENVID not xtext", "MAIL FROM:<> ENVID=a+zz", bad_parameter, "ENVID=a+zz"},
        {"ENVID with a line break", "MAIL FROM:<> ENVID=a+0D+0Ab", bad_parameter, "ENVID=a+0D+0Ab"},
        {"ENVID utf-8", "MAIL FROM:<> SMTPUTF8 ENVID=ö", bad_parameter, "ENVID=ö"},
        {"AUTH not xtext", "MAIL FROM:<> AUTH=a+", bad_parameter, "AUTH=a+"},
        {"MT-PRIORITY out of range", "MAIL FROM:<> MT-PRIORITY=10", bad_parameter,
         "MT-PRIORITY=10"},
        {"MT-PRIORITY signed", "MAIL FROM:<> MT-PRIORITY=+1", bad_parameter, "MT-PRIORITY=+1"},
        {"MT-PRIORITY minus zero", "MAIL FROM:<> MT-PRIORITY=-0", bad_parameter, "MT-PRIORITY=-0"},
        {"HOLDFOR without value", "MAIL FROM:<> HOLDFOR", bad_parameter, "HOLDFOR"},
        {"HOLDFOR of nothing", "MAIL FROM:<> HOLDFOR=0", bad_parameter, "HOLDFOR=0"},
        {"HOLDFOR with a leading 0", "MAIL FROM:<> HOLDFOR=060", bad_parameter, "HOLDFOR=060"},
        {"HOLDFOR of ten digits", "MAIL FROM:<> HOLDFOR=1000000000", bad_parameter,
         "HOLDFOR=1000000000"},
        {"HOLDFOR negative", "MAIL FROM:<> HOLDFOR=-60", bad_parameter, "HOLDFOR=-60"},
        {"HOLDFOR with a unit", "MAIL FROM:<> HOLDFOR=60s", bad_parameter, "HOLDFOR=60s"},
        {"HOLDFOR twice", "MAIL FROM:<> HOLDFOR=1 HOLDFOR=1", duplicate_parameter, "HOLDFOR"},
        {"HOLDUNTIL without value", "MAIL FROM:<> HOLDUNTIL", bad_parameter, "HOLDUNTIL"},
        {"HOLDUNTIL without zone", "MAIL FROM:<> HOLDUNTIL=2030-01-31T08:00:00", bad_parameter,
         "HOLDUNTIL=2030-01-31T08:00:00"},
        {"HOLDUNTIL on no day", "MAIL FROM:<> HOLDUNTIL=2030-02-30T08:00:00Z", bad_parameter,
         "HOLDUNTIL=2030-02-30T08:00:00Z"},
        {"HOLDUNTIL twice", "MAIL FROM:<> HOLDUNTIL=2030-01-31T08:00:00Z HOLDUNTIL=x",
         duplicate_parameter, "HOLDUNTIL"},
        {"HOLDFOR and HOLDUNTIL", "MAIL FROM:<> HOLDFOR=1 HOLDUNTIL=2030-01-31T08:00:00Z",
         bad_parameter, "HOLDFOR and HOLDUNTIL"},
        {"HOLDUNTIL and HOLDFOR", "MAIL FROM:<> HOLDUNTIL=2030-01-31T08:00:00Z HOLDFOR=1",
         bad_parameter, "HOLDFOR and HOLDUNTIL"},
        {"BY without value", "MAIL FROM:<> BY", bad_parameter, "BY"},
        {"BY without mode", "MAIL FROM:<> BY=60", bad_parameter, "BY=60"},
        {"BY with an empty mode", "MAIL FROM:<> BY=60;", bad_parameter, "BY=60;"},
        {"BY without time", "MAIL FROM:<> BY=;R", bad_parameter, "BY=;R"},
        {"BY with a sign alone", "MAIL FROM:<> BY=-;N", bad_parameter, "BY=-;N"},
        {"BY with two signs", "MAIL FROM:<> BY=+-1;N", bad_parameter, "BY=+-1;N"},
        {"BY of ten digits", "MAIL FROM:<> BY=1000000000;N", bad_parameter, "BY=1000000000;N"},
        {"BY other mode", "MAIL FROM:<> BY=60;X", bad_parameter, "BY=60;X"},
        {"BY other trace", "MAIL FROM:<> BY=60;RX", bad_parameter, "BY=60;RX"},
        {"BY too long a mode", "MAIL FROM:<> BY=60;RTT", bad_parameter, "BY=60;RTT"},
        {"BY trace alone", "MAIL FROM:<> BY=60;T", bad_parameter, "BY=60;T"},
        {"BY both modes", "MAIL FROM:<> BY=60;NR", bad_parameter, "BY=60;NR"},
        {"BY at once with R", "MAIL FROM:<> BY=0;R", bad_parameter, "BY=0;R"},
        {"BY in the past with R", "MAIL FROM:<> BY=-1;RT", bad_parameter, "BY=-1;RT"},
        {"BY twice", "MAIL FROM:<> BY=60;R BY=60;R", duplicate_parameter, "BY"},
    };
    for (const auto& [name, line, fault, text] : cases) {
        SCOPED_TRACE(name);
        const auto command = parse_command(line, true);
        ASSERT_FALSE(command);
        EXPECT_EQ(command.error().fault, fault);
        EXPECT_EQ(command.error().text, text);
    }
}

TEST(MailCommand, TakesNoUtf8FromTheTransactionBefore) {
    EXPECT_FALSE(parse_command("MAIL FROM:<ö@x.org>", true));
}

}  // namespace
}  // namespace outpost::smtp

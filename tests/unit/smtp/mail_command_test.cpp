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
        {"unknown parameter", "MAIL FROM:<> HOLDFOR=3", unknown_parameter, "HOLDFOR"},
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

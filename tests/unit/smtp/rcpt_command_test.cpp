#include <gtest/gtest.h>

#include <string>

#include "smtp/command_parser.hpp"

namespace outpost::smtp {
namespace {

std::optional<RcptCommand> rcpt(std::string_view line, bool smtputf8 = false) {
    const auto command = parse_command(line, smtputf8);
    return command ? std::optional(std::get<RcptCommand>(*command)) : std::nullopt;
}

TEST(RcptCommand, ReadsTheForwardPath) {
    EXPECT_EQ(rcpt("RCPT TO:<a@x.org>")->forward_path, (Mailbox{"a", "x.org"}));
    EXPECT_EQ(rcpt("rcpt to: <a@x.org>")->forward_path, (Mailbox{"a", "x.org"}));
    EXPECT_EQ(rcpt("RCPT TO:<\"a b\"@x.org>")->forward_path, (Mailbox{"a b", "x.org"}));
    EXPECT_EQ(rcpt("RCPT TO:<ö@x.org>", true)->forward_path, (Mailbox{"ö", "x.org"}));
    EXPECT_FALSE(rcpt("RCPT TO:<a@x.org>")->is_postmaster());
}

TEST(RcptCommand, KnowsPostmasterWithoutDomain) {
    for (const auto* const line : {"RCPT TO:<Postmaster>", "RCPT TO:<POSTMASTER>"}) {
        const auto command = rcpt(line);
        ASSERT_TRUE(command);
        EXPECT_TRUE(command->is_postmaster());
    }
    EXPECT_FALSE(rcpt("RCPT TO:<postmaster@x.org>")->is_postmaster());
    EXPECT_FALSE(rcpt("RCPT TO:<webmaster>"));
}

TEST(RcptCommand, ReadsNotify) {
    const std::pair<std::string, Notify> cases[] = {
        {"", {}},
        {" NOTIFY=NEVER", {.given = true, .never = true}},
        {" notify=never", {.given = true, .never = true}},
        {" NOTIFY=SUCCESS", {.given = true, .success = true}},
        {" NOTIFY=failure,Delay", {.given = true, .failure = true, .delay = true}},
        {" NOTIFY=SUCCESS,FAILURE,DELAY",
         {.given = true, .success = true, .failure = true, .delay = true}},
        {" NOTIFY=DELAY,DELAY", {.given = true, .delay = true}},
    };
    for (const auto& [parameters, expected] : cases) {
        SCOPED_TRACE(parameters);
        const auto command = rcpt("RCPT TO:<a@x.org>" + parameters);
        ASSERT_TRUE(command);
        EXPECT_EQ(command->notify, expected);
    }
}

struct Orcpt {
    std::string value;
    bool smtputf8;
    bool good;
};

TEST(RcptCommand, ChecksOrcpt) {
    const Orcpt cases[] = {
        {"rfc822;user@example.com", false, true},
        {"rfc822;a+2Bb@example.com", false, true},
        {"x-other!;anything", false, true},
        {"RFC822;" + std::string(493, 'a'), false, true},
        {"RFC822;" + std::string(494, 'a'), false, false},
        {"rfc822;", false, false},
        {";user@example.com", false, false},
        {"user@example.com", false, false},
        {"rfc 822;a", false, false},
        {"rfc(822;a", false, false},
        {"rfc822;a+0D+0AX", false, false},
        {"rfc822;a+00", false, false},
        {"rfc822;a+C3+B6", false, false},
        {"rfc822;a+2b", false, false},
        {"rfc822;ö@x.org", true, false},
        {"utf-8;user@x.org", false, true},
        {"UTF-8;\\x{F6}@x.org", false, true},
        {"utf-8;\\x{1F600}@x.org", false, true},
        {"utf-8;a+2Bb@x.org", false, true},
        {"utf-8;ö@x.org", true, true},
        {"utf-8;ö\\x{5C}@x.org", true, true},
        {"utf-8;ö@x.org", false, false},
        {"utf-8;\xF6@x.org", true, false},
        {"utf-8;a\\b@x.org", false, false},
        {"utf-8;\\x{}@x.org", false, false},
        {"utf-8;\\x{D800}@x.org", false, false},
        {"utf-8;\\x{110000}@x.org", false, false},
        {"utf-8;\\x{0A}@x.org", false, false},
        {"utf-8;\\x{85}@x.org", false, false},
        {"utf-8;\\x{F6@x.org", false, false},
        {"utf-8;\\x{G6}@x.org", false, false},
        {"utf-8;a+0A", false, false},
        {"utf-8;", false, false},
    };
    for (const auto& [value, smtputf8, good] : cases) {
        SCOPED_TRACE(value);
        const auto command = parse_command("RCPT TO:<a@x.org> ORCPT=" + value, smtputf8);
        EXPECT_EQ(command.has_value(), good);
        if (command) {
            EXPECT_EQ(std::get<RcptCommand>(*command).orcpt, value);
        } else {
            EXPECT_EQ(command.error().fault, CommandFault::bad_parameter);
        }
    }
}

struct Refused {
    std::string_view name;
    std::string line;
    CommandFault fault;
    std::string text;
};

TEST(RcptCommand, RefusesWithItsOwnFault) {
    using enum CommandFault;
    const Refused cases[] = {
        {"no argument", "RCPT", missing_argument, ""},
        {"no TO", "RCPT <a@x.org>", bad_argument, "<a@x.org>"},
        {"null path", "RCPT TO:<>", bad_forward_path, ""},
        {"no brackets", "RCPT TO:a@x.org", bad_forward_path, "a@x.org"},
        {"two addresses", "RCPT TO:<a@x.org>,<b@x.org>", bad_forward_path, "<a@x.org>,<b@x.org>"},
        {"bad domain", "RCPT TO:<a@x..org>", bad_forward_path, "a@x..org"},
        {"source route", "RCPT TO:<@a.org:b@x.org>", source_route, "@a.org:b@x.org"},
        {"utf-8 without SMTPUTF8", "RCPT TO:<ö@x.org>", non_ascii_forward_path, "ö@x.org"},
        {"unknown parameter", "RCPT TO:<a@x.org> SIZE=1", unknown_parameter, "SIZE"},
        {"NOTIFY twice", "RCPT TO:<a@x.org> NOTIFY=NEVER NOTIFY=NEVER", duplicate_parameter,
         "NOTIFY"},
        {"ORCPT twice", "RCPT TO:<a@x.org> ORCPT=a;b ORCPT=a;b", duplicate_parameter, "ORCPT"},
        {"NEVER with others", "RCPT TO:<a@x.org> NOTIFY=NEVER,DELAY", bad_parameter,
         "NOTIFY=NEVER,DELAY"},
        {"others with NEVER", "RCPT TO:<a@x.org> NOTIFY=DELAY,NEVER", bad_parameter,
         "NOTIFY=DELAY,NEVER"},
        {"empty word", "RCPT TO:<a@x.org> NOTIFY=DELAY,", bad_parameter, "NOTIFY=DELAY,"},
        {"NOTIFY other", "RCPT TO:<a@x.org> NOTIFY=ALWAYS", bad_parameter, "NOTIFY=ALWAYS"},
        {"NOTIFY without value", "RCPT TO:<a@x.org> NOTIFY", bad_parameter, "NOTIFY"},
    };
    for (const auto& [name, line, fault, text] : cases) {
        SCOPED_TRACE(name);
        const auto command = parse_command(line, false);
        ASSERT_FALSE(command);
        EXPECT_EQ(command.error().fault, fault);
        EXPECT_EQ(command.error().text, text);
    }
}

}  // namespace
}  // namespace outpost::smtp

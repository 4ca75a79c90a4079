#include "smtp/command_parser.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace outpost::smtp {
namespace {

struct Accepted {
    std::string_view name;
    std::string line;
    Command expected;
};

TEST(CommandParser, ReadsEveryVerb) {
    using namespace std::string_literals;
    const Accepted cases[] = {
        {"EHLO", "EHLO client.example.com", EhloCommand{"client.example.com"}},
        {"EHLO literal", "EHLO [192.0.2.1]", EhloCommand{"[192.0.2.1]"}},
        {"EHLO ipv6 literal", "EHLO [IPv6:::1]", EhloCommand{"[IPv6:::1]"}},
        {"EHLO underscore", "EHLO my_host", EhloCommand{"my_host"}},
        {"EHLO unfit characters", "EHLO John's PC (x)\t\"y\"", EhloCommand{"John's?PC??x???y?"}},
        {"EHLO utf-8", "EHLO bücher.example", EhloCommand{"bücher.example"}},
        {"EHLO latin1", "EHLO b\xFC", EhloCommand{"b?"}},
        {"HELO", "HELO a", HeloCommand{"a"}},
        {"lower case", "ehlo a", EhloCommand{"a"}},
        {"mixed case", "qUiT", QuitCommand{}},
        {"blanks at the end", "QUIT  \t", QuitCommand{}},
        {"blanks between", "EHLO \t a", EhloCommand{"a"}},
        {"STARTTLS", "STARTTLS", StartTlsCommand{}},
        {"AUTH alone", "AUTH login", AuthCommand{"LOGIN", {}}},
        {"AUTH initial", "AUTH PLAIN AGEAYg==", AuthCommand{"PLAIN", "\0a\0b"s}},
        {"AUTH empty initial", "AUTH SCRAM-SHA-256 =", AuthCommand{"SCRAM-SHA-256", ""s}},
        {"DATA", "DATA", DataCommand{}},
        {"BDAT", "BDAT 100", BdatCommand{100, false}},
        {"BDAT last", "BDAT 0 last", BdatCommand{0, true}},
        {"BDAT largest", "BDAT 18446744073709551615 LAST",
         BdatCommand{std::numeric_limits<std::uint64_t>::max(), true}},
        {"RSET", "RSET", RsetCommand{}},
        {"NOOP", "NOOP", NoopCommand{}},
        {"NOOP with argument", "NOOP whatever", NoopCommand{}},
        {"VRFY", "VRFY postmaster", VrfyCommand{"postmaster"}},
        {"EXPN", "EXPN list", ExpnCommand{"list"}},
        {"HELP", "HELP", HelpCommand{}},
        {"HELP with argument", "HELP MAIL", HelpCommand{}},
        {"unknown", "XCLIENT ADDR=192.0.2.1", UnknownCommand{"XCLIENT"}},
        {"HTTP", "GET / HTTP/1.1", UnknownCommand{"GET"}},
    };
    for (const auto& [name, line, expected] : cases) {
        SCOPED_TRACE(name);
        const auto command = parse_command(line, false);
        ASSERT_TRUE(command) << command.error().text;
        EXPECT_EQ(*command, expected);
    }
}

struct Refused {
    std::string_view name;
    std::string line;
    CommandFault fault;
    std::string text;
};

TEST(CommandParser, RefusesWithItsOwnFault) {
    using enum CommandFault;
    const Refused cases[] = {
        {"empty", "", syntax, ""},
        {"blank first", " NOOP", syntax, ""},
        {"no verb", "Subject: x", syntax, "Subject:"},
        {"no blank after the verb", "MAILFROM:<a@b>", syntax, "MAILFROM:<a@b>"},
        {"octets", "\x16\x03\x01\x02", syntax, "????"},
        {"EHLO alone", "EHLO", missing_argument, ""},
        {"HELO with blanks", "HELO  ", missing_argument, ""},
        {"EHLO too long", "EHLO " + std::string(256, 'x'), bad_argument,
         std::string(128, 'x') + "..."},
        {"STARTTLS with argument", "STARTTLS now", unexpected_argument, "now"},
        {"DATA with argument", "DATA x", unexpected_argument, "x"},
        {"QUIT with argument", "QUIT x", unexpected_argument, "x"},
        {"RSET with argument", "RSET x", unexpected_argument, "x"},
        {"AUTH alone", "AUTH", missing_argument, ""},
        {"AUTH bad mechanism", "AUTH PL*IN", bad_argument, ""},
        {"AUTH mechanism too long", "AUTH ABCDEFGHIJKLMNOPQRSTU", bad_argument, ""},
        {"AUTH not base64", "AUTH PLAIN secret", bad_base64, ""},
        {"AUTH two responses", "AUTH PLAIN c2VjcmV0 c2VjcmV0", unexpected_argument, ""},
        {"BDAT alone", "BDAT", missing_argument, ""},
        {"BDAT no number", "BDAT x", bad_argument, "x"},
        {"BDAT negative", "BDAT -1", bad_argument, "-1"},
        {"BDAT signed", "BDAT +1", bad_argument, "+1"},
        {"BDAT hex", "BDAT 0x10", bad_argument, "0x10"},
        {"BDAT over 64 bits", "BDAT 18446744073709551616", bad_argument, "18446744073709551616"},
        {"BDAT other word", "BDAT 1 FIRST", bad_argument, "1 FIRST"},
        {"BDAT two words", "BDAT 1 LAST LAST", bad_argument, "1 LAST LAST"},
        {"BDAT last alone", "BDAT LAST", bad_argument, "LAST"},
        {"VRFY alone", "VRFY", missing_argument, ""},
        {"EXPN alone", "EXPN", missing_argument, ""},
    };
    for (const auto& [name, line, fault, text] : cases) {
        SCOPED_TRACE(name);
        const auto command = parse_command(line, false);
        ASSERT_FALSE(command);
        EXPECT_EQ(command.error().fault, fault);
        EXPECT_EQ(command.error().text, text);
    }
}

TEST(CommandParser, NeverShowsWhatFollowsAuth) {
    for (const std::string line :
         {"AUTH PLAIN hunter2", "AUTH hunter2! x", "AUTH PLAIN hunter2 hunter2"}) {
        const auto command = parse_command(line, false);
        ASSERT_FALSE(command);
        EXPECT_FALSE(reply_to(command.error()).wire().contains("hunter2")) << line;
    }
}

TEST(CommandError, HasItsReply) {
    const std::tuple<CommandFault, int, EnhancedStatus> cases[] = {
        {CommandFault::syntax, 500, {5, 5, 2}},
        {CommandFault::missing_argument, 501, {5, 5, 4}},
        {CommandFault::bad_argument, 501, {5, 5, 4}},
        {CommandFault::unexpected_argument, 501, {5, 5, 4}},
        {CommandFault::bad_base64, 501, {5, 5, 2}},
        {CommandFault::bad_reverse_path, 501, {5, 1, 7}},
        {CommandFault::bad_forward_path, 501, {5, 1, 3}},
        {CommandFault::source_route, 501, {5, 1, 7}},
        {CommandFault::non_ascii_reverse_path, 550, {5, 6, 7}},
        {CommandFault::non_ascii_forward_path, 553, {5, 6, 7}},
        {CommandFault::bad_parameter, 501, {5, 5, 4}},
        {CommandFault::duplicate_parameter, 501, {5, 5, 4}},
        {CommandFault::unknown_parameter, 555, {5, 5, 4}},
    };
    for (const auto& [fault, code, status] : cases) {
        const auto reply = reply_to({fault, "", ""});
        EXPECT_EQ(reply.code, code);
        EXPECT_EQ(reply.status, status);
        EXPECT_FALSE(reply.lines.front().empty());
    }
}

TEST(CommandError, NamesTextAndExpectation) {
    const auto reply = reply_to({CommandFault::bad_parameter, "SIZE=ö", "a number of octets"});
    EXPECT_EQ(reply.text(),
              "501 5.5.4 Parameter with a wrong value: SIZE=??; expected a number of octets");
}

}  // namespace
}  // namespace outpost::smtp

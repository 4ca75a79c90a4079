#include "smtp/server_machine.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "smtp/command_parser.hpp"

namespace outpost::smtp {

using Kind = Action::Kind;

static void PrintTo(const Action& action, std::ostream* out) {
    *out << "{kind " << static_cast<int>(action.kind) << ", refusal "
         << static_cast<int>(action.refusal) << ", octets " << action.octets << "}";
}

namespace {

Action does(Kind kind, std::uint64_t octets = 0) {
    return {.kind = kind, .octets = octets};
}
Action refuses(Refusal why) {
    return {.kind = Kind::refuse, .refusal = why};
}
Action discards(std::uint64_t octets, Refusal why) {
    return {.kind = Kind::discard_chunk, .refusal = why, .octets = octets};
}
Action closes() {
    return {.kind = Kind::refuse_and_close, .refusal = Refusal::too_many_errors};
}

/// A machine that takes lines, and says yes to whatever it asks for.
class Driver {
  public:
    explicit Driver(const ServerRules& rules) : machine(rules) {}

    Action line(std::string_view text) { return machine.step(parse_command(text, true).value()); }
    Action happens(ServerEvent event) { return machine.step(event); }
    /// The line and what a session would do about it.
    void run(std::string_view text) {
        switch (line(text).kind) {
            case Kind::start_tls: happens(ServerEvent::tls_established); break;
            case Kind::authenticate: happens(ServerEvent::authenticated); break;
            case Kind::check_sender: happens(ServerEvent::sender_accepted); break;
            case Kind::check_recipient: happens(ServerEvent::recipient_accepted); break;
            case Kind::read_chunk: happens(ServerEvent::chunk_taken); break;
            default: break;
        }
    }
    void run(std::initializer_list<std::string_view> lines) {
        for (const auto text : lines) run(text);
    }

    ServerMachine machine;
};

constexpr ServerRules trusted{.starttls = false, .require_tls = false, .trusted = true};
constexpr ServerRules open_port{.starttls = false, .require_tls = false};

struct Phase {
    std::string_view name;
    std::vector<std::string_view> lines;
};
const std::vector<Phase>& phases() {
    static const std::vector<Phase> all{
        {"fresh", {}},
        {"greeted", {"EHLO c"}},
        {"mail", {"EHLO c", "MAIL FROM:<a@b.c>"}},
        {"recipients", {"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>"}},
        {"chunks", {"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>", "BDAT 5"}},
    };
    return all;
}

TEST(ServerMachine, KnowsWhichCommandMayComeWhen) {
    using enum Refusal;
    struct Row {
        std::string_view line;
        std::vector<Action> in_phase;
    };
    const auto always = [](const Action& action) { return std::vector<Action>(5, action); };
    const std::vector<Row> rows{
        {"EHLO c", always(does(Kind::greet))},
        {"HELO c", always(does(Kind::greet))},
        {"RSET", always(does(Kind::reset))},
        {"NOOP", always(does(Kind::acknowledge))},
        {"VRFY x", always(does(Kind::verify))},
        {"EXPN x", always(refuses(expn))},
        {"HELP", always(does(Kind::help))},
        {"QUIT", always(does(Kind::quit))},
        {"FOO", always(refuses(unknown_command))},
        {"AUTH PLAIN", always(refuses(authenticated_already))},
        {"STARTTLS", always(refuses(tls_not_offered))},
        {"MAIL FROM:<x@y.z>",
         {refuses(ehlo_first), does(Kind::check_sender), refuses(nested_mail), refuses(nested_mail),
          refuses(bdat_begun)}},
        {"RCPT TO:<x@y.z>",
         {refuses(mail_first), refuses(mail_first), does(Kind::check_recipient),
          does(Kind::check_recipient), refuses(bdat_begun)}},
        {"DATA",
         {refuses(mail_first), refuses(mail_first), refuses(recipient_first), does(Kind::read_data),
          refuses(bdat_begun)}},
        {"BDAT 7",
         {discards(7, mail_first), discards(7, mail_first), discards(7, recipient_first),
          does(Kind::read_chunk, 7), does(Kind::read_chunk, 7)}},
    };
    for (const Row& row : rows)
        for (std::size_t i = 0; i < phases().size(); ++i) {
            Driver driver(trusted);
            for (const auto line : phases()[i].lines) driver.run(line);
            EXPECT_EQ(driver.line(row.line), row.in_phase[i])
                << row.line << " in phase " << phases()[i].name;
        }
}

TEST(ServerMachine, RefusesMailBeforeTls) {
    Driver driver({});
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), refuses(Refusal::starttls_first));
    driver.run("EHLO c");
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), refuses(Refusal::starttls_first));
}

TEST(ServerMachine, RefusesAuthBeforeTls) {
    Driver driver({});
    driver.run("EHLO c");
    EXPECT_EQ(driver.line("AUTH PLAIN"), refuses(Refusal::auth_in_clear));
    EXPECT_FALSE(driver.machine.offers_auth());
    EXPECT_TRUE(driver.machine.offers_starttls());
}

TEST(ServerMachine, TakesAuthInTheClearWhereTheListenerAllowsIt) {
    Driver driver(open_port);
    driver.run("EHLO c");
    EXPECT_TRUE(driver.machine.offers_auth());
    EXPECT_EQ(driver.line("AUTH PLAIN"), does(Kind::authenticate));
}

TEST(ServerMachine, RefusesMailBeforeAuth) {
    Driver driver({});
    driver.run({"EHLO c", "STARTTLS", "EHLO c"});
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), refuses(Refusal::authentication_first));
    driver.run("AUTH PLAIN");
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), does(Kind::check_sender));
}

TEST(ServerMachine, RefusesMailOfAHeloClientForWantOfAuth) {
    Driver driver(open_port);
    driver.run("HELO c");
    EXPECT_EQ(driver.line("AUTH PLAIN"), refuses(Refusal::auth_needs_ehlo));
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), refuses(Refusal::authentication_first));
}

TEST(ServerMachine, TakesMailOfATrustedHeloClient) {
    Driver driver(trusted);
    driver.run({"HELO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>"});
    EXPECT_FALSE(driver.machine.extended());
    EXPECT_EQ(driver.line("DATA"), does(Kind::read_data));
}

TEST(ServerMachine, ForgetsAllAfterStartTls) {
    Driver driver({.require_tls = false});
    driver.run({"EHLO c", "AUTH PLAIN", "STARTTLS"});
    EXPECT_FALSE(driver.machine.signed_in());
    EXPECT_TRUE(driver.machine.encrypted());
    EXPECT_EQ(driver.line("AUTH PLAIN"), refuses(Refusal::ehlo_first));
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), refuses(Refusal::ehlo_first));
    driver.run("EHLO c");
    EXPECT_EQ(driver.line("STARTTLS"), refuses(Refusal::tls_active));
    EXPECT_FALSE(driver.machine.offers_starttls());
}

TEST(ServerMachine, RefusesStartTlsAndAuthWithinATransaction) {
    Driver driver({.require_tls = false, .trusted = true});
    driver.run({"EHLO c", "MAIL FROM:<a@b.c>"});
    EXPECT_EQ(driver.line("STARTTLS"), refuses(Refusal::in_transaction));
    EXPECT_EQ(driver.line("AUTH PLAIN"), refuses(Refusal::authenticated_already));
}

TEST(ServerMachine, StartsTlsOnlyAfterAGreeting) {
    Driver driver({});
    EXPECT_EQ(driver.line("STARTTLS"), refuses(Refusal::ehlo_first));
    driver.run("EHLO c");
    EXPECT_EQ(driver.line("STARTTLS"), does(Kind::start_tls));
}

TEST(ServerMachine, JudgesAnnouncedSizeAndBodyTypeAtMail) {
    Driver driver(trusted);
    driver.machine.set_limits(1000, 10);
    driver.run("EHLO c");
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c> SIZE=1001"), refuses(Refusal::message_too_big));
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c> BODY=BINARYMIME"), refuses(Refusal::binary_mime));
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c> SIZE=1000 BODY=8BITMIME"), does(Kind::check_sender));
}

TEST(ServerMachine, LimitsRecipientsOfEachTransaction) {
    Driver driver(trusted);
    driver.machine.set_limits(1000, 2);
    for (int round = 0; round < 2; ++round) {
        driver.run({"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>", "RCPT TO:<g@e.f>"});
        EXPECT_EQ(driver.line("RCPT TO:<h@e.f>"), refuses(Refusal::too_many_recipients));
        EXPECT_EQ(driver.line("DATA"), does(Kind::read_data));
        driver.happens(ServerEvent::message_done);
    }
}

TEST(ServerMachine, TooManyRecipientsAreNoBadCommands) {
    Driver driver(trusted);
    driver.machine.set_limits(1000, 1);
    driver.run({"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>"});
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(driver.line("RCPT TO:<h@e.f>"), refuses(Refusal::too_many_recipients));
}

TEST(ServerMachine, NeedsANewMailAfterAMessage) {
    Driver driver(trusted);
    driver.run({"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>"});
    EXPECT_TRUE(driver.machine.in_transaction());
    driver.line("DATA");
    driver.happens(ServerEvent::message_done);
    EXPECT_FALSE(driver.machine.in_transaction());
    EXPECT_EQ(driver.line("RCPT TO:<d@e.f>"), refuses(Refusal::mail_first));
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), does(Kind::check_sender));
}

TEST(ServerMachine, SaysThatNoRecipientWasValid) {
    Driver driver(trusted);
    driver.run({"EHLO c", "MAIL FROM:<a@b.c>"});
    driver.line("RCPT TO:<d@e.f>");
    driver.happens(ServerEvent::recipient_refused);
    EXPECT_EQ(driver.line("DATA"), refuses(Refusal::no_valid_recipients));
    EXPECT_EQ(driver.line("BDAT 3 LAST"), discards(3, Refusal::no_valid_recipients));
}

TEST(ServerMachine, FinishesAMessageWithItsLastChunk) {
    Driver driver(trusted);
    driver.run({"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>"});
    EXPECT_EQ(driver.line("BDAT 10"), does(Kind::read_chunk, 10));
    EXPECT_EQ(driver.happens(ServerEvent::chunk_taken), does(Kind::acknowledge_chunk));
    EXPECT_EQ(driver.line("BDAT 0 LAST"), does(Kind::read_chunk, 0));
    EXPECT_EQ(driver.happens(ServerEvent::chunk_taken), does(Kind::finish_message));
    driver.happens(ServerEvent::message_done);
    EXPECT_EQ(driver.line("BDAT 4 LAST"), discards(4, Refusal::mail_first));
}

TEST(ServerMachine, DiscardsChunksBehindAFailedOne) {
    Driver driver(trusted);
    driver.run({"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>"});
    driver.line("BDAT 10");
    driver.happens(ServerEvent::chunk_failed);
    for (int i = 0; i < 50; ++i)
        ASSERT_EQ(driver.line("BDAT 10"), discards(10, Refusal::after_failure));
    EXPECT_EQ(driver.line("RCPT TO:<x@y.z>"), refuses(Refusal::after_failure));
    EXPECT_EQ(driver.line("BDAT 3 LAST"), discards(3, Refusal::after_failure));
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), does(Kind::check_sender));
}

TEST(ServerMachine, TakesANewMessageAfterAFailedLastChunk) {
    Driver driver(trusted);
    driver.run({"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>"});
    driver.line("BDAT 10 LAST");
    driver.happens(ServerEvent::chunk_failed);
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), does(Kind::check_sender));
}

TEST(ServerMachine, ResetsWithinChunks) {
    Driver driver(trusted);
    driver.run({"EHLO c", "MAIL FROM:<a@b.c>", "RCPT TO:<d@e.f>", "BDAT 10", "RSET"});
    EXPECT_FALSE(driver.machine.in_transaction());
    EXPECT_EQ(driver.line("BDAT 10 LAST"), discards(10, Refusal::mail_first));
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), does(Kind::check_sender));
}

TEST(ServerMachine, EndsWithTheTwentiethBadCommand) {
    Driver driver({});
    driver.run("EHLO c");
    for (int i = 0; i < 19; ++i) ASSERT_NE(driver.line("FOO").kind, Kind::refuse_and_close) << i;
    EXPECT_EQ(driver.line("MAIL FROM:<a@b.c>"), closes());
}

TEST(ServerMachine, CountsUnreadableLinesAsBadCommands) {
    Driver driver({});
    for (int i = 0; i < 19; ++i) ASSERT_EQ(driver.happens(ServerEvent::bad_line), Action{}) << i;
    EXPECT_EQ(driver.happens(ServerEvent::bad_line), closes());
}

TEST(ServerMachine, DoesNotBlameAPipeliningClientForWhatFollowsARefusedMail) {
    Driver driver(trusted);
    driver.run("EHLO c");
    driver.line("MAIL FROM:<a@b.c>");
    driver.happens(ServerEvent::sender_refused);
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(driver.line("RCPT TO:<d@e.f>"), refuses(Refusal::mail_first));
    ASSERT_EQ(driver.line("DATA"), refuses(Refusal::mail_first));

    for (int i = 0; i < 10; ++i) driver.line("FOO");
    driver.run("RSET");
    for (int i = 0; i < 9; ++i) driver.line("RCPT TO:<d@e.f>");
    EXPECT_EQ(driver.line("RCPT TO:<d@e.f>"), closes());
}

}  // namespace
}  // namespace outpost::smtp

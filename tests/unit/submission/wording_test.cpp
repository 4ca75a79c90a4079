#include "submission/wording.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <vector>

namespace outpost::submission {
namespace {

using smtp::Refusal;

TEST(Wording, SaysOfARefusedCommandWhatToChange) {
    const std::vector<std::pair<Refusal, std::string_view>> rows{
        {Refusal::starttls_first, "530 5.7.0 Must issue a STARTTLS command first"},
        {Refusal::authentication_first, "530 5.7.0 Authentication required"},
        {Refusal::auth_in_clear,
         "538 5.7.11 Encryption required for authentication: set encryption to STARTTLS or TLS in "
         "your mail settings"},
        {Refusal::ehlo_first, "503 5.5.1 Send EHLO first"},
        {Refusal::auth_needs_ehlo, "503 5.5.1 AUTH needs EHLO, not HELO"},
        {Refusal::tls_active, "503 5.5.1 The connection is encrypted already"},
        {Refusal::tls_not_offered,
         "502 5.5.1 STARTTLS is not offered on this port: set encryption to none, or use another "
         "port"},
        {Refusal::authenticated_already, "503 5.5.1 Already authenticated"},
        {Refusal::in_transaction,
         "503 5.5.1 Not within a mail transaction; finish the message or send RSET"},
        {Refusal::nested_mail,
         "503 5.5.1 A mail transaction is open already; finish it or send RSET"},
        {Refusal::mail_first, "503 5.5.1 Send MAIL FROM first"},
        {Refusal::recipient_first, "503 5.5.1 Send RCPT TO first"},
        {Refusal::no_valid_recipients, "554 5.5.1 No valid recipients"},
        {Refusal::bdat_begun,
         "503 5.5.1 The message was begun with BDAT; finish it with BDAT LAST or send RSET"},
        {Refusal::after_failure,
         "503 5.5.1 The message has failed with an earlier chunk; send RSET"},
        {Refusal::too_many_recipients,
         "452 4.5.3 Too many recipients; send the message to the others separately"},
        {Refusal::message_too_big,
         "552 5.3.4 The message is larger than this mail relay or your account allows"},
        {Refusal::binary_mime, "504 5.5.4 BODY=BINARYMIME is not supported here"},
        {Refusal::expn, "502 5.5.1 EXPN is not available here"},
        {Refusal::unknown_command, "500 5.5.1 Command not recognized"},
        {Refusal::too_many_errors, "421 4.7.0 Too many errors; closing the connection"},
    };
    for (const auto& [why, expected] : rows) EXPECT_EQ(wording::refusal(why), expected);
}

TEST(Wording, SaysTheSameOfAWrongNetworkAsOfAWrongPassword) {
    using account::AuthFailure;
    const std::vector<std::pair<AuthFailure, std::string_view>> rows{
        {AuthFailure::credentials,
         "535 5.7.8 Authentication failed: check user name and password in your mail settings"},
        {AuthFailure::network,
         "535 5.7.8 Authentication failed: check user name and password in your mail settings"},
        {AuthFailure::mechanism,
         "504 5.5.4 Authentication mechanism not supported: use SCRAM-SHA-256, PLAIN or LOGIN"},
        {AuthFailure::syntax, "501 5.5.2 The authentication data is malformed"},
        {AuthFailure::inactive,
         "525 5.7.13 This account is not active; ask the operator of this mail relay to activate "
         "it"},
        {AuthFailure::account_throttled,
         "454 4.7.0 Too many failed logins for this account; wait some minutes, then check user "
         "name and password"},
        {AuthFailure::address_throttled,
         "421 4.7.0 Too many failed logins from your address; wait some minutes, then check user "
         "name and password"},
        {AuthFailure::unavailable,
         "454 4.7.0 Authentication is not possible at the moment; try again later"},
    };
    for (const auto& [why, expected] : rows) EXPECT_EQ(wording::auth_failure(why), expected);
}

TEST(Wording, SaysOfMessageDataWhatIsWrong) {
    using smtp::BodyFault;
    EXPECT_EQ(wording::body_fault(BodyFault::too_big),
              "552 5.3.4 The message is larger than this mail relay or your account allows");
    EXPECT_EQ(wording::body_fault(BodyFault::bare_newline),
              "550 5.6.11 The message has a bare CR or LF; every line must end in CR LF: update "
              "the program that sends it");
    EXPECT_EQ(wording::body_fault(BodyFault::nul),
              "550 5.6.0 The message has a NUL octet; encode binary parts as base64");
    EXPECT_EQ(wording::body_fault(BodyFault::line_too_long),
              "550 5.6.0 The message has a line over 64 KB; encode such parts as base64 or "
              "quoted-printable");
    EXPECT_EQ(wording::mail_loop,
              "554 5.4.6 The message has more than 50 Received fields: it goes round in a mail "
              "loop");
    EXPECT_EQ(wording::bad_header("a\r\nb"), "550 5.6.0 a??b");
}

TEST(Wording, SaysOfALineWhatIsWrong) {
    using smtp::LineFault;
    EXPECT_EQ(wording::line_fault(LineFault::too_long), "500 5.5.2 Line too long");
    EXPECT_EQ(wording::line_fault(LineFault::bare_cr),
              "500 5.5.2 A bare CR in a command; every line must end in CR LF");
    EXPECT_EQ(wording::line_fault(LineFault::bare_lf),
              "500 5.5.2 A bare LF in a command; every line must end in CR LF");
    EXPECT_EQ(wording::line_fault(LineFault::nul), "500 5.5.2 A NUL octet in a command");
}

TEST(Wording, NamesTheMessageInTheLastReply) {
    EXPECT_EQ(wording::queued(base::MessageId{1}), "250 2.0.0 Ok: queued as 0000000001");
    EXPECT_EQ(wording::chunk_ok(17), "250 2.0.0 Ok: 17 octets received");
}

TEST(Wording, SaysWhyAConnectionEnds) {
    EXPECT_EQ(wording::shutting_down,
              "421 4.3.2 The mail relay is shutting down; try again in a moment");
    EXPECT_EQ(wording::too_many_connections,
              "421 4.3.2 Too many connections to this mail relay; try again in a moment");
    EXPECT_EQ(wording::too_many_from_address,
              "421 4.7.0 Too many connections from your address; close some, or send one after the "
              "other");
    EXPECT_EQ(wording::idle,
              "421 4.4.2 Nothing was received for too long; connect again to send mail");
    EXPECT_EQ(wording::data_timeout,
              "421 4.4.2 The message took too long to arrive; connect again to send it");
    EXPECT_EQ(wording::cannot_store,
              "452 4.3.1 The relay cannot store mail at the moment; try again later");
    EXPECT_EQ(wording::early_octets,
              "421 4.7.0 Commands were sent behind STARTTLS before encryption had begun");
    EXPECT_EQ(wording::no_trusted_account,
              "421 4.3.5 The mail relay has no account for this port; ask its operator to set one "
              "up");
}

TEST(Wording, SaysWhichLimitARecipientIsOver) {
    using namespace std::chrono_literals;
    const std::string over("454 4.7.0 Throttling failure: Maximum sending rate exceeded");
    EXPECT_EQ(wording::over_submit_rate("", {}), over);
    EXPECT_EQ(wording::over_submit_rate("20/s", 1s), over + ": 20/s; try again in 1 s");
    EXPECT_EQ(wording::over_submit_rate("20/s", 119s), over + ": 20/s; try again in 119 s");
    EXPECT_EQ(wording::over_submit_rate("9/h", 121s), over + ": 9/h; try again in 3 min");
    EXPECT_EQ(wording::over_submit_rate("3/12h", 12h), over + ": 3/12h; try again in 12 h");
    EXPECT_EQ(
        wording::over_quota(limit::CalendarUnit::hour, "2026-11-22T02:00:00+01:00"),
        "454 4.7.0 Throttling failure: Hourly message quota exceeded; it counts recipients and "
        "resets at 2026-11-22T02:00:00+01:00");
    EXPECT_EQ(
        wording::over_quota(limit::CalendarUnit::day, "2026-11-23T00:00:00+01:00"),
        "454 4.7.0 Throttling failure: Daily message quota exceeded; it counts recipients and "
        "resets at 2026-11-23T00:00:00+01:00");
    EXPECT_EQ(
        wording::over_quota(limit::CalendarUnit::month, "2026-12-01T00:00:00+01:00"),
        "454 4.7.0 Throttling failure: Monthly message quota exceeded; it counts recipients and "
        "resets at 2026-12-01T00:00:00+01:00");
}

TEST(Wording, GivesEveryRefusalAnEnhancedStatusCodeOfItsClass) {
    const std::regex form("([45])[0-9][0-9] \\1\\.[0-9]+\\.[0-9]+ [A-Z].{8,}");
    for (int i = 1; i <= static_cast<int>(Refusal::too_many_errors); ++i) {
        const std::string line(wording::refusal(static_cast<Refusal>(i)));
        EXPECT_TRUE(std::regex_match(line, form)) << line;
        EXPECT_LE(line.size() + 2, 512U) << line;
    }
}

}  // namespace
}  // namespace outpost::submission

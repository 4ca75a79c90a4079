#include "upstream/sendmail_command.hpp"

#include <gtest/gtest.h>
#include <sysexits.h>

#include <array>
#include <numeric>

namespace outpost::upstream {
namespace {

smtp::Envelope envelope_to(const std::vector<std::string>& addresses) {
    smtp::Envelope envelope;
    envelope.reverse_path = "a@test";
    for (const auto& address : addresses)
        envelope.recipients.push_back({.address = address, .notify = {}, .orcpt = {}});
    return envelope;
}

std::vector<std::uint32_t> all_of(const smtp::Envelope& envelope) {
    std::vector<std::uint32_t> indices(envelope.recipients.size());
    std::iota(indices.begin(), indices.end(), 0);
    return indices;
}

std::string converted(const std::vector<std::string>& pieces) {
    LineFeeds feeds;
    std::string out;
    for (const auto& piece : pieces) feeds.convert(piece, out);
    feeds.finish(out);
    return out;
}

TEST(SendmailArguments, NamesSenderAndTheRecipientsAskedFor) {
    const auto envelope = envelope_to({"x@test", "y@test", "z@test"});
    const std::array<std::uint32_t, 2> some{2, 0};
    EXPECT_EQ(sendmail_arguments(envelope, some),
              (std::vector<std::string>{"-i", "-f", "a@test", "--", "z@test", "x@test"}));
}

TEST(SendmailArguments, WritesTheNullReversePathAsAngleBrackets) {
    auto envelope = envelope_to({"x@test"});
    envelope.reverse_path.clear();
    EXPECT_EQ(sendmail_arguments(envelope, all_of(envelope)).at(2), "<>");
}

TEST(SendmailBatch, TakesWhatFitsAndAtLeastOne) {
    const auto envelope = envelope_to(std::vector<std::string>(10, "12345@test"));
    const auto all = all_of(envelope);
    // 19 octets a recipient, 48 for what stands before them.
    EXPECT_EQ(sendmail_batch(envelope, all, 48 + 3 * 19), 3U);
    EXPECT_EQ(sendmail_batch(envelope, all, 48 + 3 * 19 - 1), 2U);
    EXPECT_EQ(sendmail_batch(envelope, all, 1), 1U);
    EXPECT_EQ(sendmail_batch(envelope, all, 1 << 16), 10U);
}

TEST(LineFeeds, ReplacesCrlfWhereverThePiecesEnd) {
    const std::string text = "a\r\n\r\n.\r\nb\rc\r\r\nd\xC3\xA9\r\n";
    const std::string wanted = "a\n\n.\nb\rc\r\nd\xC3\xA9\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        EXPECT_EQ(converted({text.substr(0, cut), "", text.substr(cut)}), wanted) << cut;
    EXPECT_EQ(converted({"a\r"}), "a\r");
    EXPECT_EQ(converted({}), "");
}

struct Case {
    int code;
    Verdict verdict;
    Scope scope;
    const char* status;
};

TEST(SendmailExit, EveryCodeHasItsOutcome) {
    using enum Verdict;
    for (const Case& c : {
             Case{EX_OK, delivered, Scope::recipient, "2.0.0"},
             Case{EX_USAGE, deferred, Scope::message, ""},
             Case{EX_DATAERR, failed, Scope::message, "5.6.0"},
             Case{EX_NOINPUT, deferred, Scope::message, ""},
             Case{EX_NOUSER, failed, Scope::message, "5.1.1"},
             Case{EX_NOHOST, failed, Scope::message, "5.1.2"},
             Case{EX_UNAVAILABLE, deferred, Scope::message, ""},
             Case{EX_SOFTWARE, deferred, Scope::message, ""},
             Case{EX_OSERR, deferred, Scope::upstream, ""},
             Case{EX_OSFILE, deferred, Scope::upstream, ""},
             Case{EX_CANTCREAT, deferred, Scope::upstream, ""},
             Case{EX_IOERR, deferred, Scope::upstream, ""},
             Case{EX_TEMPFAIL, deferred, Scope::upstream, ""},
             Case{EX_PROTOCOL, deferred, Scope::message, ""},
             Case{EX_NOPERM, misconfigured, Scope::message, ""},
             Case{EX_CONFIG, misconfigured, Scope::upstream, ""},
             Case{1, deferred, Scope::message, ""},
             Case{127, deferred, Scope::message, ""},
             Case{255, deferred, Scope::message, ""},
         }) {
        const auto outcome = classify_sendmail("/bin/mta", {.code = c.code, .output = "no\nway\n"});
        EXPECT_EQ(outcome.verdict, c.verdict) << c.code;
        EXPECT_EQ(outcome.scope, c.scope) << c.code;
        EXPECT_EQ(outcome.reply.status.present() ? outcome.reply.status.text() : "", c.status)
            << c.code;
        EXPECT_EQ(outcome.remote, "/bin/mta");
        EXPECT_NE(outcome.reply.lines.at(0).find("no / way"), std::string::npos) << c.code;
        const bool one = c.scope == Scope::message && c.verdict != misconfigured;
        EXPECT_EQ(may_be_one_recipients_fault(outcome), one) << c.code;
    }
}

TEST(SendmailExit, SignalsAndTimeoutsDeferWhateverTheCode) {
    const auto killed = classify_sendmail("/bin/mta", {.code = {}, .signal = 9, .output = ""});
    EXPECT_EQ(killed.verdict, Verdict::deferred);
    EXPECT_EQ(killed.scope, Scope::upstream);
    EXPECT_EQ(killed.reply.text(), "/bin/mta was ended by signal 9 (Killed)");
    const auto late = classify_sendmail("/bin/mta", {.code = 0, .timed_out = true, .output = ""});
    EXPECT_EQ(late.verdict, Verdict::deferred);
    EXPECT_EQ(late.reply.text(), "/bin/mta took too long and was stopped");
    EXPECT_EQ(classify_sendmail("/bin/mta", {.code = {}, .output = ""}).verdict, Verdict::deferred);
}

TEST(SendmailExit, WhatItWroteIsOneShortPrintableLine) {
    const auto line = [](std::string_view output) {
        return classify_sendmail("/m", {.code = EX_DATAERR, .output = output}).reply.lines.at(0);
    };
    const std::string front = "/m ended with code 65 (the message is refused)";
    EXPECT_EQ(line(" \r\n\n"), front);
    EXPECT_EQ(line("a\x1b[1m\r\n\r\n\tb\n"), front + ": a?[1m / b");
    EXPECT_EQ(line("caf\xC3\xA9"), front + ": caf\xC3\xA9");
    EXPECT_EQ(line("caf\xE9"), front + ": caf?");
    EXPECT_LT(line(std::string(4096, 'x')).size(), 1100U);
    EXPECT_EQ(classify_sendmail("/m", {.code = 0, .output = ""}).reply.lines.at(0), "handed to /m");
    EXPECT_EQ(classify_sendmail("/m", {.code = 0, .output = "Ok\n"}).reply.lines.at(0), "Ok");
}

}  // namespace
}  // namespace outpost::upstream

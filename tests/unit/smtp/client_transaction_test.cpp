#include "smtp/client_transaction.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "smtp/client_script.hpp"

namespace outpost::smtp {
namespace {

using test::Player;
using test::Script;
using Kind = TransactionAction::Kind;

struct Mail {
    Extensions offered;
    Envelope envelope;
    std::vector<std::uint32_t> recipients;
    bool body_along = true;
    bool rset_first = false;
    bool smtputf8 = false;
    std::optional<std::chrono::seconds> deliver_within;
    BodyType body = BodyType::seven_bit;
};

Mail mail_to(std::size_t count) {
    Mail mail;
    mail.envelope.reverse_path = "a@test";
    for (std::size_t i = 0; i < count; ++i) {
        mail.envelope.recipients.push_back(
            {.address = "r" + std::to_string(i) + "@test", .notify = {}, .orcpt = {}});
        mail.recipients.push_back(static_cast<std::uint32_t>(i));
    }
    return mail;
}

Mail pipelined(std::size_t count) {
    auto mail = mail_to(count);
    mail.offered.pipelining = true;
    return mail;
}

Mail chunked(std::size_t count) {
    auto mail = pipelined(count);
    mail.offered.chunking = true;
    return mail;
}

struct Result {
    std::vector<RecipientResult> recipients;
    bool reusable = false;
    bool needs_rset = false;
    bool untouched = false;
    bool body_written = false;
    bool done = false;

    [[nodiscard]] std::string text(std::size_t i = 0) const {
        return recipients[i].reply.lines.front();
    }
};

Result play(Player& player, const Mail& mail) {
    const TransactionPlan plan{.offered = mail.offered,
                               .envelope = mail.envelope,
                               .recipients = mail.recipients,
                               .size = 42,
                               .body = mail.body,
                               .smtputf8 = mail.smtputf8,
                               .rset_first = mail.rset_first,
                               .body_along = mail.body_along,
                               .deliver_within = mail.deliver_within,
                               .limits = {}};
    TransactionMachine machine(plan);
    Result result;
    std::string output;
    auto action = machine.start(output);
    while (action.kind != Kind::done) {
        const bool written = player.wrote(output);
        output.clear();
        if (action.kind == Kind::read) {
            auto reply = written ? player.next_reply() : std::nullopt;
            action = reply ? machine.step(std::move(*reply), output) : machine.broken(player.how());
        } else if (written && player.asked("BODY")) {
            result.body_written = true;
            action = machine.body_sent();
        } else {
            action = machine.body_interrupted(player.how());
        }
    }
    EXPECT_TRUE(output.empty());
    result.recipients = std::move(machine.results());
    result.reusable = machine.reusable();
    result.needs_rset = machine.needs_rset();
    result.untouched = machine.untouched();
    result.done = player.finished();
    return result;
}

Result play(const Script& script, const Mail& mail) {
    Player player(script);
    auto result = play(player, mail);
    EXPECT_TRUE(result.done) << "stopped at step " << player.at();
    return result;
}

TEST(TransactionMachine, SendsEverythingButTheBodyInOneWrite) {
    const auto result =
        play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA", "S: 250 a", "S: 250 b",
              "S: 354 c", "BODY", "S: 250 2.0.0 queued as X"},
             pipelined(1));
    EXPECT_EQ(result.recipients[0], (RecipientResult{ClientStage::verdict, ClientFault::none,
                                                     Reply{250, {2, 0, 0}, {"queued as X"}}}));
    EXPECT_TRUE(result.reusable);
    EXPECT_FALSE(result.needs_rset);
}

TEST(TransactionMachine, SendsABodyAlongWithChunking) {
    const auto result = play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: BDAT 42 LAST",
                              "BODY", "S: 250 a", "S: 250 b", "S: 250 c"},
                             chunked(1));
    EXPECT_EQ(result.recipients[0].fault, ClientFault::none);
    EXPECT_EQ(result.text(), "c");
}

TEST(TransactionMachine, KeepsALargeBodyBackUntilARecipientIsAccepted) {
    auto mail = chunked(1);
    mail.body_along = false;
    const auto sent = play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "S: 250 a", "S: 250 b",
                            "C: BDAT 42 LAST", "BODY", "S: 250 c"},
                           mail);
    EXPECT_EQ(sent.recipients[0].fault, ClientFault::none);
    const auto kept =
        play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "S: 250 a", "S: 550 b"}, mail);
    EXPECT_FALSE(kept.body_written);
    EXPECT_TRUE(kept.needs_rset);
}

TEST(TransactionMachine, SendsOneAtATimeWithoutPipelining) {
    const auto result =
        play({"C: MAIL FROM:<a@test>", "S: 250 a", "C: RCPT TO:<r0@test>", "S: 250 b",
              "C: RCPT TO:<r1@test>", "S: 550 c", "C: DATA", "S: 354 d", "BODY", "S: 250 e"},
             mail_to(2));
    EXPECT_EQ(result.recipients[0].fault, ClientFault::none);
    EXPECT_EQ(result.recipients[1].fault, ClientFault::refused);
    EXPECT_EQ(result.recipients[1].stage, ClientStage::rcpt);
}

TEST(TransactionMachine, ChunksWithoutPipelining) {
    auto mail = mail_to(1);
    mail.offered.chunking = true;
    const auto result = play({"C: MAIL FROM:<a@test>", "S: 250 a", "C: RCPT TO:<r0@test>",
                              "S: 250 b", "C: BDAT 42 LAST", "BODY", "S: 250 c"},
                             mail);
    EXPECT_EQ(result.recipients[0].fault, ClientFault::none);
}

TEST(TransactionMachine, BeginsWithRsetAfterAnUnfinishedTransaction) {
    auto mail = pipelined(1);
    mail.rset_first = true;
    const auto result = play({"C: RSET", "C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA",
                              "S: 250 r", "S: 250 a", "S: 250 b", "S: 354 c", "BODY", "S: 250 d"},
                             mail);
    EXPECT_EQ(result.text(), "d");
}

TEST(TransactionMachine, EndsADataThatNoRecipientIsLeftFor) {
    const auto result =
        play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA", "S: 250 a",
              "S: 550 5.1.1 nobody", "S: 354 go on", "C: .", "S: 250 queued an empty one"},
             pipelined(1));
    EXPECT_EQ(result.recipients[0].fault, ClientFault::refused);
    EXPECT_EQ(result.recipients[0].stage, ClientStage::rcpt);
    EXPECT_EQ(result.text(), "nobody");
    EXPECT_TRUE(result.reusable);
    EXPECT_FALSE(result.needs_rset);
}

TEST(TransactionMachine, TakesNoValidRecipientsAsTheRefusalsThatCameBefore) {
    const auto result =
        play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA", "S: 250 a",
              "S: 450 4.2.0 greylisted", "S: 554 5.5.1 no valid recipients"},
             pipelined(1));
    EXPECT_EQ(result.text(), "greylisted");
    EXPECT_TRUE(result.reusable);
    EXPECT_TRUE(result.needs_rset);
}

TEST(TransactionMachine, GivesARefusedMailToAllRecipients) {
    const auto result =
        play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: RCPT TO:<r1@test>", "C: DATA",
              "S: 552 5.3.4 too big", "S: 503 a", "S: 503 b", "S: 503 c"},
             pipelined(2));
    for (const auto& each : result.recipients) {
        EXPECT_EQ(each.stage, ClientStage::mail);
        EXPECT_EQ(each.reply.code, 552);
    }
    EXPECT_TRUE(result.reusable);
    EXPECT_FALSE(result.needs_rset);
}

TEST(TransactionMachine, EndsADataThatFollowsARefusedMail) {
    const auto result = play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA",
                              "S: 550 no", "S: 250 b", "S: 354 c", "C: .", "S: 250 d"},
                             pipelined(1));
    EXPECT_EQ(result.recipients[0].stage, ClientStage::mail);
    EXPECT_EQ(result.recipients[0].fault, ClientFault::refused);
}

TEST(TransactionMachine, IgnoresTheVerdictOnABodyThatNobodyGets) {
    const auto result =
        play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: BDAT 42 LAST", "BODY",
              "S: 250 a", "S: 550 5.1.1 nobody", "S: 554 5.5.1 no valid recipients"},
             chunked(1));
    EXPECT_EQ(result.text(), "nobody");
    EXPECT_TRUE(result.needs_rset);
}

TEST(TransactionMachine, GivesARefusedDataToTheAcceptedOnly) {
    const auto result =
        play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: RCPT TO:<r1@test>", "C: DATA",
              "S: 250 a", "S: 550 no", "S: 250 b", "S: 451 4.3.0 later"},
             pipelined(2));
    EXPECT_EQ(result.text(0), "no");
    EXPECT_EQ(result.text(1), "later");
    EXPECT_EQ(result.recipients[1].stage, ClientStage::data);
    EXPECT_TRUE(result.needs_rset);
}

TEST(TransactionMachine, GivesTheVerdictToTheAcceptedOnly) {
    const auto result =
        play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: RCPT TO:<r1@test>", "C: DATA",
              "S: 250 a", "S: 550 no", "S: 250 b", "S: 354 c", "BODY", "S: 554 5.6.0 spam"},
             pipelined(2));
    EXPECT_EQ(result.text(0), "no");
    EXPECT_EQ(result.recipients[1], (RecipientResult{ClientStage::verdict, ClientFault::refused,
                                                     Reply{554, {5, 6, 0}, {"spam"}}}));
    EXPECT_FALSE(result.needs_rset);
}

TEST(TransactionMachine, AsksForRsetAfterABdatThatFailed) {
    const auto result = play({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: BDAT 42 LAST",
                              "BODY", "S: 250 a", "S: 250 b", "S: 554 no"},
                             chunked(1));
    EXPECT_TRUE(result.needs_rset);
}

TEST(TransactionMachine, SendsManyRecipientsInBatches) {
    auto mail = pipelined(250);
    Script script{"C: MAIL FROM:<a@test>"};
    std::size_t open = 1;
    const auto answer = [&] {
        for (; open > 0; --open) script.emplace_back("S: 250 ok");
    };
    for (std::size_t i = 0; i < 250; ++i) {
        if (open == TransactionMachine::max_batch) answer();
        script.push_back("C: RCPT TO:<r" + std::to_string(i) + "@test>");
        ++open;
    }
    script.emplace_back("C: DATA");
    answer();
    script.insert(script.end(), {"S: 354 go", "BODY", "S: 250 done"});
    const auto result = play(script, mail);
    for (const auto& each : result.recipients) EXPECT_EQ(each.fault, ClientFault::none);
}

TEST(TransactionMachine, Ends421AtAnyPointWithTheConnection) {
    const Script whole{"C: MAIL FROM:<a@test>",
                       "C: RCPT TO:<r0@test>",
                       "C: RCPT TO:<r1@test>",
                       "C: DATA",
                       "S: 250 a",
                       "S: 550 no",
                       "S: 250 c",
                       "S: 354 d",
                       "BODY",
                       "S: 250 e"};
    for (std::size_t at = 4; at < whole.size(); ++at) {
        if (!whole[at].starts_with("S: ")) continue;
        SCOPED_TRACE(at);
        Script script(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(at));
        script.emplace_back("S: 421 4.3.2 closing");
        const auto result = play(script, pipelined(2));
        EXPECT_FALSE(result.reusable);
        EXPECT_EQ(result.untouched, at == 4);
        EXPECT_EQ(result.text(0), at <= 5 ? "closing" : "no");
        EXPECT_EQ(result.text(1), "closing");
        EXPECT_EQ(result.recipients[1].fault, ClientFault::refused);
    }
}

struct OutOfStep {
    std::string_view name;
    Script script;
    ClientFault fault;
};

TEST(TransactionMachine, ClosesAConnectionWhoseRepliesAreOutOfStep) {
    const Script sent{"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: DATA"};
    const auto after = [&](Script more) {
        more.insert(more.begin(), sent.begin(), sent.end());
        return more;
    };
    const std::vector<OutOfStep> cases{
        {"354 to MAIL", after({"S: 354 a"}), ClientFault::protocol},
        {"354 to RCPT", after({"S: 250 a", "S: 354 b"}), ClientFault::protocol},
        {"250 to DATA", after({"S: 250 a", "S: 250 b", "S: 250 c"}), ClientFault::protocol},
        {"334 to DATA", after({"S: 250 a", "S: 250 b", "S: 334 c"}), ClientFault::protocol},
        {"354 to the body", after({"S: 250 a", "S: 250 b", "S: 354 c", "BODY", "S: 354 d"}),
         ClientFault::uncertain},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.name);
        const auto result = play(each.script, pipelined(1));
        EXPECT_EQ(result.recipients[0].fault, each.fault);
        EXPECT_FALSE(result.reusable);
        EXPECT_FALSE(result.untouched);
    }
}

TEST(TransactionMachine, GivesNewConnectionAMailWhoseRsetWasRefused) {
    auto mail = mail_to(1);
    mail.rset_first = true;
    const auto result = play({"C: RSET", "S: 500 what"}, mail);
    EXPECT_TRUE(result.untouched);
    EXPECT_FALSE(result.reusable);
}

/// Plays `script` with each step broken in each way. Nothing may count as refused or delivered;
/// once the body is out, all is uncertain.
void check_every_step_broken(const Script& script, const Mail& mail) {
    for (std::size_t at = 0; at < script.size(); ++at) {
        for (const auto& way : test::ways_to_break()) {
            SCOPED_TRACE(std::to_string(at) + ": " + script[at] + ", " + way.words);
            Player player(script);
            player.break_at(at, way);
            const auto result = play(player, mail);
            for (const auto& each : result.recipients) {
                EXPECT_EQ(each.fault, result.body_written ? ClientFault::uncertain : way.fault);
                EXPECT_EQ(each.reply, own_words(way.words));
            }
            EXPECT_FALSE(result.reusable);
        }
    }
}

TEST(TransactionMachine, NeverBouncesOrLosesThroughABrokenConnection) {
    check_every_step_broken(
        {"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: RCPT TO:<r1@test>", "C: DATA",
         "S: 250 a", "S: 250 b", "S: 250 c", "S: 354 d", "BODY", "S: 250 e"},
        pipelined(2));
    check_every_step_broken({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: BDAT 42 LAST",
                             "BODY", "S: 250 a", "S: 250 b", "S: 250 c"},
                            chunked(1));
    check_every_step_broken({"C: MAIL FROM:<a@test>", "S: 250 a", "C: RCPT TO:<r0@test>",
                             "S: 250 b", "C: DATA", "S: 354 c", "BODY", "S: 250 d"},
                            mail_to(1));
}

TEST(TransactionMachine, KeepsARefusalWhenTheConnectionBreaksLater) {
    Player player({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: RCPT TO:<r1@test>",
                   "C: DATA", "S: 250 a", "S: 550 no", "S: 250 c", "S: 354 d", "BODY", "S: 250 e"});
    player.break_at(9, {ClientFault::disconnected, "gone"});
    const auto result = play(player, pipelined(2));
    EXPECT_EQ(result.recipients[0].fault, ClientFault::refused);
    EXPECT_EQ(result.recipients[1].fault, ClientFault::uncertain);
}

/// What the machine makes of a reply that was waiting when the body could not be written.
Result interrupted_by(std::string_view line) {
    auto mail = pipelined(1);
    const TransactionPlan plan{.offered = mail.offered,
                               .envelope = mail.envelope,
                               .recipients = mail.recipients,
                               .size = 42,
                               .limits = {}};
    TransactionMachine machine(plan);
    std::string output;
    (void)machine.start(output);
    for (const auto* each : {"250 a", "250 b", "354 c"})
        (void)machine.step(test::reply(each), output);
    EXPECT_EQ(machine.body_interrupted({ClientFault::disconnected, "broken pipe"}).kind,
              Kind::read);
    EXPECT_EQ(machine.step(test::reply(line), output).kind, Kind::done);
    return {.recipients = machine.results(), .reusable = machine.reusable()};
}

TEST(TransactionMachine, BelievesARefusalThatCutTheBodyShort) {
    const auto result = interrupted_by("552 5.3.4 too big");
    EXPECT_EQ(result.recipients[0].fault, ClientFault::refused);
    EXPECT_EQ(result.text(), "too big");
    EXPECT_FALSE(result.reusable);
}

TEST(TransactionMachine, DoesNotBelieveAnAcceptanceOfHalfABody) {
    const auto result = interrupted_by("250 thanks");
    EXPECT_EQ(result.recipients[0].fault, ClientFault::disconnected);
    EXPECT_FALSE(result.reusable);
}

TEST(TransactionMachine, ReportsABodyThatCannotBeReadAsOurOwnFault) {
    auto mail = pipelined(1);
    const TransactionPlan plan{.offered = mail.offered,
                               .envelope = mail.envelope,
                               .recipients = mail.recipients,
                               .limits = {}};
    TransactionMachine machine(plan);
    std::string output;
    (void)machine.start(output);
    for (const auto* each : {"250 a", "250 b", "354 c"})
        (void)machine.step(test::reply(each), output);
    EXPECT_EQ(machine.broken({ClientFault::local, "damaged"}).kind, Kind::done);
    EXPECT_EQ(machine.results()[0].fault, ClientFault::local);
    EXPECT_FALSE(machine.reusable());
}

TEST(TransactionMachine, SaysOnUntouchedWhenABodyMayHaveArrived) {
    for (const auto& way : test::ways_to_break()) {
        Player before({"C: MAIL FROM:<a@test>"});
        before.break_at(1, way);
        EXPECT_EQ(play(before, mail_to(1)).untouched, way.fault != ClientFault::protocol);
        Player along({"C: MAIL FROM:<a@test>", "C: RCPT TO:<r0@test>", "C: BDAT 42 LAST", "BODY"});
        along.break_at(4, way);
        EXPECT_EQ(play(along, chunked(1)).untouched, way.fault == ClientFault::disconnected);
    }
}

struct Line {
    std::string_view name;
    Extensions offered;
    std::string mail;
    std::string rcpt;
};

TEST(TransactionMachine, SendsTheParametersThatTheServerKnows) {
    Extensions all;
    all.size = 0;
    all.eight_bit_mime = all.smtputf8 = all.dsn = all.mt_priority = true;
    Extensions dsn;
    dsn.dsn = true;
    Extensions size;
    size.size = 100;
    const std::vector<Line> cases{
        {"none", {}, "C: MAIL FROM:<>", "C: RCPT TO:<x@test>"},
        {"all", all,
         "C: MAIL FROM:<> SIZE=42 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=e+2B MT-PRIORITY=-3",
         "C: RCPT TO:<x@test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;y@test"},
        {"dsn", dsn, "C: MAIL FROM:<> RET=HDRS ENVID=e+2B",
         "C: RCPT TO:<x@test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;y@test"},
        {"size", size, "C: MAIL FROM:<> SIZE=42", "C: RCPT TO:<x@test>"},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.name);
        Mail mail;
        mail.offered = each.offered;
        mail.envelope.envid = "e+2B";
        mail.envelope.ret = Ret::headers;
        mail.envelope.mt_priority = static_cast<std::int8_t>(-3);
        mail.envelope.recipients.push_back(
            {.address = "x@test",
             .notify = {.given = true, .success = true, .delay = true},
             .orcpt = "rfc822;y@test"});
        mail.recipients = {0};
        mail.smtputf8 = true;
        mail.body = BodyType::eight_bit_mime;
        play({each.mail, "S: 250 a", each.rcpt, "S: 550 b"}, mail);
    }
}

TEST(TransactionMachine, PassesOnTheTimeForDelivery) {
    struct Case {
        std::optional<std::chrono::seconds> left;
        DeliverBy::Mode mode;
        bool trace;
        std::string mail;
    };
    using enum DeliverBy::Mode;
    using std::chrono::seconds;
    const std::vector<Case> cases{
        {seconds(90), return_mail, false, "C: MAIL FROM:<> BY=90;R"},
        {seconds(90), return_mail, true, "C: MAIL FROM:<> BY=90;RT"},
        {seconds(-7), notify, false, "C: MAIL FROM:<> BY=-7;N"},
        {std::nullopt, notify, true, "C: MAIL FROM:<>"},
    };
    for (const auto& each : cases) {
        Mail mail;
        mail.envelope.deliver_by = {.by = {}, .mode = each.mode, .trace = each.trace};
        mail.envelope.recipients.push_back({.address = "x@test", .notify = {}, .orcpt = {}});
        mail.recipients = {0};
        mail.deliver_within = each.left;
        play({each.mail, "S: 250 a", "C: RCPT TO:<x@test>", "S: 550 b"}, mail);
    }
}

}  // namespace
}  // namespace outpost::smtp

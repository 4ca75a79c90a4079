#include "smtp/client_machine.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <vector>

#include "smtp/client_script.hpp"

namespace outpost::smtp {
namespace {

using test::Player;
using test::Script;
using Kind = ClientAction::Kind;

ClientSettings settings(ClientSettings::Tls tls, bool authenticate) {
    ClientSettings result;
    result.hostname = "relay.test";
    result.tls = tls;
    result.authenticate = authenticate;
    return result;
}

/// What the SASL side says, in order: first the start, then the steps.
using Sasl = std::deque<ClientEvent>;

struct Session {
    bool ready = false;
    bool done = false;  ///< the script was played to its end
    ClientFailure failure;
    Extensions extensions;
    bool may_quit = false;
};

ClientEvent next_event(Player& player, const ClientAction& action, Sasl& sasl) {
    if (!player.wrote(action.output)) return player.how();
    bool whole = true;
    switch (action.kind) {
        case Kind::read: {
            auto reply = player.next_reply();
            if (reply) return std::move(*reply);
            return player.how();
        }
        case Kind::handshake: whole = player.asked("TLS"); break;
        case Kind::sasl_start: whole = player.asked("SASL start"); break;
        case Kind::sasl_step: whole = player.asked("SASL step " + action.challenge); break;
        default: break;
    }
    if (!whole) return player.how();
    if (action.kind == Kind::handshake) return TlsStarted{};
    auto event = std::move(sasl.front());
    sasl.pop_front();
    return event;
}

Session play(Player& player, const ClientSettings& with, Sasl sasl = {}) {
    ClientMachine machine(with);
    auto action = machine.start();
    while (action.kind != Kind::ready && action.kind != Kind::failed)
        action = machine.step(next_event(player, action, sasl));
    return {action.kind == Kind::ready, player.finished(), machine.failure(), machine.extensions(),
            machine.may_quit()};
}

Session play(const Script& script, const ClientSettings& with, Sasl sasl = {}) {
    Player player(script);
    return play(player, with, std::move(sasl));
}

const auto plain = settings(ClientSettings::Tls::none, false);
const auto starttls = settings(ClientSettings::Tls::starttls, false);
const auto with_auth = settings(ClientSettings::Tls::none, true);

TEST(ClientMachine, OpensAPlainSession) {
    const auto session = play(
        {"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250-PIPELINING", "S: 250 SIZE 1000"},
        plain);
    EXPECT_TRUE(session.ready);
    EXPECT_TRUE(session.done);
    EXPECT_TRUE(session.extensions.pipelining);
    EXPECT_EQ(session.extensions.size, 1000U);
}

TEST(ClientMachine, FallsBackToHelo) {
    for (const auto* code : {"S: 500 what", "S: 502 5.5.1 no"}) {
        const auto session = play(
            {"S: 220 mx", "C: EHLO relay.test", code, "C: HELO relay.test", "S: 250 PIPELINING"},
            plain);
        EXPECT_TRUE(session.ready);
        EXPECT_EQ(session.extensions, Extensions{});
    }
}

TEST(ClientMachine, ForgetsWhatWasOfferedBeforeTls) {
    const auto session =
        play({"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250-STARTTLS", "S: 250 SIZE 5",
              "C: STARTTLS", "S: 220 go", "TLS", "C: EHLO relay.test", "S: 250-mx", "S: 250 DSN"},
             starttls);
    EXPECT_TRUE(session.ready);
    EXPECT_TRUE(session.extensions.dsn);
    EXPECT_FALSE(session.extensions.size.has_value());
    EXPECT_FALSE(session.extensions.starttls);
}

TEST(ClientMachine, StartsTlsAtOnceOnAnImplicitPort) {
    const auto session = play({"TLS", "S: 220 mx", "C: EHLO relay.test", "S: 250 mx"},
                              settings(ClientSettings::Tls::implicit, false));
    EXPECT_TRUE(session.ready);
}

TEST(ClientMachine, SignsInWithAnInitialResponse) {
    Sasl sasl{SaslClient::Start{"PLAIN", std::string("\0u\0p", 4)}};
    const auto session = play({"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250 AUTH PLAIN",
                               "SASL start", "C: AUTH PLAIN AHUAcA==", "S: 235 2.7.0 in"},
                              with_auth, std::move(sasl));
    EXPECT_TRUE(session.ready);
}

TEST(ClientMachine, SendsAnEmptyInitialResponseAsEqualsSign) {
    Sasl sasl{SaslClient::Start{"EXTERNAL", ""}};
    const auto session =
        play({"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250 AUTH EXTERNAL", "SASL start",
              "C: AUTH EXTERNAL =", "S: 235 in"},
             with_auth, std::move(sasl));
    EXPECT_TRUE(session.ready);
}

TEST(ClientMachine, AnswersChallenges) {
    Sasl sasl{SaslClient::Start{"SCRAM-SHA-256", "n,,"}, SaslAnswer{"c=biws"}, SaslAnswer{""}};
    const auto session =
        play({"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250 AUTH SCRAM-SHA-256",
              "SASL start", "C: AUTH SCRAM-SHA-256 biws", "S: 334 cj1h", "SASL step r=a",
              "C: Yz1iaXdz", "S: 334 dj1i", "SASL step v=b", "C: ", "S: 235 in"},
             with_auth, std::move(sasl));
    EXPECT_TRUE(session.ready);
    EXPECT_TRUE(session.done);
}

TEST(ClientMachine, HoldsALongInitialResponseBackForTheFirstChallenge) {
    Sasl sasl{SaslClient::Start{"XOAUTH2", std::string(600, 'x')}};
    std::string encoded;
    for (int i = 0; i < 200; ++i) encoded += "eHh4";
    const auto session =
        play({"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250 AUTH XOAUTH2", "SASL start",
              "C: AUTH XOAUTH2", "S: 334 ", "C: " + encoded, "S: 235 in"},
             with_auth, std::move(sasl));
    EXPECT_TRUE(session.ready);
}

TEST(ClientMachine, CancelsAnExchangeThatOurSideGivesUp) {
    Sasl sasl{SaslClient::Start{"SCRAM-SHA-256", "n,,"}, SaslError{"wrong server signature"}};
    const auto session = play(
        {"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250 AUTH SCRAM-SHA-256", "SASL start",
         "C: AUTH SCRAM-SHA-256 biws", "S: 334 cj1h", "SASL step r=a", "C: *", "S: 501 cancelled"},
        with_auth, std::move(sasl));
    EXPECT_FALSE(session.ready);
    EXPECT_EQ(session.failure, (ClientFailure{ClientStage::auth, ClientFault::sasl,
                                              own_words("wrong server signature")}));
    EXPECT_TRUE(session.may_quit);
}

TEST(ClientMachine, CancelsAfterAChallengeThatIsNotBase64) {
    Sasl sasl{SaslClient::Start{"LOGIN", std::nullopt}};
    const auto session = play({"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250 AUTH LOGIN",
                               "SASL start", "C: AUTH LOGIN", "S: 334 ???", "C: *", "S: 501 no"},
                              with_auth, std::move(sasl));
    EXPECT_EQ(session.failure.fault, ClientFault::protocol);
}

struct Refused {
    std::string_view name;
    Script script;
    ClientSettings with;
    ClientStage stage;
    ClientFault fault;
    bool may_quit = true;
};

TEST(ClientMachine, SaysWhereAndWhyASessionFailed) {
    const Script hello{"S: 220 mx", "C: EHLO relay.test"};
    const auto after = [&](Script more) {
        more.insert(more.begin(), hello.begin(), hello.end());
        return more;
    };
    const std::vector<Refused> cases{
        {"banner 554", {"S: 554 no"}, plain, ClientStage::banner, ClientFault::refused},
        {"banner 421", {"S: 421 busy"}, plain, ClientStage::banner, ClientFault::refused, false},
        {"banner 250", {"S: 250 hm"}, plain, ClientStage::banner, ClientFault::protocol, false},
        {"EHLO 550", after({"S: 550 you"}), plain, ClientStage::ehlo, ClientFault::refused},
        {"HELO 502", after({"S: 502 a", "C: HELO relay.test", "S: 502 b"}), plain,
         ClientStage::ehlo, ClientFault::refused},
        {"EHLO 354", after({"S: 354 a"}), plain, ClientStage::ehlo, ClientFault::protocol, false},
        {"no STARTTLS", after({"S: 250 mx"}), starttls, ClientStage::starttls,
         ClientFault::not_offered},
        {"STARTTLS unknown after HELO", after({"S: 500 a", "C: HELO relay.test", "S: 250 mx"}),
         starttls, ClientStage::starttls, ClientFault::not_offered},
        {"STARTTLS 454", after({"S: 250-mx", "S: 250 STARTTLS", "C: STARTTLS", "S: 454 later"}),
         starttls, ClientStage::starttls, ClientFault::refused},
        {"STARTTLS 250", after({"S: 250-mx", "S: 250 STARTTLS", "C: STARTTLS", "S: 250 hm"}),
         starttls, ClientStage::starttls, ClientFault::protocol, false},
        {"no AUTH", after({"S: 250 mx"}), with_auth, ClientStage::auth, ClientFault::not_offered},
        {"wrong password",
         after({"S: 250-mx", "S: 250 AUTH PLAIN", "SASL start",
                "C: AUTH PLAIN eA==", "S: 535 5.7.8 no"}),
         with_auth, ClientStage::auth, ClientFault::refused},
    };
    for (const auto& each : cases) {
        SCOPED_TRACE(each.name);
        const auto session = play(each.script, each.with, Sasl{SaslClient::Start{"PLAIN", "x"}});
        EXPECT_FALSE(session.ready);
        EXPECT_TRUE(session.done);
        EXPECT_EQ(session.failure.stage, each.stage);
        EXPECT_EQ(session.failure.fault, each.fault);
        EXPECT_EQ(session.may_quit, each.may_quit);
        EXPECT_FALSE(session.failure.reply.lines.empty());
    }
}

TEST(ClientMachine, FailsWithoutAMechanismInCommon) {
    const auto session =
        play({"S: 220 mx", "C: EHLO relay.test", "S: 250-mx", "S: 250 AUTH GSSAPI", "SASL start"},
             with_auth, Sasl{SaslError{"no mechanism fits"}});
    EXPECT_EQ(session.failure, (ClientFailure{ClientStage::auth, ClientFault::sasl,
                                              own_words("no mechanism fits")}));
}

TEST(ClientMachine, ReportsEveryBrokenStepAsTheNetworksFault) {
    const Script script{"S: 220 mx",   "C: EHLO relay.test", "S: 250-mx",  "S: 250 STARTTLS",
                        "C: STARTTLS", "S: 220 go",          "TLS",        "C: EHLO relay.test",
                        "S: 250-mx",   "S: 250 AUTH PLAIN",  "SASL start", "C: AUTH PLAIN eA==",
                        "S: 334 eA==", "SASL step x",        "C: eQ==",    "S: 235 in"};
    for (std::size_t at = 0; at < script.size(); ++at) {
        if (script[at].starts_with("SASL")) continue;  // no network there
        for (const auto& way : test::ways_to_break()) {
            SCOPED_TRACE(std::to_string(at) + ": " + script[at] + ", " + way.words);
            Player player(script);
            player.break_at(at, way);
            const auto session = play(player, settings(ClientSettings::Tls::starttls, true),
                                      Sasl{SaslClient::Start{"PLAIN", "x"}, SaslAnswer{"y"}});
            // Inside a multi-line reply the script goes on to its end.
            if (session.ready) continue;
            EXPECT_EQ(session.failure.fault, way.fault);
            EXPECT_EQ(session.failure.reply, own_words(way.words));
            EXPECT_FALSE(session.may_quit);
        }
    }
}

}  // namespace
}  // namespace outpost::smtp

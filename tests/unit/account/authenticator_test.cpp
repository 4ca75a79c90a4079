#include "account/authenticator.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "account/sasl_client.hpp"
#include "accounts.hpp"

namespace outpost::account {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

config::Account inactive_account() {
    config::Account account = account_named("closed", "closed password");
    account.active = false;
    return account;
}

config::Account fenced_account() {
    config::Account account = account_named("fenced", "fenced password");
    account.allowed_networks = {"198.51.100.0/24"};
    return account;
}

class AuthenticatorTest : public testing::Test {
  protected:
    static config::Submission limits() {
        config::Submission submission;
        submission.auth_failures_per_address = {5, 10min};
        submission.auth_failures_per_account = {3, 10min};
        return submission;
    }

    std::string shown_sign_in(const std::string& name, const std::string& password,
                              std::string_view from = "192.0.2.1") {
        return shown(sign_in(authenticator_, name, password, from));
    }

    /// Our client against our server, with one mechanism.
    std::string converse(const std::string& mechanism, const std::string& name,
                         const std::string& password, std::vector<std::string>* heard = nullptr) {
        const auto client =
            make_sasl_client(name, base::Secret(password), "relay.example.com", true);
        const auto server = authenticator_.exchange(address("192.0.2.1"));
        const auto begin = client->start({mechanism});
        if (!begin) return "client: " + begin.error();
        EXPECT_EQ(begin->mechanism, mechanism);
        std::optional<std::string_view> initial;
        if (begin->initial_response) initial = *begin->initial_response;
        AuthStep step = finish(*server, server->start(mechanism, initial));
        while (const auto* challenge = std::get_if<AuthChallenge>(&step)) {
            if (heard != nullptr) heard->push_back(challenge->octets);
            const auto answer = client->step(challenge->octets);
            if (!answer) return "client: " + answer.error();
            step = finish(*server, server->step(*answer));
        }
        return shown(step);
    }

    FakeClock clock_;
    Authenticator authenticator_{
        directory_of({account_named("alice", "p\xC3\xA4ss, =word"), account_named("na,me=x", "pw"),
                      inactive_account(), fenced_account()}),
        limits(), clock_};
};

TEST_F(AuthenticatorTest, ClientAndServerAgreeInEveryMechanism) {
    for (const std::string mechanism : {"SCRAM-SHA-256", "PLAIN", "LOGIN"}) {
        EXPECT_EQ(converse(mechanism, "alice", "p\xC3\xA4ss, =word"), "ok alice") << mechanism;
        EXPECT_EQ(converse(mechanism, "na,me=x", "pw"), "ok na,me=x") << mechanism;
    }
}

TEST_F(AuthenticatorTest, RefusesWrongPasswordAndUnknownNameAlike) {
    for (const std::string mechanism : {"SCRAM-SHA-256", "PLAIN", "LOGIN"}) {
        std::vector<std::string> known;
        std::vector<std::string> unknown;
        EXPECT_EQ(converse(mechanism, "fenced", "wrong", &known), "credentials") << mechanism;
        clock_.advance(10min);
        EXPECT_EQ(converse(mechanism, "nobody", "wrong", &unknown), "credentials") << mechanism;
        EXPECT_EQ(known.size(), unknown.size()) << mechanism;
        clock_.advance(10min);
    }
}

TEST_F(AuthenticatorTest, ScramGivesAnUnknownNameASteadyChallengeLikeARealOne) {
    const auto challenge = [this](std::string_view name) {
        const auto exchange = authenticator_.exchange(address("192.0.2.1"));
        std::string text = shown(
            finish(*exchange, exchange->start("SCRAM-SHA-256", "n,,n="s.append(name) + ",r=abc")));
        return text.substr(text.find(",s="));
    };
    EXPECT_EQ(challenge("nobody"), challenge("nobody"));
    EXPECT_NE(challenge("nobody"), challenge("somebody"));
    EXPECT_EQ(challenge("nobody").size(), challenge("alice").size());
    EXPECT_TRUE(challenge("nobody").ends_with(",i=4096"));
}

TEST_F(AuthenticatorTest, SaysThatAnAccountIsInactiveOnlyForTheRightPassword) {
    EXPECT_EQ(shown_sign_in("closed", "wrong"), "credentials");
    EXPECT_EQ(shown_sign_in("closed", "closed password"), "inactive");
    EXPECT_EQ(shown_sign_in("closed", "closed password"), "inactive");
}

TEST_F(AuthenticatorTest, HoldsAnAccountToItsNetworks) {
    EXPECT_EQ(shown_sign_in("fenced", "fenced password"), "network");
    EXPECT_EQ(shown_sign_in("fenced", "fenced password", "198.51.100.1"), "ok fenced");
    EXPECT_EQ(shown_sign_in("fenced", "wrong"), "credentials");
}

TEST_F(AuthenticatorTest, RefusesToActAsAnother) {
    const auto exchange = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(finish(*exchange, exchange->start("PLAIN", "fenced\0na,me=x\0pw"s))),
              "credentials");
    const auto same = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(finish(*same, same->start("PLAIN", "na,me=x\0na,me=x\0pw"s))), "ok na,me=x");
}

TEST_F(AuthenticatorTest, AnswersACachedPasswordWithoutWork) {
    const std::string message = "\0na,me=x\0pw"s;
    const auto first = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(first->start("PLAIN", message)), "pending");
    EXPECT_EQ(shown(first->work()), "ok na,me=x");

    const auto second = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(second->start("PLAIN", message)), "ok na,me=x");

    const auto login = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(login->start("login", "na,me=x")), "challenge Password:");
    EXPECT_EQ(shown(login->step("pw")), "ok na,me=x");

    clock_.advance(AuthCache::lifetime);
    const auto late = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(late->start("PLAIN", message)), "pending");
}

TEST_F(AuthenticatorTest, ForgetsACachedPasswordWhenItChanges) {
    EXPECT_EQ(shown_sign_in("na,me=x", "pw"), "ok na,me=x");
    authenticator_.replace(directory_of({account_named("na,me=x", "new")}));
    EXPECT_EQ(shown_sign_in("na,me=x", "pw"), "credentials");
    EXPECT_EQ(shown_sign_in("na,me=x", "new"), "ok na,me=x");
}

TEST_F(AuthenticatorTest, PromptsForWhatIsMissing) {
    const auto plain = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(plain->start("PLAIN", std::nullopt)), "challenge ");
    EXPECT_EQ(shown(finish(*plain, plain->step("\0na,me=x\0pw"s))), "ok na,me=x");

    const auto login = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(login->start("LOGIN", std::nullopt)), "challenge Username:");
    EXPECT_EQ(shown(login->step("na,me=x")), "challenge Password:");
    EXPECT_EQ(shown(finish(*login, login->step("wrong"))), "credentials");

    const auto scram = authenticator_.exchange(address("192.0.2.1"));
    EXPECT_EQ(shown(scram->start("SCRAM-SHA-256", std::nullopt)), "challenge ");
    EXPECT_TRUE(
        shown(finish(*scram, scram->step("n,,n=alice,r=abc"))).starts_with("challenge r=abc"));
}

TEST_F(AuthenticatorTest, RefusesMalformedMessages) {
    struct Case {
        const char* mechanism;
        std::string message;
    };
    const Case cases[] = {
        {"PLAIN", ""},
        {"PLAIN", "alice"},
        {"PLAIN", "\0alice"s},
        {"PLAIN", "\0alice\0"s},
        {"PLAIN", "\0\0secret"s},
        {"PLAIN", "\0alice\0sec\0ret"s},
        {"PLAIN", "\0al\nice\0secret"s},
        {"PLAIN", "\0\xFF\0secret"s},
        {"PLAIN", "\0"s + std::string(256, 'a') + "\0secret"s},
        {"PLAIN", "\0alice\0"s + std::string(1025, 'a')},
        {"LOGIN", ""},
        {"LOGIN", std::string(3000, 'a')},
        {"SCRAM-SHA-256", ""},
        {"SCRAM-SHA-256", "n,,n=alice"},
        {"SCRAM-SHA-256", "n,,n=,r=abc"},
        {"SCRAM-SHA-256", "n,,m=x,n=alice,r=abc"},
        {"SCRAM-SHA-256", "n,,n=al=ice,r=abc"},
        {"SCRAM-SHA-256", "n,a=bob,n=alice,r=abc"},
        {"SCRAM-SHA-256", "p=tls-unique,,n=alice,r=abc"},
        {"SCRAM-SHA-256", "x,,n=alice,r=abc"},
    };
    for (const Case& c : cases) {
        const auto exchange = authenticator_.exchange(address("192.0.2.1"));
        EXPECT_EQ(shown(finish(*exchange, exchange->start(c.mechanism, c.message))), "syntax")
            << c.mechanism << " " << c.message;
    }
    EXPECT_FALSE(authenticator_.address_throttled(address("192.0.2.1")));
}

TEST_F(AuthenticatorTest, SurvivesAnythingAsASecondScramMessage) {
    const std::string messages[] = {"",
                                    "c=",
                                    "c=biws",
                                    "c=biws,r=abc,p=",
                                    "c=biws,r=abc,p=!!!!",
                                    "p=tls-unique,,n=alice,r=abc",
                                    std::string(5000, 'c')};
    for (const std::string& message : messages) {
        clock_.advance(10min);
        const auto exchange = authenticator_.exchange(address("192.0.2.1"));
        (void)finish(*exchange, exchange->start("SCRAM-SHA-256", "n,,n=alice,r=abc"));
        EXPECT_EQ(shown(finish(*exchange, exchange->step(message))), "credentials") << message;
        EXPECT_EQ(shown(finish(*exchange, exchange->step("again"))), "syntax");
    }
}

TEST_F(AuthenticatorTest, RefusesMechanismsThatItDoesNotOffer) {
    for (const char* mechanism : {"CRAM-MD5", "ANONYMOUS", "EXTERNAL", "SCRAM-SHA-1", "GSSAPI", "",
                                  "SCRAM-SHA-256-PLUS", "PLAIN LOGIN"}) {
        const auto exchange = authenticator_.exchange(address("192.0.2.1"));
        EXPECT_EQ(shown(exchange->start(mechanism, std::nullopt)), "mechanism") << mechanism;
    }
}

TEST_F(AuthenticatorTest, StopsAnAddressThatFailsTooOften) {
    for (unsigned i = 0; i < 5; ++i) {
        EXPECT_EQ(shown_sign_in("user" + std::to_string(i), "wrong"), "credentials");
    }
    EXPECT_TRUE(authenticator_.address_throttled(address("192.0.2.1")));
    EXPECT_EQ(shown_sign_in("na,me=x", "pw"), "address_throttled");
    EXPECT_EQ(shown_sign_in("na,me=x", "pw", "192.0.2.2"), "ok na,me=x");
    clock_.advance(10min);
    EXPECT_EQ(shown_sign_in("na,me=x", "pw"), "ok na,me=x");
}

TEST_F(AuthenticatorTest, StopsGuessingAtAnAccountButNotItsOwner) {
    EXPECT_EQ(shown_sign_in("na,me=x", "pw", "198.51.100.1"), "ok na,me=x");
    for (const std::string from : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
        EXPECT_EQ(shown_sign_in("na,me=x", "wrong", from), "credentials");
    }
    EXPECT_EQ(shown_sign_in("na,me=x", "pw", "192.0.2.4"), "account_throttled");
    EXPECT_EQ(shown_sign_in("na,me=x", "pw", "198.51.100.1"), "ok na,me=x");
    const auto scram = authenticator_.exchange(address("192.0.2.4"));
    EXPECT_EQ(shown(scram->start("SCRAM-SHA-256", "n,,n=na=2Cme=3Dx,r=abc")), "account_throttled");
}

TEST_F(AuthenticatorTest, ThrottlesNamesThatDoNotExistAlike) {
    for (const std::string from : {"192.0.2.1", "192.0.2.2", "192.0.2.3"}) {
        EXPECT_EQ(shown_sign_in("nobody", "wrong", from), "credentials");
    }
    EXPECT_EQ(shown_sign_in("nobody", "wrong", "192.0.2.4"), "account_throttled");
}

TEST_F(AuthenticatorTest, ServesManyThreadsAtOnce) {
    std::vector<std::thread> threads;
    std::atomic<unsigned> right{0};
    for (unsigned t = 0; t < 4; ++t) {
        threads.emplace_back([this, t, &right] {
            const std::string from = "198.51.100." + std::to_string(t + 1);
            for (unsigned i = 0; i < 6; ++i) {
                right += shown_sign_in("fenced", "fenced password", from) == "ok fenced" ? 1 : 0;
                right += converse("SCRAM-SHA-256", "na,me=x", "pw") == "ok na,me=x" ? 1 : 0;
                right += converse("LOGIN", "na,me=x", "pw") == "ok na,me=x" ? 1 : 0;
                right += shown_sign_in("no" + from, "wrong", from) == "credentials" ? 1 : 0;
                if (i == 2) authenticator_.replace(authenticator_.directory());
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    // Three failures a name are let through, then it is throttled.
    EXPECT_EQ(right, 4 * (6 + 6 + 6 + 3));
}

}  // namespace
}  // namespace outpost::account

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "account/sasl_client.hpp"
#include "submission/harness.hpp"

namespace outpost::test {
namespace {

std::string base64(std::string_view text) {
    return base::base64_encode(text);
}

class SessionAuth : public testing::Test {
  protected:
    /// A client that has said EHLO to a listener without TLS.
    std::unique_ptr<TestClient> connect() {
        if (port_ == 0) port_ = harness.start_clear();
        auto client = std::make_unique<TestClient>(port_);
        client->read_line();
        client->ask("EHLO client");
        return client;
    }
    Harness harness;

  private:
    std::uint16_t port_ = 0;
};

TEST_F(SessionAuth, SignsInWithPlain) {
    auto client = connect();
    EXPECT_EQ(client->ask(plain("shop", "secret")), "235 2.7.0 Authentication successful");
    EXPECT_EQ(client->ask("AUTH PLAIN"), "503 5.5.1 Already authenticated");
    EXPECT_EQ(client->ask("MAIL FROM:<shop@example.com>"), "250 2.1.0 Ok");
}

TEST_F(SessionAuth, SignsInWithPlainAfterAChallenge) {
    auto client = connect();
    EXPECT_EQ(client->ask("AUTH PLAIN"), "334 ");
    EXPECT_EQ(client->ask(plain("shop", "secret").substr(11)),
              "235 2.7.0 Authentication successful");
}

TEST_F(SessionAuth, SignsInWithLogin) {
    auto client = connect();
    EXPECT_EQ(client->ask("auth login"), "334 " + base64("Username:"));
    EXPECT_EQ(client->ask(base64("shop")), "334 " + base64("Password:"));
    EXPECT_EQ(client->ask(base64("secret")), "235 2.7.0 Authentication successful");
}

TEST_F(SessionAuth, SaysTheSameOfAWrongUserAndAWrongPassword) {
    auto client = connect();
    EXPECT_EQ(client->ask(plain("shop", "wrong")), wrong_password);
    EXPECT_EQ(client->ask(plain("nobody", "secret")), wrong_password);
    EXPECT_EQ(client->ask("MAIL FROM:<shop@example.com>"), "530 5.7.0 Authentication required");
    EXPECT_EQ(client->ask(plain("shop", "secret")), "235 2.7.0 Authentication successful");
}

TEST_F(SessionAuth, TellsOnlyWithTheRightPasswordThatAnAccountIsInactive) {
    auto client = connect();
    EXPECT_EQ(client->ask(plain("sleeper", "wrong")), wrong_password);
    EXPECT_EQ(client->ask(plain("sleeper", "secret")),
              "525 5.7.13 This account is not active; ask the operator of this mail relay to "
              "activate it");
}

TEST_F(SessionAuth, RefusesAClientOutsideOfTheAccountsNetworks) {
    auto client = connect();
    EXPECT_EQ(client->ask(plain("office", "secret")), wrong_password);
}

TEST_F(SessionAuth, LetsTheClientCancel) {
    auto client = connect();
    EXPECT_EQ(client->ask("AUTH LOGIN"), "334 " + base64("Username:"));
    EXPECT_EQ(client->ask("*"), "501 5.7.0 Authentication cancelled");
    EXPECT_EQ(client->ask("AUTH PLAIN"), "334 ");
    EXPECT_EQ(client->ask("not base64!"), "501 5.5.2 The response to the challenge is not base64");
    EXPECT_EQ(client->ask("NOOP"), "250 2.0.0 Ok");
}

TEST_F(SessionAuth, RefusesWhatItDoesNotKnow) {
    auto client = connect();
    EXPECT_EQ(client->ask("AUTH CRAM-MD5").substr(0, 9), "504 5.5.4");
    EXPECT_EQ(client->ask("AUTH PLAIN " + base64("no nul")).substr(0, 9), "501 5.5.2");
    EXPECT_EQ(client->ask("AUTH PLAIN ===").substr(0, 9), "501 5.5.2");
}

TEST_F(SessionAuth, SignsInWithScram) {
    auto client = connect();
    const auto sasl =
        account::make_sasl_client("shop", base::Secret("secret"), "relay.example.com", false);
    const auto first = sasl->start({"SCRAM-SHA-256"});
    ASSERT_TRUE(first && first->initial_response);
    auto reply = client->ask("AUTH SCRAM-SHA-256 " + base64(*first->initial_response));
    while (reply.starts_with("334 ")) {
        const auto response = sasl->step(*base::base64_decode(reply.substr(4)));
        ASSERT_TRUE(response) << response.error();
        reply = client->ask(base64(*response));
    }
    EXPECT_EQ(reply, "235 2.7.0 Authentication successful");
}

TEST_F(SessionAuth, ClosesAfterTooManyFailuresAndThenDoesNotGreet) {
    harness.limits.auth_failures_per_address = {3, std::chrono::minutes(10)};
    auto client = connect();
    for (int i = 0; i < 3; ++i) ASSERT_EQ(client->ask(plain("shop", "wrong")), wrong_password);
    const std::string_view too_many =
        "421 4.7.0 Too many failed logins from your address; wait some minutes, then check user "
        "name and password";
    EXPECT_EQ(client->ask(plain("shop", "secret")), too_many);
    auto next = connect();
    EXPECT_EQ(next->read_line(), "<closed>");
}

TEST_F(SessionAuth, MakesAnAccountUnderAttackWait) {
    harness.limits.auth_failures_per_account = {2, std::chrono::minutes(10)};
    auto client = connect();
    for (int i = 0; i < 2; ++i) ASSERT_EQ(client->ask(plain("shop", "wrong")), wrong_password);
    EXPECT_EQ(client->ask(plain("shop", "secret")).substr(0, 9), "454 4.7.0");
}

TEST_F(SessionAuth, AsksToTryAgainWhenTooManySignInAtTheSameTime) {
    harness.sasl_threads = 1;
    harness.sasl_waiting = 0;
    auto client = connect();
    std::latch busy(1);
    std::latch enough(1);
    boost::asio::io_context context;
    boost::asio::co_spawn(context, harness.pool->run([&] {
        busy.count_down();
        enough.wait();
        return true;
    }),
                          [](const std::exception_ptr&, auto) {});
    std::thread runner([&] { context.run(); });
    busy.wait();
    EXPECT_EQ(client->ask(plain("shop", "secret")),
              "454 4.7.0 Too many logins at the same time; try again in a moment");
    enough.count_down();
    runner.join();
    harness.stop();  // the pool lets go of `context` before it goes
}

TEST_F(SessionAuth, RefusesMailOfAHeloClient) {
    TestClient client(harness.start_clear());
    play(client, R"(S: 220 ...
                    C: HELO client
                    S: 250 relay.example.com
                    C: AUTH PLAIN
                    S: 503 5.5.1 AUTH needs EHLO, not HELO
                    C: MAIL FROM:<shop@example.com>
                    S: 530 5.7.0 Authentication required)");
}

TEST_F(SessionAuth, HoldsTheAccountsOwnLimits) {
    harness.config.accounts["shop"].max_message_size = 1000;
    harness.config.accounts["shop"].max_recipients = 1;
    auto client = connect();
    client->ask(plain("shop", "secret"));
    EXPECT_EQ(client->ask("MAIL FROM:<shop@example.com> SIZE=1001").substr(0, 9), "552 5.3.4");
    EXPECT_EQ(client->ask("MAIL FROM:<shop@example.com> SIZE=1000"), "250 2.1.0 Ok");
    EXPECT_EQ(client->ask("RCPT TO:<a@example.net>"), "250 2.1.5 Ok");
    EXPECT_EQ(client->ask("RCPT TO:<b@example.net>"),
              "452 4.5.3 Too many recipients; send the message to the others separately");
}

TEST(SessionTrusted, OffersNoAuth) {
    Harness harness;
    TestClient client(harness.start_trusted());
    client.read_line();
    EXPECT_FALSE(client.ask("EHLO client").contains("AUTH"));
    EXPECT_EQ(client.ask("AUTH PLAIN"), "503 5.5.1 Already authenticated");
}

TEST(SessionTrusted, RefusesMailOfAnInactiveAccount) {
    Harness harness;
    TestClient client(harness.start(
        {.tls = config::ListenerTls::none, .require_tls = false, .trusted_account = "sleeper"}));
    client.read_line();
    client.ask("EHLO client");
    EXPECT_EQ(client.ask("MAIL FROM:<shop@example.com>").substr(0, 10), "525 5.7.13");
}

TEST(SessionTrusted, TurnsClientsAwayWhenTheAccountIsGone) {
    Harness harness;
    TestClient client(harness.start(
        {.tls = config::ListenerTls::none, .require_tls = false, .trusted_account = "nobody"}));
    EXPECT_EQ(client.read_line().substr(0, 9), "421 4.3.5");
}

}  // namespace
}  // namespace outpost::test

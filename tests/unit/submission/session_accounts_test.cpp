#include <gmock/gmock.h>

#include "submission/harness.hpp"

namespace outpost::test {
namespace {

using testing::StartsWith;

constexpr std::string_view changed =
    "421 4.7.0 The operator of this mail relay has changed your account; sign in again";

constexpr std::string_view gone =
    "421 4.7.0 Your account on this mail relay is no longer valid; ask its operator";

/// Accounts that change while sessions are open.
class SessionAccounts : public testing::Test {
  protected:
    config::Account& shop() { return harness.config.accounts["shop"]; }
    std::unique_ptr<TestClient> signed_in() {
        if (port_ == 0) port_ = harness.start_clear();
        auto client = std::make_unique<TestClient>(port_);
        client->read_line();
        client->ask("EHLO client");
        EXPECT_THAT(client->ask(plain("shop", "secret")), StartsWith("235"));
        return client;
    }

    Harness harness;

  private:
    std::uint16_t port_ = 0;
};

TEST_F(SessionAccounts, ANewPolicyHoldsForTheNextCommand) {
    const auto client = signed_in();
    shop().authorized_domains = {"example.org"};
    shop().max_recipients = 1;
    shop().max_message_size = 5000;
    harness.change_accounts();
    EXPECT_THAT(client->ask("MAIL FROM:<a@example.com>"), StartsWith("550 5.7.1"));
    EXPECT_THAT(client->ask("MAIL FROM:<a@example.org> SIZE=5001"), StartsWith("552"));
    EXPECT_THAT(client->ask("MAIL FROM:<a@example.org>"), StartsWith("250"));
    EXPECT_THAT(client->ask("RCPT TO:<a@example.net>"), StartsWith("250"));
    EXPECT_THAT(client->ask("RCPT TO:<b@example.net>"), StartsWith("452 4.5.3"));
}

TEST_F(SessionAccounts, AnIdleSessionOfAnAccountThatIsGoneEndsAtOnce) {
    const auto first = signed_in();
    const auto other = signed_in();
    EXPECT_THAT(other->ask("MAIL FROM:<a@example.com>"), StartsWith("250"));
    harness.config.accounts.erase("shop");
    harness.change_accounts();
    EXPECT_EQ(first->read_line(), gone);
    EXPECT_EQ(other->read_line(), gone);
}

TEST_F(SessionAccounts, SoDoesThatOfAnInactiveOneOrAnotherPasswordOrNetwork) {
    for (int change = 0; change < 4; ++change) {
        const auto client = signed_in();
        const config::Account before = shop();
        if (change == 0) shop().active = false;
        if (change == 1) shop().password = base::Secret("another");
        if (change == 2) shop().allowed_networks = {"192.0.2.0/24"};
        if (change == 3) shop().removed = true;
        harness.change_accounts();
        EXPECT_EQ(client->read_line(), change == 0 || change == 3 ? gone : changed) << change;
        shop() = before;
        harness.change_accounts();
    }
}

TEST_F(SessionAccounts, OthersGoOn) {
    const auto client = signed_in();
    harness.config.accounts.erase("office");
    harness.add_account("fresh").authorized_domains = {"example.net"};
    harness.change_accounts();
    EXPECT_THAT(client->ask("MAIL FROM:<a@example.com>"), StartsWith("250"));
    EXPECT_THAT(client->ask("NOOP"), StartsWith("250"));
}

TEST_F(SessionAccounts, ATrustedListenerFollowsItsAccountWhateverItsPassword) {
    TestClient client(harness.start_trusted());
    client.read_line();
    client.ask("EHLO client");
    shop().password = base::Secret("another");
    harness.change_accounts();
    EXPECT_THAT(client.ask("MAIL FROM:<a@example.com>"), StartsWith("250"));
    shop().active = false;
    harness.change_accounts();
    EXPECT_EQ(client.read_line(), gone);
}

TEST_F(SessionAccounts, AMessageUnderWayIsJudgedByTheAccountThatItBeganWith) {
    const auto client = signed_in();
    EXPECT_THAT(client->ask("MAIL FROM:<a@example.com>"), StartsWith("250"));
    EXPECT_THAT(client->ask("RCPT TO:<a@example.net>"), StartsWith("250"));
    client->send("BDAT 26\r\nFrom: <a@example.com>\r\nTo:");
    EXPECT_THAT(client->read_line(), StartsWith("250"));
    shop().authorized_domains = {"example.org"};
    harness.change_accounts();
    client->send("BDAT 27 LAST\r\n <a@example.net>\r\n\r\nHello\r\n");
    EXPECT_THAT(client->read_line(), StartsWith("250 2.0.0 Ok: queued"));
    EXPECT_THAT(client->ask("MAIL FROM:<a@example.com>"), StartsWith("550 5.7.1"));
}

TEST_F(SessionAccounts, AQuotaThatIsAddedOrChangedKeepsWhatWasUsed) {
    shop().limits.quota.daily = 2;
    const auto client = signed_in();
    const auto recipient = [&] { return client->ask("RCPT TO:<a@example.net>").substr(0, 3); };
    const auto begin = [&] {
        EXPECT_THAT(client->ask("RSET"), StartsWith("250"));
        EXPECT_THAT(client->ask("MAIL FROM:<a@example.com>"), StartsWith("250"));
    };
    const auto finish = [&] {
        EXPECT_THAT(client->ask("DATA"), StartsWith("354"));
        EXPECT_THAT(client->ask("From: a@example.com\r\n\r\nHello\r\n."), StartsWith("250"));
    };
    begin();
    EXPECT_EQ(recipient(), "250");
    EXPECT_EQ(recipient(), "250");
    EXPECT_EQ(recipient(), "454");
    finish();
    shop().limits.quota.daily = 3;
    harness.change_accounts();
    begin();
    EXPECT_EQ(recipient(), "250");
    EXPECT_EQ(recipient(), "454");
    finish();
    // It is taken away for a while, and what it has counted by then stays.
    shop().limits.quota = {};
    harness.change_accounts();
    begin();
    EXPECT_EQ(recipient(), "250");
    finish();
    shop().limits.quota.daily = 3;
    harness.change_accounts();
    begin();
    EXPECT_EQ(recipient(), "454");
}

}  // namespace
}  // namespace outpost::test

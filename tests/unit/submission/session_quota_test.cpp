#include <gmock/gmock.h>

#include <numeric>
#include <thread>

#include "submission/harness.hpp"
#include "submission/limit_reply.hpp"

namespace outpost::test {
namespace {

using namespace std::chrono_literals;

using testing::AnyOf;
using testing::StartsWith;

constexpr std::string_view sender = "MAIL FROM:<shop@example.com>";
constexpr std::string_view recipient = "RCPT TO:<you@example.net>";
constexpr std::string_view message = "From: shop@example.com\r\n\r\nHello\r\n.";
constexpr std::string_view taken = "250 2.1.5 Ok";
constexpr std::string_view over_rate =
    "454 4.7.0 Throttling failure: Maximum sending rate exceeded";
constexpr std::string_view over_quota = "454 4.7.0 Throttling failure: Daily message quota";
constexpr std::string_view not_stored = "452 4.3.1";

/// An account with limits that no test outlives: by the hour and, for what may be used up, a month
/// that does not end.
class SessionQuota : public testing::Test {
  protected:
    void submit_rate(std::uint64_t count) {
        shop().submit_rate = {{count, std::chrono::hours(12), limit::Unit::recipients}};
    }
    void daily_quota(std::uint64_t count) { shop().limits.quota.daily = count; }
    config::Account& shop() { return harness.config.accounts["shop"]; }

    std::uint16_t port() {
        if (port_ == 0) port_ = harness.start_trusted();
        return port_;
    }
    std::unique_ptr<TestClient> connect() {
        auto client = std::make_unique<TestClient>(port());
        client->read_line();
        client->ask("EHLO client");
        return client;
    }
    /// A client with an open transaction of `recipients` that were taken.
    std::unique_ptr<TestClient> connect_with(std::uint64_t recipients) {
        auto client = connect();
        begin(*client, recipients);
        return client;
    }
    static void begin(TestClient& client, std::uint64_t recipients) {
        EXPECT_EQ(client.ask(sender), "250 2.1.0 Ok");
        for (std::uint64_t i = 0; i < recipients; ++i) EXPECT_EQ(client.ask(recipient), taken);
    }
    static std::string finish(TestClient& client, std::string_view octets = message) {
        EXPECT_THAT(client.ask("DATA"), StartsWith("354"));
        return client.ask(octets);
    }

    std::uint64_t used(const std::string& key, const limit::Limits& limits) {
        return harness.limiter->levels(harness.limiter->define(key, limits)).at(0).used;
    }
    std::uint64_t quota_used() {
        return used("account/shop/quota",
                    {.rates = {}, .smooth = false, .quota = shop().limits.quota});
    }
    std::uint64_t rate_used() {
        return used("account/shop/submit",
                    {.rates = shop().submit_rate, .smooth = false, .quota = {}});
    }
    /// What happens after a connection's end is not seen by its client.
    void wait_for_quota_used(std::uint64_t count) {
        const auto patience = harness.clock.mono() + std::chrono::seconds(10);
        while (quota_used() != count && harness.clock.mono() < patience) std::this_thread::yield();
        EXPECT_EQ(quota_used(), count);
    }

    Harness harness;

  private:
    std::uint16_t port_ = 0;
};

TEST_F(SessionQuota, RefusesARecipientOverTheSubmitRateAndKeepsThoseBefore) {
    submit_rate(2);
    const auto client = connect_with(2);
    const std::string reply = client->ask(recipient);
    EXPECT_THAT(reply, StartsWith(std::string(over_rate) + ": 2/12h; try again in 12 h"));
    EXPECT_THAT(finish(*client), StartsWith("250"));
    ASSERT_EQ(harness.spool.stored().size(), 1U);
    EXPECT_EQ(harness.spool.stored()[0].envelope.recipients.size(), 2U);
    begin(*client, 0);
    EXPECT_THAT(client->ask(recipient), StartsWith(over_rate));
    EXPECT_EQ(client->ask("DATA"), "554 5.5.1 No valid recipients");
}

TEST_F(SessionQuota, RefusesARecipientOverTheQuotaAndSaysWhenItResets) {
    daily_quota(2);
    shop().limits.quota.zone = limit::TimeZone::find("Europe/Amsterdam").value();
    const auto resets = [this] {
        const auto& zone = shop().limits.quota.zone;
        const auto day = limit::period_at(zone, limit::CalendarUnit::day, harness.clock.wall());
        return std::string(over_quota) + " exceeded; it counts recipients and resets at " +
               limit::local_text(zone, day.end);
    };
    const auto client = connect_with(2);
    const std::string before = resets();
    const std::string reply = client->ask(recipient);
    EXPECT_THAT(reply, AnyOf(before, resets()));
    EXPECT_THAT(finish(*client), StartsWith("250"));
    ASSERT_EQ(harness.spool.stored().size(), 1U);
    EXPECT_EQ(harness.spool.stored()[0].envelope.recipients.size(), 2U);
}

TEST_F(SessionQuota, ItCanBeForetold) {
    daily_quota(2);
    submit_rate(2);
    const auto client = connect_with(1);
    const auto foretold = [this] {
        return limit_reply_now(harness.account_limits(), "shop", harness.clock.wall());
    };
    EXPECT_EQ(foretold(), "");
    EXPECT_EQ(client->ask(recipient), taken);
    const std::string before = foretold();
    EXPECT_THAT(client->ask(recipient), AnyOf(before, foretold()));
    EXPECT_THAT(before, StartsWith(over_quota));
    EXPECT_EQ(limit_reply_now(harness.account_limits(), "nobody", harness.clock.wall()), "");
}

TEST_F(SessionQuota, RefusalsAreNoBadCommands) {
    daily_quota(1);
    const auto client = connect_with(1);
    for (int i = 0; i < 100; ++i) EXPECT_THAT(client->ask(recipient), StartsWith(over_quota));
    EXPECT_THAT(finish(*client), StartsWith("250"));
}

TEST_F(SessionQuota, HoldsNobodyBackWhoseMailIsHeld) {
    daily_quota(1);
    shop().when_exceeded = config::WhenExceeded::hold;
    const auto client = connect_with(3);
    EXPECT_THAT(finish(*client), StartsWith("250"));
}

TEST_F(SessionQuota, ChargesWhatWasAccepted) {
    daily_quota(5);
    const auto client = connect_with(3);
    EXPECT_THAT(finish(*client), StartsWith("250"));
    EXPECT_EQ(quota_used(), 3U);
    EXPECT_EQ(client->ask("RSET"), "250 2.0.0 Ok");
    EXPECT_EQ(quota_used(), 3U);
}

TEST_F(SessionQuota, GivesBackWhatATransactionWithoutAMessageTook) {
    daily_quota(3);
    for (const std::string_view end : {"RSET", "EHLO again"}) {
        const auto client = connect_with(3);
        EXPECT_THAT(client->ask(recipient), StartsWith(over_quota));
        client->ask(end);
        EXPECT_EQ(quota_used(), 0U) << end;
        begin(*client, 3);
        client->ask("RSET");
    }
}

TEST_F(SessionQuota, GivesBackWhatASessionTookThatEnded) {
    daily_quota(3);
    {
        const auto client = connect_with(3);
        client->ask("QUIT");
        wait_for_quota_used(0);
    }
    connect_with(3)->close();
    wait_for_quota_used(0);
    {
        const auto client = connect_with(2);
        client->ask("DATA");
        client->send("From: shop@exa");
        client->close();
    }
    wait_for_quota_used(0);
}

TEST_F(SessionQuota, GivesBackWhatARefusedMessageTook) {
    daily_quota(3);
    const auto client = connect_with(3);
    EXPECT_THAT(finish(*client, "From: thief@example.org\r\n\r\n."), StartsWith("550 5.7.1"));
    EXPECT_EQ(quota_used(), 0U);
    begin(*client, 2);
    client->send("BDAT 11 LAST\r\nFrom: x@y\r\n");
    EXPECT_THAT(client->read_reply(), StartsWith("550"));
    EXPECT_EQ(quota_used(), 0U);
}

TEST_F(SessionQuota, GivesBackWhatAMessageTookThatCouldNotBeStored) {
    daily_quota(3);
    harness.spool.fail_with(spool::StoreFailure{spool::StoreFailure::Kind::no_space, "full"});
    const auto client = connect_with(3);
    EXPECT_THAT(finish(*client), StartsWith(not_stored));
    EXPECT_EQ(quota_used(), 0U);
}

TEST_F(SessionQuota, AReplyTellsThatTheQuotaIsCharged) {
    daily_quota(3);
    std::uint64_t while_stored = 0;
    harness.spool.while_appending([&] { while_stored = quota_used(); });
    const auto client = connect_with(2);
    EXPECT_THAT(finish(*client), StartsWith("250"));
    EXPECT_EQ(while_stored, 2U) << "reserved until then";
}

TEST_F(SessionQuota, OneRefusalTakesNothingFromTheOtherLimit) {
    daily_quota(2);
    submit_rate(1);
    {
        const auto client = connect_with(1);
        EXPECT_THAT(client->ask(recipient), StartsWith(over_rate));
        EXPECT_EQ(quota_used(), 1U) << "the refused one gave its place back";
        EXPECT_EQ(rate_used(), 1U);
    }
    wait_for_quota_used(0);
    EXPECT_EQ(rate_used(), 1U) << "a rate is used for good";
}

TEST_F(SessionQuota, TheQuotaRefusesBeforeTheRateIsTouched) {
    daily_quota(1);
    submit_rate(5);
    const auto client = connect_with(1);
    EXPECT_THAT(client->ask(recipient), StartsWith(over_quota));
    EXPECT_EQ(rate_used(), 1U);
}

TEST_F(SessionQuota, ARateOfMessagesCountsTheFirstRecipientOnly) {
    shop().submit_rate = {{2, std::chrono::hours(12), limit::Unit::messages}};
    const auto client = connect_with(5);
    EXPECT_THAT(finish(*client), StartsWith("250"));
    begin(*client, 5);
    EXPECT_THAT(finish(*client), StartsWith("250"));
    begin(*client, 0);
    EXPECT_THAT(client->ask(recipient), StartsWith(over_rate));
}

TEST_F(SessionQuota, WaitsForTheStoreOfTheLimits) {
    daily_quota(1000);
    harness.counters.hold(true);
    const auto waiting = connect();
    EXPECT_EQ(waiting->ask(sender), "250 2.1.0 Ok");
    waiting->send_line(recipient);
    // An account without limits goes by, and so does whoever is on the same thread.
    for (int i = 0; i < 4; ++i) EXPECT_EQ(connect()->ask("NOOP"), "250 2.0.0 Ok");
    harness.counters.hold(false);
    EXPECT_EQ(waiting->read_reply(), taken);
    EXPECT_THAT(finish(*waiting), StartsWith("250"));
    EXPECT_EQ(quota_used(), 1U);
}

TEST_F(SessionQuota, AClientMayLeaveWhileItsSessionWaitsForTheStore) {
    daily_quota(1000);
    harness.counters.hold(true);
    {
        const auto waiting = connect();
        waiting->ask(sender);
        waiting->send_line(recipient);
    }
    EXPECT_EQ(connect()->ask("NOOP"), "250 2.0.0 Ok");
    harness.counters.hold(false);
    wait_for_quota_used(0);
}

TEST_F(SessionQuota, RefusesForNowWhileTheStoreFails) {
    daily_quota(1000);
    harness.lease_patience = 100ms;
    harness.counters.fail("disk full");
    const auto client = connect();
    client->ask(sender);
    EXPECT_THAT(client->ask(recipient), StartsWith(not_stored));
    EXPECT_EQ(client->ask("DATA"), "554 5.5.1 No valid recipients");
}

TEST_F(SessionQuota, WaitsForAStoreThatIsNotReadyYet) {
    daily_quota(1000);
    harness.counters.fail("not ready");
    const auto client = connect();
    client->ask(sender);
    client->send_line(recipient);
    harness.counters.fail("");
    EXPECT_EQ(client->read_reply(), taken);
}

TEST_F(SessionQuota, FiftySessionsAtItsEdgeNeverExceedIt) {
    constexpr std::uint64_t quota = 731;
    constexpr int sessions = 50;
    daily_quota(quota);
    (void)port();
    {
        std::vector<std::jthread> clients;
        for (int i = 0; i < sessions; ++i) {
            clients.emplace_back([this, i] {
                const auto client = connect();
                // Some let go in between what others may then take.
                for (int round = 0; round < 1000; ++round) {
                    client->ask(sender);
                    int accepted = 0;
                    for (int r = 0; r < 1 + (i + round) % 7; ++r)
                        accepted += client->ask(recipient) == taken;
                    if (accepted == 0) return;
                    if ((i + round) % 5 == 0) {
                        client->ask("RSET");
                    } else {
                        EXPECT_THAT(finish(*client), StartsWith("250"));
                    }
                }
            });
        }
    }
    const auto count_stored = [this] {
        const auto stored = harness.spool.stored();
        return std::accumulate(stored.begin(), stored.end(), std::uint64_t{0},
                               [](std::uint64_t sum, const FakeSpool::Stored& one) {
                                   return sum + one.envelope.recipients.size();
                               });
    };
    EXPECT_LE(count_stored(), quota);
    // What the last ones gave back is there for whoever comes.
    const auto client = connect();
    for (std::uint64_t left = quota - std::min(count_stored(), quota); left > 0; --left) {
        begin(*client, 1);
        EXPECT_THAT(finish(*client), StartsWith("250"));
    }
    client->ask(sender);
    EXPECT_THAT(client->ask(recipient), StartsWith(over_quota));
    EXPECT_EQ(count_stored(), quota);
    EXPECT_EQ(quota_used(), quota);
}

}  // namespace
}  // namespace outpost::test

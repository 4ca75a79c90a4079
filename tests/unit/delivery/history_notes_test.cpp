#include <gmock/gmock.h>
#include <boost/asio/co_spawn.hpp>

#include "dispatcher_fixture.hpp"

/// What delivery writes into the history.
namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using history::Result;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class HistoryNotesTest : public DispatcherTest {
  protected:
    [[nodiscard]] std::vector<Result> results() const {
        std::vector<Result> all;
        for (const auto& entry : history.entries) all.push_back(entry.event.result);
        return all;
    }
    void change(QueueChange wanted) {
        boost::asio::co_spawn(
            io,
            [&]() -> boost::asio::awaitable<void> {
                EXPECT_TRUE(co_await dispatcher->desk().change({}, std::move(wanted)));
            },
            [](const std::exception_ptr& error) {
                if (error) std::rethrow_exception(error);
            });
        run();
    }
};

TEST_F(HistoryNotesTest, RecipientsWithOneResultShareAnEntry) {
    start();
    office().answer = [](base::MessageId, const std::string& recipient) {
        return recipient == "c@example.org" ? refused() : delivered();
    };
    const auto id = submit(envelope({"a@example.org", "b@example.org", "c@example.org"}));
    ASSERT_GE(history.entries.size(), 2U);
    const auto& [event, recipients] = history.entries[0];
    EXPECT_EQ(event.id, id);
    EXPECT_EQ(event.at, clock.wall());
    EXPECT_EQ(event.result, Result::delivered);
    EXPECT_EQ(event.account, "shop");
    EXPECT_EQ(event.sender, "sender@example.com");
    EXPECT_EQ(event.upstream, "office");
    EXPECT_EQ(event.reply, "250 Ok");
    EXPECT_EQ(event.next_attempt, std::nullopt);
    EXPECT_THAT(recipients, ElementsAre("a@example.org", "b@example.org"));
    EXPECT_EQ(history.entries[1].event.result, Result::bounced);
    EXPECT_THAT(history.entries[1].recipients, ElementsAre("c@example.org"));
}

TEST_F(HistoryNotesTest, ADeferralSaysWhenTheNextAttemptIs) {
    start();
    office().always(deferred());
    submit();
    ASSERT_THAT(results(), ElementsAre(Result::deferred));
    EXPECT_EQ(history.entries[0].event.next_attempt, clock.wall() + 1min);
}

TEST_F(HistoryNotesTest, TheUpstreamsTroubleHasNoTimeOfItsOwn) {
    start();
    office().always(login_refused());
    submit();
    ASSERT_THAT(results(), ElementsAre(Result::deferred));
    EXPECT_EQ(history.entries[0].event.next_attempt, std::nullopt);
}

TEST_F(HistoryNotesTest, ExpiryWithoutAnAttemptIsWrittenDown) {
    start();
    office().always(login_refused());
    submit(envelope({"a@example.org", "b@example.org"}));
    history.entries.clear();
    advance(config.spool.max_age + 1min);
    std::vector<std::string> expired;
    for (const auto& entry : history.entries) {
        if (entry.event.result != Result::expired) continue;
        expired.insert(expired.end(), entry.recipients.begin(), entry.recipients.end());
        EXPECT_THAT(entry.event.reply, HasSubstr("spool.max_age is over"));
    }
    EXPECT_THAT(expired, ElementsAre("a@example.org", "b@example.org"));
}

TEST_F(HistoryNotesTest, WhatOperatorsDoIsWrittenDownWithTheReason) {
    start();
    office().always(login_refused());
    submit(envelope({"a@example.org", "b@example.org"}));
    history.entries.clear();
    change({.what = QueueChange::What::hold, .dry_run = true});
    EXPECT_THAT(history.entries, IsEmpty());
    change({.what = QueueChange::What::hold, .reason = "a look"});
    change({.what = QueueChange::What::move, .to = "office"});
    change({.what = QueueChange::What::cancel, .reason = "a mistake"});
    EXPECT_THAT(results(),
                ElementsAre(Result::held, Result::moved, Result::cancelled, Result::cancelled));
    EXPECT_EQ(history.entries[0].event.reply, "a look");
    EXPECT_EQ(history.entries[0].event.account, "shop");
    EXPECT_THAT(history.entries[0].recipients, IsEmpty());
    EXPECT_EQ(history.entries[1].event.reply, "to office");
    EXPECT_THAT(history.entries[3].event.reply, HasSubstr("a mistake"));
    EXPECT_THAT(history.entries[3].recipients, ElementsAre("b@example.org"));
}

}  // namespace
}  // namespace outpost::delivery::testing

#include "delivery/dispatcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "dispatcher_fixture.hpp"

namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using spool::RecipientStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(DispatcherTest, DeliversWhatIsStored) {
    start();
    const auto id = submit();
    ASSERT_EQ(office().sent.size(), 1U);
    EXPECT_EQ(office().sent[0].id, id);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
    EXPECT_EQ(spool.recipient(id).last_reply, "250 Ok");
    EXPECT_EQ(spool.recipient(id).last_upstream, "office");
    EXPECT_EQ(spool.recipient(id).attempts, 1);
    EXPECT_EQ(dispatcher->queue().size(), 0U);
}

TEST_F(DispatcherTest, DeliversWhatWasRecovered) {
    const auto first = spool.keep(envelope());
    const auto second = spool.keep(envelope());
    start();
    EXPECT_EQ(status(first), RecipientStatus::delivered);
    EXPECT_EQ(status(second), RecipientStatus::delivered);
}

TEST_F(DispatcherTest, TakesMailFromTheCommittersThread) {
    start();
    std::vector<base::MessageId> ids;
    for (int i = 0; i < 100; ++i) ids.push_back(spool.keep(envelope()));
    std::thread committer([&] {
        for (const auto id : ids) spool.announce({id});
    });
    committer.join();
    run();
    EXPECT_EQ(office().sent.size(), 100U);
}

TEST_F(DispatcherTest, RecordsOnceAMessageHoweverManyRecipients) {
    start();
    const auto id = submit(envelope({"a@example.org", "b@example.org", "c@example.org"}));
    EXPECT_EQ(spool.records_of(id), 1U);
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(DispatcherTest, KeepsToTheConcurrency) {
    office().hold = true;
    start();
    for (int i = 0; i < 20; ++i) submit();
    EXPECT_EQ(office().active, 5);
    office().release();
    run();
    EXPECT_EQ(office().sent.size(), 20U);
    EXPECT_EQ(office().most_active, 5);
}

TEST_F(DispatcherTest, AHigherPriorityGoesNext) {
    config.upstreams["office"].concurrency = 1;
    office().hold = true;
    start();
    for (int i = 0; i < 3; ++i) submit();
    auto urgent = envelope();
    urgent.priority = 1;
    const auto id = submit(urgent);
    office().release();
    run();
    ASSERT_EQ(office().sent.size(), 4U);
    EXPECT_EQ(office().sent[1].id, id);
}

TEST_F(DispatcherTest, TriesADeferredRecipientAgainAlone) {
    office().answer = [&](base::MessageId, const std::string& address) {
        return address == "b@example.org" && office().sent.size() == 1 ? deferred() : delivered();
    };
    start();
    const auto id = submit(envelope({"a@example.org", "b@example.org"}));
    EXPECT_EQ(status(id, 0), RecipientStatus::delivered);
    EXPECT_EQ(status(id, 1), RecipientStatus::pending);
    EXPECT_EQ(spool.recipient(id, 1).next_attempt, clock.wall() + 1min);
    advance(59s);
    EXPECT_EQ(office().sent.size(), 1U);
    advance(1s);
    ASSERT_EQ(office().sent.size(), 2U);
    EXPECT_THAT(office().sent[1].recipients, ElementsAre("b@example.org"));
    EXPECT_EQ(status(id, 1), RecipientStatus::delivered);
    EXPECT_EQ(spool.recipient(id, 1).attempts, 2);
}

TEST_F(DispatcherTest, BacksOffFurtherWithEachAttempt) {
    office().always(deferred());
    start();
    submit();
    advance(1min);
    EXPECT_EQ(office().sent.size(), 2U);
    advance(119s);
    EXPECT_EQ(office().sent.size(), 2U);
    advance(1s);
    EXPECT_EQ(office().sent.size(), 3U);
}

TEST_F(DispatcherTest, OneRecipientsTroubleDoesNotStopOthers) {
    office().answer = [](base::MessageId, const std::string& address) {
        return address == "busy@example.org" ? deferred() : delivered();
    };
    start();
    submit(envelope({"busy@example.org"}));
    const auto other = submit();
    EXPECT_EQ(status(other), RecipientStatus::delivered);
}

TEST_F(DispatcherTest, TakesUpARecoveredRetryWhenItIsDue) {
    spool::MessageState state;
    state.recipients.resize(1);
    state.recipients[0].attempts = 3;
    state.recipients[0].next_attempt = clock.wall() + 10min;
    const auto id = spool.keep(envelope(), state);
    start();
    EXPECT_TRUE(office().sent.empty());
    advance(10min);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
    EXPECT_EQ(spool.recipient(id).attempts, 4);
}

TEST_F(DispatcherTest, SetsADamagedMessageAsideAndServesTheRest) {
    const auto bad = spool.keep(envelope());
    const auto good = spool.keep(envelope());
    spool.read_failures[bad] = {.damaged = true, .reason = "checksum"};
    start();
    EXPECT_EQ(status(good), RecipientStatus::delivered);
    EXPECT_EQ(dispatcher->queue().size(), 0U);
    EXPECT_EQ(spool.records_of(bad), 0U);
}

TEST_F(DispatcherTest, TriesAMessageThatCannotBeReadLater) {
    const auto id = spool.keep(envelope());
    spool.read_failures[id] = {.damaged = false, .reason = "EIO"};
    start();
    EXPECT_TRUE(office().sent.empty());
    spool.read_failures.clear();
    advance(1min);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
}

TEST_F(DispatcherTest, SurvivesATransportThatThrows) {
    office().answer = [](base::MessageId, const std::string&) -> upstream::Outcome {
        throw std::runtime_error("bug");
    };
    start();
    const auto id = submit();
    EXPECT_EQ(status(id), RecipientStatus::pending);
    office().always(delivered());
    advance(1min);
    EXPECT_EQ(status(id), RecipientStatus::delivered);
}

TEST_F(DispatcherTest, KeepsMailOfAnAccountThatIsNoLongerConfigured) {
    const auto id = spool.keep(envelope({"a@example.org"}, "gone"));
    start();
    EXPECT_TRUE(office().sent.empty());
    EXPECT_EQ(status(id), RecipientStatus::pending);
}

TEST_F(DispatcherTest, SendsEachAccountsMailItsOwnWay) {
    add_upstream("bulk");
    add_account("news", "bulk");
    start();
    submit(envelope({"a@example.org"}, "news"));
    EXPECT_EQ(transports["bulk"]->sent.size(), 1U);
    EXPECT_TRUE(office().sent.empty());
}

TEST_F(DispatcherTest, AStopLetsWhatIsUnderWayFinish) {
    config.upstreams["office"].concurrency = 1;
    office().hold = true;
    start();
    const auto first = submit();
    const auto second = submit();
    std::optional<std::size_t> unfinished;
    boost::asio::co_spawn(io, dispatcher->stop(10s),
                          [&](const std::exception_ptr&, std::size_t n) { unfinished = n; });
    run();
    advance(9s);
    EXPECT_FALSE(unfinished);
    office().release();
    run();
    EXPECT_EQ(unfinished, 0U);
    EXPECT_EQ(status(first), RecipientStatus::delivered);
    EXPECT_EQ(status(second), RecipientStatus::pending);
    EXPECT_TRUE(office().closed);
    submit();
    EXPECT_EQ(office().sent.size(), 1U);
}

TEST_F(DispatcherTest, AStopWaitsNoLongerThanItsGrace) {
    office().hold = true;
    start();
    const auto id = submit();
    std::optional<std::size_t> unfinished;
    boost::asio::co_spawn(io, dispatcher->stop(10s),
                          [&](const std::exception_ptr&, std::size_t n) { unfinished = n; });
    run();
    advance(10s);
    EXPECT_EQ(unfinished, 1U);
    EXPECT_TRUE(office().closed);
    EXPECT_EQ(status(id), RecipientStatus::pending);
}

TEST_F(DispatcherTest, AStopWithNothingUnderWayReturnsAtOnce) {
    start();
    std::optional<std::size_t> unfinished;
    boost::asio::co_spawn(io, dispatcher->stop(10s),
                          [&](const std::exception_ptr&, std::size_t n) { unfinished = n; });
    run();
    EXPECT_EQ(unfinished, 0U);
}

}  // namespace
}  // namespace outpost::delivery::testing

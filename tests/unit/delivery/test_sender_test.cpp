#include <gmock/gmock.h>

#include <stdexcept>

#include "dispatcher_fixture.hpp"

/// An operator's test message by one upstream.
namespace outpost::delivery::testing {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using upstream::Verdict;

class SendTest : public DispatcherTest {
  protected:
    Desk& desk() { return dispatcher->desk(); }
    TestReport send(const std::string& upstream = "office") {
        return *wait(desk().send_test(upstream, {.to = "ann@example.org"}));
    }
    /// One that goes on while the test does other things.
    std::shared_ptr<std::optional<TestReport>> begin() {
        auto report = std::make_shared<std::optional<TestReport>>();
        boost::asio::co_spawn(
            io, desk().send_test("office", {.to = "ann@example.org"}),
            [report](const std::exception_ptr& error, std::optional<TestReport> result) {
                if (error) std::rethrow_exception(error);
                *report = std::move(result);
            });
        run();
        return report;
    }
    void limit(std::uint64_t count) {
        config.upstreams["office"].limits.rates = {{.count = count, .period = 1h}};
    }
    std::uint64_t used() { return desk().upstreams()[0].limits.at(0).used; }
    std::string state() { return desk().upstreams()[0].state; }
};

TEST_F(SendTest, TellsWhatTheUpstreamSaidAndWritesItDown) {
    start();
    const TestReport report = send();
    ASSERT_TRUE(report.outcome);
    EXPECT_EQ(report.outcome->verdict, Verdict::delivered);
    EXPECT_EQ(report.outcome->reply.text(), "250 Ok");
    EXPECT_EQ(report.from, "mailer-daemon@relay.example.com");
    EXPECT_EQ(report.upstream.state, "open");
    ASSERT_THAT(office().sent, SizeIs(1));
    EXPECT_EQ(office().sent[0].id, report.id);
    EXPECT_THAT(office().sent[0].recipients, ElementsAre("ann@example.org"));
    EXPECT_THAT(spool.messages, IsEmpty()) << "not through the spool";
    ASSERT_THAT(history.entries, SizeIs(1));
    const history::Entry& entry = history.entries[0];
    EXPECT_EQ(entry.event.id, report.id);
    EXPECT_EQ(entry.event.account, "(operator)");
    EXPECT_EQ(entry.event.upstream, "office");
    EXPECT_EQ(entry.event.result, history::Result::delivered);
    EXPECT_THAT(entry.recipients, ElementsAre("ann@example.org"));
}

TEST_F(SendTest, WhatIsNotDeliveredIsNotTriedAgain) {
    start();
    office().always(deferred());
    EXPECT_EQ(send().outcome->reply.text(), "450 Mailbox busy");
    office().always(refused());
    EXPECT_EQ(send().outcome->verdict, Verdict::failed);
    office().always(lost());
    EXPECT_EQ(send().outcome->verdict, Verdict::uncertain);
    advance(6h);
    EXPECT_THAT(office().sent, SizeIs(3));
    EXPECT_THAT(reports(), IsEmpty());
    std::vector<history::Result> results;
    for (const auto& entry : history.entries) {
        results.push_back(entry.event.result);
        EXPECT_FALSE(entry.event.next_attempt);
    }
    using enum history::Result;
    EXPECT_THAT(results, ElementsAre(dropped, dropped, uncertain));
}

TEST_F(SendTest, ReportsComeFromWhereTheConfigurationSays) {
    config.dsn.from = "The Post <post@example.com>";
    start();
    EXPECT_EQ(send().from, "post@example.com");
    EXPECT_FALSE(wait(desk().send_test("nowhere", {.to = "ann@example.org"})));
}

TEST_F(SendTest, CountsAgainstTheLimitsOfItsUpstream) {
    limit(2);
    start();
    send();
    EXPECT_EQ(used(), 1U);
    submit();
    const TestReport report = send();
    EXPECT_FALSE(report.outcome);
    EXPECT_EQ(report.not_sent, "nothing is left of rate 2/h of upstream office");
    ASSERT_TRUE(report.until);
    EXPECT_GT(*report.until, clock.wall() + 50min);
    EXPECT_THAT(office().sent, SizeIs(2)) << "the limit";
    advance(61min);
    EXPECT_TRUE(send().outcome);
}

TEST_F(SendTest, WaitsForTheStoreOfLimits) {
    limit(5);
    start();
    // One after the other, with no time for the store to answer in between.
    const auto both = [this]() -> boost::asio::awaitable<int> {
        int sent = 0;
        for (int i = 0; i < 5; ++i) {
            const auto report = co_await desk().send_test("office", {.to = "ann@example.org"});
            sent += report->outcome ? 1 : 0;
        }
        co_return sent;
    };
    EXPECT_EQ(wait(both()), 5);
    EXPECT_FALSE(send().outcome);
}

TEST_F(SendTest, APermitOfWhatWasNotSentComesBack) {
    limit(1);
    start();
    office().always(unreachable());
    EXPECT_EQ(send().outcome->verdict, Verdict::deferred);
    EXPECT_EQ(used(), 0U);
    office().always(refused());
    EXPECT_EQ(send().outcome->verdict, Verdict::failed);
    EXPECT_EQ(used(), 1U) << "the upstream has seen it";
}

TEST_F(SendTest, MailThatWaitedForThePermitGoesWhenItComesBack) {
    limit(1);
    start();
    office().hold = true;
    office().always(unreachable());
    const auto report = begin();
    const auto id = submit();
    EXPECT_THAT(office().sent, SizeIs(1));
    office().always(delivered());
    office().answer = [n = 0](base::MessageId, const std::string&) mutable {
        return n++ == 0 ? unreachable() : delivered();
    };
    office().release();
    run();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
}

TEST_F(SendTest, APausedUpstreamIsTriedAndStaysPaused) {
    start();
    desk().pause("office");
    const TestReport report = send();
    EXPECT_EQ(report.upstream.state, "paused");
    EXPECT_TRUE(report.outcome);
    const auto id = submit();
    EXPECT_EQ(status(id), spool::RecipientStatus::pending);
    EXPECT_EQ(state(), "paused");
}

TEST_F(SendTest, ASuccessEndsASuspension) {
    start();
    office().always(login_refused());
    const auto id = submit();
    ASSERT_EQ(state(), "suspended");
    const TestReport vain = send();
    EXPECT_EQ(vain.upstream.state, "suspended");
    EXPECT_EQ(vain.upstream.reason, "535 Bad password");
    EXPECT_EQ(state(), "suspended");
    office().always(delivered());
    send();
    EXPECT_EQ(state(), "open");
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
}

TEST_F(SendTest, ARefusalOfTheTestAloneEndsNoSuspension) {
    start();
    office().always(login_refused());
    submit();
    office().always(refused());
    send();
    EXPECT_EQ(state(), "suspended");
}

TEST_F(SendTest, ASuccessEndsABackOffButNotOneThatWasAskedFor) {
    start();
    office().always(unreachable());
    const auto id = submit();
    ASSERT_EQ(state(), "unreachable");
    office().always(delivered());
    send();
    EXPECT_EQ(state(), "open");
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    office().always(throttled());
    submit();
    ASSERT_EQ(state(), "throttled");
    office().always(delivered());
    send();
    EXPECT_EQ(state(), "throttled");
}

TEST_F(SendTest, BadNewsIsNoneForTheMail) {
    start();
    office().always(login_refused());
    send();
    EXPECT_EQ(state(), "open") << "the next mail will tell";
    EXPECT_EQ(desk().upstreams()[0].in_flight, 0U);
}

TEST_F(SendTest, ThereIsOneAtATime) {
    start();
    office().hold = true;
    const auto first = begin();
    const TestReport second = send();
    EXPECT_THAT(second.not_sent, HasSubstr("another test of upstream office is under way"));
    EXPECT_THAT(office().sent, SizeIs(1));
    office().release();
    run();
    EXPECT_TRUE((*first)->outcome);
    EXPECT_TRUE(send().outcome);
}

TEST_F(SendTest, TakesOneOfThePlaces) {
    config.upstreams["office"].concurrency = 1;
    start();
    office().hold = true;
    const auto report = begin();
    const auto id = submit();
    EXPECT_THAT(office().sent, SizeIs(1));
    office().release();
    run();
    EXPECT_TRUE((*report)->outcome);
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
    EXPECT_EQ(office().most_active, 1);
}

TEST_F(SendTest, WaitsForAPlaceAheadOfTheQueue) {
    config.upstreams["office"].concurrency = 1;
    start();
    office().hold = true;
    const auto one = submit();
    const auto two = submit();
    const auto report = begin();
    EXPECT_FALSE(*report);
    EXPECT_THAT(office().sent, SizeIs(1));
    office().release();
    run();
    ASSERT_TRUE(*report);
    ASSERT_THAT(office().sent, SizeIs(3));
    EXPECT_EQ(office().sent[0].id, one);
    EXPECT_EQ(office().sent[1].id, (*report)->id);
    EXPECT_EQ(office().sent[2].id, two);
    EXPECT_EQ(office().most_active, 1);
}

TEST_F(SendTest, NoPlaceInTimeIsSaid) {
    config.upstreams["office"].concurrency = 2;
    test_patience = 0s;
    start();
    office().hold = true;
    submit();
    begin();
    EXPECT_THAT(office().sent, SizeIs(2)) << "one was left";
    submit();
    office().release();
    run();
    office().hold = true;
    submit();
    submit();
    EXPECT_THAT(send().not_sent, HasSubstr("none of the 2 deliveries"));
    EXPECT_THAT(office().sent, SizeIs(5));
    office().release();
    run();
    EXPECT_TRUE(send().outcome);
}

TEST_F(SendTest, NoProbeOfTheQueueBesideATest) {
    config.upstreams["office"].concurrency = 1;
    start();
    office().always(unreachable());
    submit();
    office().hold = true;
    const auto report = begin();
    advance(5s);
    EXPECT_EQ(office().active, 1) << "the test";
    office().release();
    run();
    advance(5s);
    EXPECT_EQ(office().most_active, 1);
    EXPECT_THAT(office().sent, SizeIs(::testing::Ge(3U))) << "the queue's probes go on";
}

TEST_F(SendTest, AFaultWithinCountsAsSentAndTheNextTestWorks) {
    limit(2);
    start();
    office().answer = [](base::MessageId, const std::string&) -> upstream::Outcome {
        throw std::runtime_error("a bug");
    };
    const TestReport report = send();
    EXPECT_EQ(report.outcome->verdict, Verdict::uncertain);
    EXPECT_THAT(report.outcome->reply.text(), HasSubstr("a bug"));
    EXPECT_EQ(used(), 1U);
    office().always(delivered());
    EXPECT_EQ(send().outcome->verdict, Verdict::delivered);
}

}  // namespace
}  // namespace outpost::delivery::testing

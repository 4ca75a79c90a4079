#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>

#include "dispatcher_fixture.hpp"

/// What operators see, after a reload, of attempts that began before it.
namespace outpost::delivery::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;

class DeskSuccessionTest : public DispatcherTest {
  protected:
    Desk& desk() { return dispatcher->desk(); }

    void reload() { DispatcherTest::reload({"office"}); }
};

TEST_F(DeskSuccessionTest, AnAttemptFromBeforeTheReloadIsInTheQueue) {
    start();
    office().hold = true;
    const auto old = submit();
    reload();
    office().hold = true;
    const auto young = submit();
    EXPECT_EQ(desk().size(), 2U);
    const auto rows = desk().queue();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0].in_flight, 2U);
    EXPECT_EQ(desk().totals()[0].in_flight, 2U);
    EXPECT_EQ(desk().upstreams()[0].in_flight, 2U);
    EXPECT_EQ(wait(desk().oldest()), old.time());
    const auto views = wait(desk().list({.state = "sending"}, 10));
    ASSERT_EQ(views.size(), 2U);
    EXPECT_EQ(views[0].id, old);
    EXPECT_THAT(views[0].reason,
                MatchesRegex("is being sent by upstream office since .*, from before the reload"));
    EXPECT_EQ(views[1].id, young);
    EXPECT_THAT(views[1].reason, MatchesRegex("is being sent by upstream office since .*Z"));
    before.at("office")->release();
    run();
    EXPECT_THAT(wait(desk().show(old)), IsEmpty());
    EXPECT_EQ(desk().size(), 1U);
}

TEST_F(DeskSuccessionTest, TwoReloadsHideNothing) {
    start();
    office().hold = true;
    const auto id = submit();
    FakeTransport& first = office();
    reload();
    reload();
    ASSERT_EQ(wait(desk().show(id)).size(), 1U);
    first.release();
    run();
    EXPECT_EQ(desk().size(), 0U);
}

TEST_F(DeskSuccessionTest, AChangePassesOverItAndSaysWhy) {
    start();
    office().hold = true;
    const auto id = submit();
    reload();
    const auto changed = wait(desk().change({}, {.what = QueueChange::What::cancel}));
    EXPECT_THAT(changed->done, IsEmpty());
    EXPECT_THAT(changed->skipped,
                ElementsAre(QueueChanged::Skipped{id, QueueChanged::Why::sending}));
    before.at("office")->release();
    run();
    EXPECT_EQ(status(id), spool::RecipientStatus::delivered);
}

TEST_F(DeskSuccessionTest, AChangeThatAReloadInterruptsGoesOn) {
    start();
    desk().pause("office");
    std::vector<base::MessageId> ids;
    for (int i = 0; i < 100; ++i) ids.push_back(spool.keep(envelope()));
    spool.announce(ids);
    run();
    std::expected<QueueChanged, std::string> changed;
    io.restart();
    boost::asio::co_spawn(
        io,
        [&]() -> boost::asio::awaitable<void> {
            changed = co_await desk().change({}, {.what = QueueChange::What::hold});
        },
        rethrow);
    for (int steps = 0; spool.journal.empty(); ++steps) {
        ASSERT_LT(steps, 100);
        io.poll_one();
    }
    ASSERT_LT(spool.journal.size(), ids.size()) << "it is under way";
    reload();
    EXPECT_THAT(changed->done, ::testing::UnorderedElementsAreArray(ids));
    EXPECT_THAT(changed->skipped, IsEmpty());
    for (const auto id : ids) EXPECT_EQ(spool.recipient(id).next_attempt, base::WallTime::max());
    EXPECT_EQ(wait(desk().list({.state = "held"}, 1000)).size(), 100U);
}

}  // namespace
}  // namespace outpost::delivery::testing

#include <gmock/gmock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <functional>

#include "delivery/slices.hpp"
#include "dispatcher_fixture.hpp"

/// However long the queue, what is asked of it lets deliveries go on.
namespace outpost::delivery::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeskSlicesTest : public DispatcherTest {
  protected:
    Desk& desk() { return dispatcher->desk(); }

    void queue(std::size_t messages) {
        std::vector<base::MessageId> ids;
        for (std::size_t i = 0; i < messages; ++i) ids.push_back(spool.keep(envelope()));
        spool.announce(ids);
        run();
    }
    /// How often something else on the executor had its turn before the task was done.
    template <class T>
    int turns_in(boost::asio::awaitable<T> task, T& result) {
        int turns = 0;
        bool done = false;
        std::function<void()> other = [&] {
            if (done) return;
            ++turns;
            boost::asio::post(io, other);
        };
        boost::asio::co_spawn(
            io,
            [&]() -> boost::asio::awaitable<void> {
                result = co_await std::move(task);
                done = true;
            },
            [](const std::exception_ptr& error) {
                if (error) std::rethrow_exception(error);
            });
        boost::asio::post(io, other);
        run();
        EXPECT_TRUE(done);
        return turns;
    }
};

TEST_F(DeskSlicesTest, ALookAtTheQueueIsTakenInSlices) {
    start();
    desk().pause("office");
    queue(5 * places_a_slice / 2);
    std::optional<base::WallTime> oldest;
    EXPECT_GE(turns_in(desk().oldest(), oldest), 2);
    EXPECT_TRUE(oldest);
    std::vector<MessageView> none;
    EXPECT_GE(turns_in(desk().list({.account = "nobody"}, 10), none), 2);
    std::vector<MessageView> first;
    EXPECT_GE(turns_in(desk().list({}, 2), first), 4) << "to find them, and what is ahead";
    EXPECT_EQ(first.size(), 2U);
    EXPECT_THAT(first[1].reason, HasSubstr(", 1 message ahead of it"));
}

TEST_F(DeskSlicesTest, ChangesAreMadeInSlices) {
    start();
    desk().pause("office");
    queue(4 * messages_a_slice);
    using Changed = std::expected<QueueChanged, std::string>;
    Changed changed;
    EXPECT_GE(turns_in(desk().change({}, {.what = QueueChange::What::hold}), changed), 4);
    EXPECT_EQ(changed->done.size(), 4 * messages_a_slice);
    std::vector<MessageView> held;
    EXPECT_GE(turns_in(desk().list({.state = "held"}, 1000), held), 4);
    EXPECT_EQ(held.size(), 4 * messages_a_slice);
}

TEST_F(DeskSlicesTest, DeliveriesGoOnDuringAChange) {
    add_upstream("other");
    add_account("crm", "other");
    start();
    desk().pause("office");
    queue(20 * messages_a_slice);
    std::size_t held_at_delivery = 0;
    const auto held = [&] {
        return std::ranges::count(spool.journal, "record",
                                  [](const std::string& line) { return line.substr(0, 6); });
    };
    transports.at("other")->answer = [&](base::MessageId, const std::string&) {
        held_at_delivery = static_cast<std::size_t>(held());
        return delivered();
    };
    boost::asio::co_spawn(
        io,
        [&]() -> boost::asio::awaitable<void> {
            co_await desk().change({.account = "shop"}, {.what = QueueChange::What::hold});
        },
        boost::asio::detached);
    spool.submit(envelope({"a@example.org"}, "crm"));
    run();
    EXPECT_EQ(transports.at("other")->sent.size(), 1U);
    EXPECT_LT(held_at_delivery, 10 * messages_a_slice);
    EXPECT_EQ(static_cast<std::size_t>(held()), 20 * messages_a_slice + 1);
}

/// Mail that leaves between two slices is told of, and nothing else is taken for it.
TEST_F(DeskSlicesTest, WhatHasLeftMeanwhileIsPassedOver) {
    start();
    desk().pause("office");
    queue(2 * messages_a_slice);
    using Changed = std::expected<QueueChanged, std::string>;
    const base::MessageId last = spool.messages.rbegin()->first;
    Changed held;
    boost::asio::co_spawn(
        io,
        [&]() -> boost::asio::awaitable<void> {
            held = co_await desk().change({}, {.what = QueueChange::What::hold});
        },
        boost::asio::detached);
    boost::asio::co_spawn(
        io,
        [&]() -> boost::asio::awaitable<void> {
            co_await desk().change({.ids = {last}}, {.what = QueueChange::What::cancel});
        },
        boost::asio::detached);
    run();
    EXPECT_THAT(held->skipped, ElementsAre(QueueChanged::Skipped{last, QueueChanged::Why::gone}));
    EXPECT_EQ(held->done.size(), 2 * messages_a_slice - 1);
    EXPECT_EQ(status(last), spool::RecipientStatus::cancelled);
}

}  // namespace
}  // namespace outpost::delivery::testing

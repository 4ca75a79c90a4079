#include "net/watchdog.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

namespace outpost::net {
namespace {

/// Two loops that turn when the test turns them, and the watchdog's own.
class WatchdogTest : public testing::Test {
  protected:
    WatchdogTest() {
        dog_.start();
        own_.run_one();  // asks
    }
    /// Lets the interval pass.
    void pass() { own_.run_one(); }
    static void turn(boost::asio::io_context& loop) {
        loop.restart();
        loop.poll();
    }

    boost::asio::io_context own_{1};
    boost::asio::io_context one_{1};
    boost::asio::io_context other_{1};
    std::size_t alive_ = 0;
    Watchdog dog_{{.executor = own_.get_executor(),
                   .loops = {one_.get_executor(), other_.get_executor()},
                   .interval = std::chrono::milliseconds(1),
                   .alive = [this] { ++alive_; }}};
};

TEST_F(WatchdogTest, SaysThatAllIsWellOnceAllLoopsHaveAnswered) {
    for (std::size_t round = 1; round < 4; ++round) {
        turn(one_);
        turn(other_);
        pass();
        EXPECT_EQ(alive_, round);
    }
}

TEST_F(WatchdogTest, IsSilentWhileALoopHangs) {
    turn(one_);
    turn(other_);
    pass();
    ASSERT_EQ(alive_, 1U);
    turn(one_);
    for (int i = 0; i < 10; ++i) pass();
    EXPECT_EQ(alive_, 1U);
    turn(other_);
    pass();
    EXPECT_EQ(alive_, 2U);
}

}  // namespace
}  // namespace outpost::net

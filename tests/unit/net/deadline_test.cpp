#include "net/deadline.hpp"

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>

namespace outpost::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

struct Counted final : Deadline {
    using Deadline::Deadline;
    void expired() override { ++count; }
    int count = 0;
};

/// An io_context that does not stop when it has nothing to do.
struct DeadlineTest : testing::Test {
    boost::asio::io_context context{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{
        context.get_executor()};
};

TEST_F(DeadlineTest, FiresOnceAndOnlyIfDue) {
    Counted due(context);
    Counted later(context);
    Counted never(context);
    later.expires_after(hours(1));
    never.expires_after(milliseconds(1));
    never.expires_never();
    due.expires_after(milliseconds(1));
    while (due.count == 0) context.run_one();
    context.poll();
    EXPECT_EQ(due.count, 1);
    EXPECT_EQ(later.count, 0);
    EXPECT_EQ(never.count, 0);
}

TEST_F(DeadlineTest, CanBeSetAgainAfterItFired) {
    Counted deadline(context);
    deadline.expires_after(milliseconds(1));
    while (deadline.count == 0) context.run_one();
    deadline.expires_after(milliseconds(1));
    while (deadline.count == 1) context.run_one();
    EXPECT_EQ(deadline.count, 2);
}

TEST_F(DeadlineTest, MovesEarlier) {
    Counted deadline(context);
    deadline.expires_after(hours(1));
    deadline.expires_after(milliseconds(1));
    while (deadline.count == 0) context.run_one();
    EXPECT_EQ(deadline.count, 1);
}

}  // namespace
}  // namespace outpost::net

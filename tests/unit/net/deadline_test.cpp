#include "net/deadline.hpp"

#include <gtest/gtest.h>

namespace outpost::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

struct Counted final : Deadline {
    using Deadline::Deadline;
    void expired() override { ++count; }
    int count = 0;
};

TEST(Deadline, FiresOnceAndOnlyIfDue) {
    boost::asio::io_context context{1};
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

TEST(Deadline, CanBeSetAgainAfterItFired) {
    boost::asio::io_context context{1};
    Counted deadline(context);
    deadline.expires_after(milliseconds(1));
    while (deadline.count == 0) context.run_one();
    deadline.expires_after(milliseconds(1));
    while (deadline.count == 1) context.run_one();
    EXPECT_EQ(deadline.count, 2);
}

TEST(Deadline, MovesEarlier) {
    boost::asio::io_context context{1};
    Counted deadline(context);
    deadline.expires_after(hours(1));
    deadline.expires_after(milliseconds(1));
    while (deadline.count == 0) context.run_one();
    EXPECT_EQ(deadline.count, 1);
}

}  // namespace
}  // namespace outpost::net

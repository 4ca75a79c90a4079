#include "delivery/alarm.hpp"

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>

namespace outpost::delivery {
namespace {

using namespace std::chrono_literals;

TEST(Alarm, RingsOnce) {
    boost::asio::io_context io;
    const auto alarm = make_alarm(io.get_executor());
    int rings = 0;
    alarm->set(0ms, [&] { ++rings; });
    EXPECT_EQ(rings, 0);
    io.run();
    EXPECT_EQ(rings, 1);
}

TEST(Alarm, ANewCallReplacesTheOld) {
    boost::asio::io_context io;
    const auto alarm = make_alarm(io.get_executor());
    int first = 0;
    int second = 0;
    alarm->set(0ms, [&] { ++first; });
    alarm->set(0ms, [&] { ++second; });
    io.run();
    EXPECT_EQ(first, 0);
    EXPECT_EQ(second, 1);
}

TEST(Alarm, MayBeSetFromItsOwnCall) {
    boost::asio::io_context io;
    const auto alarm = make_alarm(io.get_executor());
    int rings = 0;
    alarm->set(0ms, [&] {
        ++rings;
        alarm->set(0ms, [&] { ++rings; });
    });
    io.run();
    EXPECT_EQ(rings, 2);
}

TEST(Alarm, IsSilentOnceClearedOrDestroyed) {
    boost::asio::io_context io;
    int rings = 0;
    auto alarm = make_alarm(io.get_executor());
    alarm->set(0ms, [&] { ++rings; });
    alarm->clear();
    io.run();
    io.restart();
    alarm->set(0ms, [&] { ++rings; });
    alarm.reset();
    io.run();
    EXPECT_EQ(rings, 0);
}

}  // namespace
}  // namespace outpost::delivery

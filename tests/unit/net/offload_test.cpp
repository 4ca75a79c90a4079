#include "net/offload.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "loopback.hpp"
#include "net/spawn.hpp"

namespace outpost::net {
namespace {

namespace asio = boost::asio;

TEST(OffloadPool, RunsElsewhereAndResumesHere) {
    asio::io_context context{1};
    OffloadPool pool(1, 4);
    test::run(context, [&]() -> asio::awaitable<void> {
        const auto here = std::this_thread::get_id();
        const auto there = co_await pool.run([] { return std::this_thread::get_id(); });
        EXPECT_TRUE(there);
        EXPECT_NE(*there, here);
        EXPECT_EQ(std::this_thread::get_id(), here);
    });
}

TEST(OffloadPool, ThrowsWhatTheWorkThrows) {
    asio::io_context context{1};
    OffloadPool pool(1, 4);
    test::run(context, [&]() -> asio::awaitable<void> {
        bool thrown = false;
        try {
            co_await pool.run([]() -> int { throw std::runtime_error("broken"); });
        } catch (const std::runtime_error&) {
            thrown = true;
        }
        EXPECT_TRUE(thrown);
    });
}

asio::awaitable<void> occupy(OffloadPool& pool, std::shared_future<void> until) {
    co_await pool.run([until] {
        until.wait();
        return true;
    });
}

TEST(OffloadPool, SaysNoWhenTooManyJobsWait) {
    asio::io_context context{1};
    OffloadPool pool(1, 1);
    std::promise<void> release;
    const std::shared_future<void> until = release.get_future().share();
    spawn(context.get_executor(), occupy(pool, until), "first");
    spawn(context.get_executor(), occupy(pool, until), "second");
    test::run(context, [&]() -> asio::awaitable<void> {
        const auto refused = co_await pool.run([] { return 1; });
        EXPECT_FALSE(refused);
        release.set_value();
    });
    context.restart();
    context.run();
}

}  // namespace
}  // namespace outpost::net

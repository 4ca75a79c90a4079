#include "submission/lease_wait.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>

#include "base/clock.hpp"
#include "limit/memory_store.hpp"

namespace outpost::submission {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

class LeaseWait : public testing::Test {
  protected:
    /// Starts to wait; `answered_` will have the result.
    void wait(asio::io_context& context, steady_clock::time_point deadline) {
        asio::co_spawn(
            context,
            [this, deadline]() -> asio::awaitable<void> {
                answered_ = co_await wait_for_lease(*limiter_, id_, deadline);
            },
            asio::detached);
        context.poll();
    }
    static steady_clock::time_point far_off() {
        return steady_clock::now() + std::chrono::hours(1);
    }

    base::SystemClock clock_;
    limit::MemoryStore store_;
    std::optional<limit::Limiter> limiter_{std::in_place, store_, clock_, limit::Limiter::Events{}};
    limit::Limiter::Id id_ = limiter_->define(
        "account/shop/submit", {.rates = {{5, std::chrono::hours(1), limit::Unit::recipients}},
                                .smooth = false,
                                .quota = {}});
    std::optional<bool> answered_;
};

TEST_F(LeaseWait, EndsWithTheAnswerOfTheStore) {
    asio::io_context context(1);
    wait(context, far_off());
    EXPECT_FALSE(answered_);
    store_.run();
    context.run();
    EXPECT_EQ(answered_, true);
}

TEST_F(LeaseWait, EndsAtOnceWhereNothingIsAskedFor) {
    store_.run();
    asio::io_context context(1);
    wait(context, far_off());
    context.run();
    EXPECT_EQ(answered_, true);
}

TEST_F(LeaseWait, EndsAtItsDeadline) {
    asio::io_context context(1);
    wait(context, steady_clock::now());
    context.run();
    EXPECT_EQ(answered_, false);
    store_.run();
}

TEST_F(LeaseWait, MayGoWithItsContextBeforeTheAnswer) {
    auto context = std::make_unique<asio::io_context>(1);
    wait(*context, far_off());
    context.reset();
    store_.run();
    EXPECT_FALSE(answered_);
}

TEST_F(LeaseWait, MayGoWithItsContextAfterTheAnswer) {
    auto context = std::make_unique<asio::io_context>(1);
    wait(*context, far_off());
    store_.run();
    context.reset();
    EXPECT_FALSE(answered_);
}

TEST_F(LeaseWait, OutlivedByTheLimitersMemoryOfIt) {
    auto context = std::make_unique<asio::io_context>(1);
    wait(*context, steady_clock::now());
    context->run();
    context.reset();
    limiter_.reset();
    EXPECT_EQ(answered_, false);
}

}  // namespace
}  // namespace outpost::submission

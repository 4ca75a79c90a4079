#include "submission/lease_wait.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <mutex>

namespace outpost::submission {

namespace asio = boost::asio;

namespace {

/// Lets the store's thread end a wait. The limiter may keep it for longer than the wait, and even
/// than the io_context, lives.
class Bell {
  public:
    explicit Bell(asio::steady_timer& timer) : timer_(&timer) {}

    /// From any thread. The lock keeps the waiter, and with it the io_context, in place meanwhile.
    static void ring(const std::shared_ptr<Bell>& bell) {
        const std::lock_guard lock(bell->mutex_);
        if (bell->timer_ != nullptr)
            asio::post(bell->timer_->get_executor(), [bell] { bell->end_wait(); });
    }
    /// The wait is over.
    void detach() {
        const std::lock_guard lock(mutex_);
        timer_ = nullptr;
    }

  private:
    void end_wait() {
        const std::lock_guard lock(mutex_);
        if (timer_ != nullptr) timer_->cancel();
    }

    std::mutex mutex_;
    asio::steady_timer* timer_;
};

struct Detach {
    Bell& bell;
    ~Detach() { bell.detach(); }
};

}  // namespace

asio::awaitable<bool> wait_for_lease(limit::Limiter& limiter, limit::Limiter::Id counter,
                                     std::chrono::steady_clock::time_point deadline) {
    asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
    const auto bell = std::make_shared<Bell>(timer);
    const Detach at_the_end{*bell};
    // What rings before the wait has begun is dealt with after: it is posted to this thread.
    limiter.when_leased(counter, [bell] { Bell::ring(bell); });
    const auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return error == asio::error::operation_aborted;
}

asio::awaitable<bool> pause_for(std::chrono::milliseconds time,
                                std::chrono::steady_clock::time_point deadline) {
    const auto end = std::chrono::steady_clock::now() + time;
    if (end > deadline) co_return false;
    asio::steady_timer timer(co_await asio::this_coro::executor, end);
    co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return true;
}

}  // namespace outpost::submission

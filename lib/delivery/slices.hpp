#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>

/// Long work on the executor of the deliveries, in slices of a few hundred microseconds at most, so
/// that none of them waits for its end.
namespace outpost::delivery {

/// Places of the queue that are looked at.
inline constexpr std::uint32_t places_a_slice = 10'000;
/// Messages that are read back or changed. Few: what is delivered has many turns to go through for
/// each message, and should keep most of its speed.
inline constexpr std::uint32_t messages_a_slice = 4;

/// Counts what was done; after each slice, turn() is due.
class Slices {
  public:
    explicit Slices(std::uint32_t size) : size_(size) {}
    /// One more was done. True if the slice is full with it.
    [[nodiscard]] bool full() noexcept { return ++done_ % size_ == 0; }
    /// Everything else that is ready goes first.
    static boost::asio::awaitable<void> turn() {
        co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                                   boost::asio::use_awaitable);
    }

  private:
    std::uint32_t size_;
    std::uint32_t done_ = 0;
};

}  // namespace outpost::delivery

#pragma once

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <type_traits>

#include "net/offload.hpp"

namespace outpost::spool {

/// Runs `work` on the pool, and waits for its turn where the pool is full: what the spool
/// off-loads must be done, not dropped. `work` must be copyable and own what it uses.
template <class Work, class Result = std::invoke_result_t<Work&>>
boost::asio::awaitable<Result> offload_patiently(net::OffloadPool& pool, Work work) {
    namespace asio = boost::asio;
    constexpr std::chrono::milliseconds longest_wait(20);
    std::chrono::milliseconds wait(1);
    for (;;) {
        Work copy = work;
        if (auto result = co_await pool.run(std::move(copy))) co_return std::move(*result);
        asio::steady_timer timer(co_await asio::this_coro::executor, wait);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        wait = std::min(wait * 2, longest_wait);
    }
}

}  // namespace outpost::spool

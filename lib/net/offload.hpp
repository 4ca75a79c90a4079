#pragma once

#include <atomic>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace outpost::net {

namespace asio = boost::asio;

/// Threads for work that blocks (SASL, disk reads, name service), with a bounded number of jobs
/// waiting, so that a slow backend pushes back instead of piling up.
class OffloadPool {
  public:
    OffloadPool(std::size_t threads, std::size_t max_waiting)
        : pool_(threads), max_jobs_(threads + max_waiting) {}
    ~OffloadPool() { join(); }
    OffloadPool(const OffloadPool&) = delete;
    OffloadPool& operator=(const OffloadPool&) = delete;

    /// Runs `work` on a thread of the pool and resumes on the caller's executor with its result;
    /// nothing if too many jobs wait already. An exception of `work` is thrown here. `work` runs
    /// to its end even if the caller is cancelled, so it must own what it uses. Its result type
    /// must be movable and not void.
    template <class Work, class Result = std::invoke_result_t<Work&>>
    asio::awaitable<std::optional<Result>> run(Work work) {
        if (jobs_.fetch_add(1, std::memory_order_relaxed) >= max_jobs_) {
            jobs_.fetch_sub(1, std::memory_order_relaxed);
            co_return std::nullopt;
        }
        co_return co_await start<Work, Result>(std::move(work));
    }

    /// Lets what was handed over finish; nothing may be handed over any more. To be called before
    /// the io_contexts of those who wait are destroyed.
    void join() { pool_.join(); }

  private:
    template <class Work, class Result>
    auto start(Work work) {
        return asio::async_initiate<const asio::use_awaitable_t<>&,
                                    void(std::exception_ptr, std::optional<Result>)>(
            [this]<class Handler>(Handler handler, Work job) {
                auto executor = asio::get_associated_executor(handler);
                asio::post(
                    pool_, [this, executor, job = std::move(job), handler = std::move(handler),
                            guard = asio::make_work_guard(executor)]() mutable {
                        std::exception_ptr error;
                        std::optional<Result> result;
                        try {
                            result.emplace(job());
                        } catch (...) {
                            error = std::current_exception();
                        }
                        jobs_.fetch_sub(1, std::memory_order_relaxed);
                        // The guard goes along: once the caller has resumed, its
                        // io_context may go, and this thread must not touch it then.
                        asio::post(executor,
                                   [handler = std::move(handler), error, result = std::move(result),
                                    guard = std::move(guard)]() mutable {
                                       std::move(handler)(error, std::move(result));
                                   });
                    });
            },
            asio::use_awaitable, std::move(work));
    }

    asio::thread_pool pool_;
    std::size_t max_jobs_;
    std::atomic<std::size_t> jobs_{0};
};

}  // namespace outpost::net

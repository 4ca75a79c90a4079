#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "submission/session.hpp"

namespace outpost::submission {

/// How many sessions are alive, and a way to wait for the last one. Thread-safe.
class Census {
  public:
    void enter() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }
    void leave();
    [[nodiscard]] std::uint32_t count() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }
    /// Whether the last session ended in time.
    bool wait_for_none(std::chrono::milliseconds limit);

  private:
    std::atomic<std::uint32_t> count_{0};
    std::mutex mutex_;
    std::condition_variable none_left_;
};

/// The sessions of one io_context. All members but context() are for its thread.
class SessionGroup {
  public:
    SessionGroup(boost::asio::io_context& context, std::shared_ptr<const Terms> terms,
                 std::shared_ptr<Census> census)
        : context_(context), terms_(std::move(terms)), census_(std::move(census)) {}

    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
    /// `socket` belongs to context().
    void start(boost::asio::ip::tcp::socket socket, std::shared_ptr<const ListenerRules> listener);
    /// Sessions that come later are held by these.
    void use(std::shared_ptr<const Terms> terms) { terms_ = std::move(terms); }
    /// See Session::stop(); sessions that come later are turned away.
    void stop();
    void stop_now();
    /// See Session::accounts_changed().
    void accounts_changed();

  private:
    boost::asio::io_context& context_;
    std::shared_ptr<const Terms> terms_;
    std::shared_ptr<Census> census_;
    bool stopping_ = false;
    boost::intrusive::list<Session, boost::intrusive::constant_time_size<false>> sessions_;
};

}  // namespace outpost::submission

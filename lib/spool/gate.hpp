#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "spool/spool.hpp"

/// Whether the spool takes new mail, and why not (S4, S5). Shared by all that write. Thread-safe.
namespace outpost::spool {

class Gate {
  public:
    /// Cheap: one atomic load.
    [[nodiscard]] bool open() const noexcept { return open_.load(std::memory_order_acquire); }
    [[nodiscard]] Health health() const;
    /// What an append that meets a closed gate is told.
    [[nodiscard]] StoreFailure failure() const;

    /// Each logs once when it changes something. A stop is for good: neither room nor another
    /// failure takes it back.
    void stop(const std::string& reason);
    void no_space(const std::string& reason);
    void resume();
    void close();
    [[nodiscard]] bool stopped() const noexcept;
    [[nodiscard]] bool lacks_space() const noexcept;

  private:
    enum class State : std::uint8_t { open, no_space, stopped, closing };
    bool change(State to, const std::string& reason);

    std::atomic<bool> open_{true};
    std::atomic<bool> failed_{false};  ///< stopped, even if closing since
    mutable std::mutex mutex_;
    State state_ = State::open;
    std::string reason_;
};

}  // namespace outpost::spool

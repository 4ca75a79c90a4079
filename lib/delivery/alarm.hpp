#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <functional>
#include <memory>

namespace outpost::delivery {

/// One wake-up call at a time: how the dispatcher waits, so that a test can be the clock. Used on
/// one executor.
class Alarm {
  public:
    virtual ~Alarm() = default;
    /// Replaces the call that was set before. Not called within set() itself.
    virtual void set(std::chrono::milliseconds after, std::function<void()> ring) = 0;
    virtual void clear() = 0;
};

/// An alarm by the machine's steady clock. Destroying it clears it.
[[nodiscard]] std::unique_ptr<Alarm> make_alarm(const boost::asio::any_io_executor& executor);

}  // namespace outpost::delivery

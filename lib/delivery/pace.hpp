#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"

/// How fast an open upstream is used after it has pushed back (DESIGN section 6). Pure: one object
/// an upstream, time is an argument. A throttle halves the speed at which mail was going out and
/// the number of deliveries at once; success wins both back little by little, and at twice the
/// speed that was too much the brake is let go. An upstream that never pushes back is never paced.
namespace outpost::delivery {

class Pace {
  public:
    /// Of an upstream that may have so many deliveries under way.
    explicit Pace(std::uint32_t concurrency) : most_at_once_(concurrency), at_once_(concurrency) {}

    /// An attempt for so many recipients begins.
    void started(std::uint32_t recipients, base::MonoTime now);
    /// The upstream has answered for a message, as it should.
    void succeeded(base::MonoTime now);
    /// It has asked for less.
    void throttled(base::MonoTime now);
    /// It has dropped a connection that worked. The first time it may have been restarted; if it
    /// happens again within a minute of its return it is a push-back.
    void dropped(base::MonoTime now);

    /// It takes mail again after a pause: speed is won back from now on.
    void resumed(base::MonoTime now) noexcept {
        if (brake_) brake_->risen = brake_->next = now;
    }

    /// How many deliveries may be under way where nothing has slowed it down.
    [[nodiscard]] std::uint32_t most_at_once() const noexcept {
        return static_cast<std::uint32_t>(most_at_once_);
    }
    /// How many deliveries may be under way, 1 or more.
    [[nodiscard]] std::uint32_t concurrency() const noexcept {
        return static_cast<std::uint32_t>(at_once_);
    }
    /// The earliest time for the next attempt: `now` or before it if it may start.
    [[nodiscard]] base::MonoTime next_start(base::MonoTime now);
    /// Recipients a second, where there is a brake.
    [[nodiscard]] std::optional<double> per_second(base::MonoTime now);

  private:
    using seconds = std::chrono::duration<double>;
    struct Brake {
        double speed = 0;    ///< recipients a second
        double release = 0;  ///< the speed at which it is let go
        double step = 0;     ///< what ten seconds without a throttle win back
        base::MonoTime risen{};
        base::MonoTime next{};
    };

    void count(double recipients, base::MonoTime now);
    void halve_concurrency() noexcept;
    void rise(base::MonoTime now);

    double most_at_once_;
    double at_once_;
    double lately_ = 0;  ///< recipients, each fading with time
    double known_ = 0;   ///< how much of that time has been seen, 0 .. 1
    base::MonoTime counted_ = base::MonoTime::max();  ///< nothing yet
    base::MonoTime last_drop_{};
    bool dropped_before_ = false;
    std::optional<Brake> brake_;
};

}  // namespace outpost::delivery

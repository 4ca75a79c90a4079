#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "delivery/alarm.hpp"

namespace outpost::delivery::testing {

/// A clock that the test moves.
class FakeClock final : public base::Clock {
  public:
    [[nodiscard]] base::WallTime wall() const override {
        wall_ += tick;
        mono_ += tick;
        return wall_;
    }
    [[nodiscard]] base::MonoTime mono() const override { return mono_; }
    void advance(std::chrono::milliseconds by) {
        wall_ += by;
        mono_ += by;
    }
    /// As an operator or NTP does.
    void put_wall_back(std::chrono::milliseconds by) { wall_ -= by; }
    /// Every look at the wall clock takes this long.
    std::chrono::milliseconds tick{0};

  private:
    mutable base::WallTime wall_{std::chrono::milliseconds(1'800'000'000'000)};
    mutable base::MonoTime mono_{std::chrono::hours(1000)};
};

/// An alarm that the test rings.
class FakeAlarm final : public Alarm {
  public:
    explicit FakeAlarm(const FakeClock& clock) : clock_(clock) {}
    void set(std::chrono::milliseconds after, std::function<void()> ring) override {
        at_ = clock_.mono() + after;
        ring_ = std::move(ring);
    }
    void clear() override { at_.reset(); }
    [[nodiscard]] std::optional<base::MonoTime> at() const { return at_; }
    void ring() {
        at_.reset();
        std::exchange(ring_, nullptr)();
    }

  private:
    const FakeClock& clock_;
    std::optional<base::MonoTime> at_;
    std::function<void()> ring_;
};

}  // namespace outpost::delivery::testing

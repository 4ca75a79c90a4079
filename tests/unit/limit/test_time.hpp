#pragma once

#include <chrono>
#include <mutex>

#include "base/clock.hpp"
#include "limit/calendar.hpp"
#include "limit/counter.hpp"

namespace outpost::limit {

/// Both clocks, set by hand. Thread-safe.
class FakeClock final : public base::Clock {
  public:
    [[nodiscard]] base::WallTime wall() const override { return at().wall; }
    [[nodiscard]] base::MonoTime mono() const override { return at().mono; }
    void advance(std::chrono::nanoseconds time) {
        const std::lock_guard lock(mutex_);
        mono_ += time;
    }
    /// The wall clock alone.
    void set_wall_back(std::chrono::milliseconds time) {
        const std::lock_guard lock(mutex_);
        shift_ -= time;
    }
    [[nodiscard]] Instant at() const {
        const std::lock_guard lock(mutex_);
        return {mono_, base::WallTime(std::chrono::floor<std::chrono::milliseconds>(
                           mono_.time_since_epoch() + shift_))};
    }

  private:
    mutable std::mutex mutex_;
    base::MonoTime mono_{std::chrono::hours(1000)};
    /// 2026-11-23T12:00:00Z at the start.
    std::chrono::nanoseconds shift_ =
        base::WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) +
                       std::chrono::hours(12))
            .time_since_epoch() -
        std::chrono::hours(1000);
};

/// `2026-03-29T02:00:00Z`-like, in UTC.
inline base::WallTime utc(int year, unsigned month, unsigned day, int hour = 0, int minute = 0,
                          int second = 0) {
    return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) /
                                 static_cast<int>(day)) +
           std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

inline TimeZone zone(std::string_view name) {
    return TimeZone::find(name).value();
}

/// Gives a counter every allowance that it asks for, at once.
inline void supply(Counter& counter, Instant now) {
    while (const auto request = counter.lease_request(now)) {
        counter.leased({.allowance = request->want, .ask_again = {}, .error = {}}, now);
    }
}

/// take() of a counter whose store always says yes, at once.
inline Answer take_supplied(Counter& counter, const Ask& ask, Instant now) {
    supply(counter, now);
    Answer answer = counter.take(ask, now);
    if (answer.wait.what != Wait::For::lease) return answer;
    supply(counter, now);
    return counter.take(ask, now);
}

}  // namespace outpost::limit

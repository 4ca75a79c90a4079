#include "delivery/pace.hpp"

#include <algorithm>
#include <cmath>

namespace outpost::delivery {
namespace {

using Seconds = std::chrono::duration<double>;

/// Over about this time the present speed is measured: long enough to be steady, and not so long
/// that a burst after a pause looks slow.
constexpr Seconds memory{1};
/// Longer pauses are the gate's business.
constexpr double slowest = 1;
constexpr std::chrono::seconds step_time{10};
/// A step up, as a share of the speed that was too much.
constexpr double step_share = 0.05;
/// How much a paced upstream may catch up after a pause, in seconds of its pace.
constexpr std::chrono::milliseconds catch_up{100};
constexpr std::chrono::minutes drop_memory{1};

}  // namespace

void Pace::count(double recipients, base::MonoTime now) {
    if (counted_ == base::MonoTime::max()) counted_ = now;
    const double faded = std::exp(-Seconds(now - counted_) / memory);
    lately_ = lately_ * faded + recipients;
    known_ = known_ * faded + (1 - faded);
    counted_ = now;
}

void Pace::started(std::uint32_t recipients, base::MonoTime now) {
    count(recipients, now);
    if (!brake_) return;
    const auto turn = Seconds(recipients / brake_->speed);
    brake_->next = std::max(brake_->next, now - catch_up) +
                   std::chrono::duration_cast<base::MonoTime::duration>(turn);
}

void Pace::succeeded(base::MonoTime now) {
    at_once_ = std::min(most_at_once_, at_once_ + 1 / at_once_);
    rise(now);
}

void Pace::throttled(base::MonoTime now) {
    halve_concurrency();
    if (!brake_) {
        count(0, now);
        // Just after the start only a part of that time is known.
        const double speed = std::max(lately_ / memory.count() / std::max(known_, 0.1), slowest);
        brake_ = Brake{.speed = speed,
                       .release = 2 * speed,
                       .step = std::max(speed * step_share, slowest / 2),
                       .next = now};
    }
    brake_->speed = std::max(brake_->speed / 2, slowest);
    brake_->risen = now;
}

void Pace::dropped(base::MonoTime now) {
    if (dropped_before_ && now - last_drop_ < drop_memory) halve_concurrency();
    dropped_before_ = true;
    last_drop_ = now;
}

base::MonoTime Pace::next_start(base::MonoTime now) {
    rise(now);
    return brake_ ? brake_->next : now;
}

std::optional<double> Pace::per_second(base::MonoTime now) {
    rise(now);
    if (!brake_) return std::nullopt;
    return brake_->speed;
}

void Pace::halve_concurrency() noexcept {
    at_once_ = std::max(at_once_ / 2, 1.0);
}

void Pace::rise(base::MonoTime now) {
    while (brake_ && now - brake_->risen >= step_time) {
        brake_->risen += step_time;
        brake_->speed += brake_->step;
        if (brake_->speed >= brake_->release) brake_.reset();
    }
}

}  // namespace outpost::delivery

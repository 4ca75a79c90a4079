#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

/// How fast one connection to an upstream hands over mail, as measured lately. Pure.
namespace outpost::delivery {

class AttemptSpeed {
  public:
    /// An attempt for so many recipients, which the upstream has answered, took so long.
    void ended(std::uint32_t recipients, std::chrono::duration<double> took) noexcept {
        recipients_ = recipients_ * fading + recipients;
        seconds_ = seconds_ * fading + took.count();
    }
    /// Recipients a second; nothing before the first attempt.
    [[nodiscard]] std::optional<double> per_second() const noexcept {
        if (recipients_ == 0) return std::nullopt;
        constexpr double shortest = 1e-6;  // an attempt that took no time at all by a coarse clock
        return recipients_ / (seconds_ > shortest ? seconds_ : shortest);
    }

  private:
    /// An attempt counts half after some seventy others.
    static constexpr double fading = 0.99;

    double recipients_ = 0;
    double seconds_ = 0;
};

}  // namespace outpost::delivery

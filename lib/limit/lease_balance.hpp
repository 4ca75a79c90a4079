#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "limit/lease_size.hpp"
#include "limit/usage.hpp"

namespace outpost::limit {

/// What a counter may give out by its store's word, and when to ask the store for more. All amounts
/// are totals since the start. Units that no limit counts need no allowance.
class LeaseBalance {
  public:
    explicit LeaseBalance(const LeaseSize& size) : size_(size), last_(size.block) {}

    [[nodiscard]] std::uint64_t left(Unit unit) const noexcept {
        if (size_.block[unit] == 0) return UINT64_MAX;
        return granted_[unit] > taken_[unit] ? granted_[unit] - taken_[unit] : 0;
    }
    void take(const Usage& amount, double held_back) noexcept;
    void settle(const Usage& taken, const Usage& used) noexcept;
    /// A take() found too little left.
    void need(const Usage& amount, double held_back) noexcept;

    /// Whether a request is due: the allowance to ask for, given what the quotas still have.
    [[nodiscard]] std::optional<Usage> due(std::uint64_t quota_left, base::MonoTime now) const;
    /// A request for this much is on its way.
    void requested(const Usage& want) noexcept;
    [[nodiscard]] bool under_way() const noexcept { return under_way_; }
    [[nodiscard]] double held_back() const noexcept;
    /// Its answer. `again`: when to ask again, if the store knows.
    void granted(const Usage& allowance, std::optional<base::MonoTime> again, bool failed,
                 base::MonoTime now);
    /// No wait for the store forbids a request: it is over, or the need is more urgent than the one
    /// that a shared limit has refused.
    [[nodiscard]] bool may_ask(base::MonoTime now) const noexcept;
    /// Before this time no request goes out; nothing: at any time.
    [[nodiscard]] std::optional<base::MonoTime> retry_at() const noexcept { return retry_at_; }

    /// The store works, has granted before, and has no more: others have used it up.
    [[nodiscard]] bool used_up() const noexcept { return refused_ && !granted_.empty(); }

    void set_size(const LeaseSize& size) noexcept;
    [[nodiscard]] const Usage& taken() const noexcept { return taken_; }
    [[nodiscard]] const Usage& used() const noexcept { return used_; }
    [[nodiscard]] const Usage& returned() const noexcept { return returned_; }

  private:
    LeaseSize size_;
    Usage taken_, used_, returned_, granted_;
    Usage last_;  ///< allowance; below half of it more is asked for
    Usage need_;
    bool needed_ = false;
    double need_held_back_ = 1;  ///< the least of those that wait
    double last_held_back_ = 0;  ///< of the last that was let through
    bool under_way_ = false;
    Usage request_taken_;
    Usage request_want_;
    double request_held_back_ = 0;
    bool refused_ = false;  ///< by a shared limit, not by a failure
    std::optional<base::MonoTime> retry_at_;
    std::chrono::nanoseconds back_off_{0};
};

}  // namespace outpost::limit

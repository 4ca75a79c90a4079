#include "limit/lease_balance.hpp"

#include <algorithm>

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::nanoseconds first_back_off = 1s;
constexpr std::chrono::nanoseconds longest_back_off = 30s;

}  // namespace

void LeaseBalance::take(const Usage& amount, double held_back) noexcept {
    taken_ += amount;
    last_held_back_ = held_back;
}

void LeaseBalance::settle(const Usage& taken, const Usage& used) noexcept {
    used_ += used;
    returned_ += taken - used;
}

void LeaseBalance::need(const Usage& amount, double held_back) noexcept {
    for (const Unit unit : all_units) need_[unit] = std::max(need_[unit], amount[unit]);
    needed_ = true;
    need_held_back_ = std::min(need_held_back_, held_back);
}

double LeaseBalance::held_back() const noexcept {
    return needed_ ? need_held_back_ : last_held_back_;
}

bool LeaseBalance::may_ask(base::MonoTime now) const noexcept {
    // More urgent mail than was refused may find something where the other did not.
    const bool more_urgent = refused_ && needed_ && need_held_back_ < request_held_back_;
    return !retry_at_ || now >= *retry_at_ || more_urgent;
}

std::optional<Usage> LeaseBalance::due(std::uint64_t quota_left, base::MonoTime now) const {
    if (under_way_ || !may_ask(now)) return std::nullopt;
    bool low = needed_;
    for (const Unit unit : all_units) {
        low = low || (size_.block[unit] != 0 && left(unit) < last_[unit] - last_[unit] / 2);
    }
    if (!low) return std::nullopt;

    Usage want;
    bool more = false;
    for (const Unit unit : all_units) {
        if (size_.block[unit] == 0) continue;
        std::uint64_t amount = std::min(std::max(size_.block[unit], need_[unit]), size_.most[unit]);
        if (unit == Unit::recipients) amount = std::min(amount, quota_left);
        more = more || amount > left(unit);
        // What is granted already stays granted, so the request must account for it.
        want[unit] = std::max(amount, left(unit));
    }
    if (!more) return std::nullopt;
    return want;
}

void LeaseBalance::requested(const Usage& want) noexcept {
    request_held_back_ = held_back();
    under_way_ = true;
    request_taken_ = taken_;
    request_want_ = want;
    need_ = {};
    needed_ = false;
    need_held_back_ = 1;
}

void LeaseBalance::granted(const Usage& allowance, std::optional<base::MonoTime> again, bool failed,
                           base::MonoTime now) {
    under_way_ = false;
    bool helps = false;
    for (const Unit unit : all_units) {
        const std::uint64_t limit =
            request_taken_[unit] + std::min(allowance[unit], request_want_[unit]);
        if (limit > granted_[unit]) helps = true;
        granted_[unit] = std::max(granted_[unit], limit);
        if (!failed && size_.block[unit] != 0) last_[unit] = allowance[unit];
    }
    refused_ = !failed && again.has_value();
    if (again || (!failed && helps)) {
        retry_at_ = again;
        back_off_ = {};
        return;
    }
    back_off_ = std::clamp(back_off_ * 2, first_back_off, longest_back_off);
    retry_at_ = now + back_off_;
}

void LeaseBalance::set_size(const LeaseSize& size) noexcept {
    for (const Unit unit : all_units) {
        // Nobody has written down what was taken of a unit that nothing counted.
        if (size_.block[unit] == 0) granted_[unit] = taken_[unit];
        last_[unit] = size.block[unit];
    }
    size_ = size;
}

}  // namespace outpost::limit

#include "limit/lease_size.hpp"

#include <algorithm>
#include <chrono>

namespace outpost::limit {
namespace {

std::uint64_t hundredth(std::uint64_t count) {
    return count / 100 + (count % 100 != 0 ? 1 : 0);
}

std::uint64_t per_second(const Rate& rate) {
    const auto period = static_cast<std::uint64_t>(rate.period.count());
    const auto whole = static_cast<unsigned __int128>(rate.count) * 1000 + period - 1;
    return period == 0 ? rate.count : static_cast<std::uint64_t>(whole / period);
}

/// `first`: no limit of the unit has been seen before.
void narrow(LeaseSize& size, Unit unit, bool first, std::uint64_t block, std::uint64_t count) {
    size.block[unit] = std::min(first ? count : size.block[unit], std::min(block, count));
    size.most[unit] = first ? count : std::min(size.most[unit], count);
}

}  // namespace

LeaseSize lease_size(const Limits& limits) {
    LeaseSize size;
    bool seen[std::size(all_units)] = {};
    const auto add = [&](Unit unit, std::uint64_t block, std::uint64_t count) {
        bool& before = seen[static_cast<std::size_t>(unit)];
        narrow(size, unit, !before, block, count);
        before = true;
    };
    for (const Rate& rate : limits.rates) {
        add(rate.unit, std::max(hundredth(rate.count), per_second(rate)), rate.count);
    }
    for (const CalendarUnit unit : all_calendar_units) {
        if (const auto& count = limits.quota.of(unit)) {
            add(Unit::recipients, hundredth(*count), *count);
        }
    }
    return size;
}

}  // namespace outpost::limit

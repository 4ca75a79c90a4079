#include "limit/spacing.hpp"

#include <algorithm>

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

}  // namespace

void Spacing::set_rates(const std::vector<Rate>& rates, bool smooth) {
    turns_.clear();
    if (!smooth) return;
    for (const Rate& rate : rates) {
        const nanoseconds period = rate.period;
        const auto count = std::max<std::uint64_t>(rate.count, 1);
        const nanoseconds half_turn(period.count() / static_cast<std::int64_t>(count) / 2);
        turns_.push_back(
            {count, period, std::max<nanoseconds>(10ms, std::min(half_turn, period / 64))});
    }
}

nanoseconds Spacing::length(const Turn& turn, std::uint64_t amount) {
    const auto length = static_cast<unsigned __int128>(amount) *
                        static_cast<std::uint64_t>(turn.period.count()) / turn.count;
    return nanoseconds(static_cast<std::int64_t>(length));
}

void Spacing::take(std::size_t index, std::uint64_t amount, base::MonoTime now) {
    Turn& turn = turns_[index];
    turn.next = std::max(turn.next, now - turn.catch_up) + length(turn, amount);
}

void Spacing::give_back(std::size_t index, std::uint64_t amount) {
    Turn& turn = turns_[index];
    // Other rates since then have begun anew.
    if (turn.next != base::MonoTime::min()) turn.next -= length(turn, amount);
}

}  // namespace outpost::limit

#include "limit/ledger.hpp"

#include <algorithm>
#include <utility>

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr int window_parts = 128;
/// Periods and precision of what no window needs any more.
constexpr nanoseconds archive_periods[] = {1min, 1h, 24h};
constexpr int archive_parts = 16;

}  // namespace

void Ledger::Tier::push(const Spent& entry) {
    sum += entry.usage;
    if (head < entries.size() && entry.last - entries.back().first <= span) {
        entries.back().last = entry.last;
        entries.back().usage += entry.usage;
    } else {
        entries.push_back(entry);
    }
}

void Ledger::Tier::pop() {
    sum -= entries[head].usage;
    ++head;
    if (head * 2 < entries.size() + 1) return;
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(head));
    head = 0;
}

Ledger::Ledger(std::span<const Rate> rates) {
    lay_out(rates);
}

void Ledger::lay_out(std::span<const Rate> rates) {
    std::vector<nanoseconds> periods;
    for (const Rate& rate : rates) periods.emplace_back(rate.period);
    std::ranges::sort(periods);
    periods.erase(std::ranges::unique(periods).begin(), periods.end());
    tiers_.clear();
    quiet_until_ = base::MonoTime::max();
    for (const nanoseconds period : periods) {
        tiers_.push_back({period, period / window_parts, {}, 0, {}});
    }
    for (const nanoseconds period : archive_periods) {
        if (periods.empty() || period > periods.back()) {
            tiers_.push_back({period, period / archive_parts, {}, 0, {}});
        }
    }
    windows_.clear();
    for (const Rate& rate : rates) {
        const auto tier = std::ranges::lower_bound(periods, nanoseconds(rate.period));
        windows_.push_back({static_cast<std::size_t>(tier - periods.begin()), rate.unit});
    }
}

void Ledger::note_departure(const Tier& tier) {
    if (tier.head == tier.entries.size()) return;
    quiet_until_ = std::min(quiet_until_, tier.entries[tier.head].last + tier.period);
}

void Ledger::advance(base::MonoTime now) {
    latest_ = std::max(latest_, now);
    if (latest_ <= quiet_until_) return;
    quiet_until_ = base::MonoTime::max();
    for (std::size_t i = 0; i < tiers_.size(); ++i) {
        Tier& tier = tiers_[i];
        while (tier.head < tier.entries.size() &&
               latest_ - tier.entries[tier.head].last > tier.period) {
            if (i + 1 < tiers_.size()) tiers_[i + 1].push(tier.entries[tier.head]);
            tier.pop();
        }
        note_departure(tier);
    }
}

void Ledger::add(const Usage& usage, base::MonoTime now) {
    advance(now);
    Tier& newest = tiers_.front();  // there is one always: periods of under a day have an archive
    newest.push({latest_, latest_, usage});
    note_departure(newest);
}

std::uint64_t Ledger::used(std::size_t index, base::MonoTime now) {
    advance(now);
    const Window window = windows_[index];
    std::uint64_t total = 0;
    for (std::size_t i = 0; i <= window.tier; ++i) total += tiers_[i].sum[window.unit];
    return total;
}

base::MonoTime Ledger::falls_to(std::size_t index, std::uint64_t at_most, base::MonoTime now) {
    std::uint64_t total = used(index, now);
    if (total <= at_most) return now;
    const Window window = windows_[index];
    for (std::size_t i = window.tier + 1; i-- > 0;) {
        const Tier& tier = tiers_[i];
        for (std::size_t at = tier.head; at < tier.entries.size(); ++at) {
            total -= tier.entries[at].usage[window.unit];
            if (total <= at_most) {
                const base::MonoTime leaves = tier.entries[at].last + tiers_[window.tier].period;
                return std::max(now, leaves + nanoseconds(1));
            }
        }
    }
    std::unreachable();  // without any entry the total is 0
}

void Ledger::set_rates(std::span<const Rate> rates, base::MonoTime now) {
    const std::vector<Spent> kept = entries();
    lay_out(rates);
    restore(kept, now);
}

std::vector<Spent> Ledger::entries() const {
    std::vector<Spent> all;
    for (std::size_t i = tiers_.size(); i-- > 0;) {
        const Tier& tier = tiers_[i];
        all.insert(all.end(), tier.entries.begin() + static_cast<std::ptrdiff_t>(tier.head),
                   tier.entries.end());
    }
    return all;
}

void Ledger::restore(std::span<const Spent> entries, base::MonoTime now) {
    now = std::max(now, latest_);
    for (Spent entry : entries) {
        entry.last = std::min(entry.last, now);
        entry.first = std::min(entry.first, entry.last);
        // Each goes to the tier of its age; those that none holds are forgotten.
        for (Tier& tier : tiers_) {
            if (now - entry.last > tier.period) continue;
            tier.push(entry);
            note_departure(tier);
            break;
        }
    }
    latest_ = now;
}

}  // namespace outpost::limit

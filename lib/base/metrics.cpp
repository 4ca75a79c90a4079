#include "base/metrics.hpp"

#include <algorithm>
#include <array>
#include <mutex>

namespace outpost::base::metrics {
namespace {

constexpr std::array step_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                 0.25,   0.5,   1.0,    2.5,   5.0,  10.0,  30.0};
constexpr std::array wait_bounds{0.1,   0.5,    1.0,    5.0,     15.0,    60.0,    300.0,
                                 900.0, 3600.0, 7200.0, 21600.0, 43200.0, 86400.0, 432000.0};
constexpr std::array batch_bounds{1.0,  2.0,   4.0,   8.0,   16.0,  32.0,
                                  64.0, 128.0, 256.0, 512.0, 1024.0};

struct Registry {
    std::mutex mutex;
    std::vector<const AnyFamily*> families;
};

/// Families of all files come and go with static storage: it must be there before the first.
Registry& registry() {
    static Registry the_one;
    return the_one;
}

}  // namespace

constinit const std::span<const double> step_seconds(step_bounds);
constinit const std::span<const double> wait_seconds(wait_bounds);
constinit const std::span<const double> batch_sizes(batch_bounds);

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds), counts_(bounds.size() + 1) {}

void Histogram::observe(double value) noexcept {
    const auto range = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    counts_[static_cast<std::size_t>(range)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Value Histogram::value() const {
    Value value{.counts = {}, .sum = sum_.load(std::memory_order_relaxed)};
    for (const auto& count : counts_) value.counts.push_back(count.load(std::memory_order_relaxed));
    return value;
}

AnyFamily::AnyFamily() {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    all.families.push_back(this);
}

AnyFamily::~AnyFamily() {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    std::erase(all.families, this);
}

std::vector<Snapshot> snapshot() {
    Registry& all = registry();
    const std::lock_guard lock(all.mutex);
    std::vector<Snapshot> snapshots;
    for (const AnyFamily* family : all.families) snapshots.push_back(family->snapshot());
    return snapshots;
}

}  // namespace outpost::base::metrics

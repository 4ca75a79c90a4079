#include "spool/space_guard.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace outpost::spool {

namespace {

constexpr auto ask_interval = std::chrono::milliseconds(100);
constexpr std::uint64_t ask_octets = 4 << 20;

}  // namespace

SpaceGuard::SpaceGuard(FileSystem& files, std::filesystem::path directory, std::uint64_t min_free,
                       std::shared_ptr<Gate> gate)
    : files_(files),
      directory_(std::move(directory)),
      min_free_(min_free),
      gate_(std::move(gate)) {}

bool SpaceGuard::allows(std::uint64_t octets, base::MonoTime now) {
    if (min_free_ > 0) {
        const std::int64_t ticks = now.time_since_epoch().count();
        const std::int64_t age = ticks - asked_.load(std::memory_order_relaxed);
        if (written_.fetch_add(octets, std::memory_order_relaxed) + octets >= ask_octets ||
            age >= base::MonoTime::duration(ask_interval).count()) {
            asked_.store(ticks, std::memory_order_relaxed);
            written_.store(0, std::memory_order_relaxed);
            check();
        }
    }
    return !gate_->stopped() && !gate_->lacks_space();
}

void SpaceGuard::check() {
    const std::uint64_t needed = std::max(min_free_, wanted_.load(std::memory_order_relaxed));
    if (needed == 0) return;
    const auto free = files_.free_space(directory_);
    if (!free) {
        gate_->stop(free.error().text);
    } else if (*free >= needed) {
        wanted_.store(0, std::memory_order_relaxed);
        gate_->resume();
    } else {
        gate_->no_space(fmt::format("{} has {} MB free, spool.min_free is {} MB",
                                    directory_.string(), *free >> 20, min_free_ >> 20));
    }
}

void SpaceGuard::ran_out(std::uint64_t octets, const std::string& reason) {
    constexpr std::uint64_t least = 64 << 10;
    wanted_.store(std::max(octets, least), std::memory_order_relaxed);
    gate_->no_space(reason);
}

std::optional<std::uint64_t> SpaceGuard::free() const {
    const auto free = files_.free_space(directory_);
    return free ? std::optional(*free) : std::nullopt;
}

bool SpaceGuard::plenty(std::uint64_t octets) const {
    const auto free = files_.free_space(directory_);
    return free && *free / 8 > octets && *free - octets > min_free_;
}

}  // namespace outpost::spool

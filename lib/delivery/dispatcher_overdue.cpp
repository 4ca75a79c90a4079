#include <algorithm>
#include <exception>
#include <utility>

#include "delivery/dispatcher.hpp"

/// Mail whose deadline has passed, whatever its upstream does: delay notices, expiry.
namespace outpost::delivery {
namespace {

namespace asio = boost::asio;

/// Reports cost a commit each; so many are in the making at once.
constexpr std::size_t most_attendants = 8;

}  // namespace

void Dispatcher::attend_overdue(base::WallTime now) {
    while (attendants_ < most_attendants) {
        const auto handle = next_overdue(now);
        if (!handle) return;
        ++attendants_;
        launch(run_attendant(*handle), "attending to an overdue message");
    }
}

std::optional<Dispatcher::Handle> Dispatcher::next_overdue(base::WallTime now) {
    while (const auto handle = queue_.next_overdue(now))
        if (partings_.begin(queue_.entry(*handle).id, *handle)) return handle;
    return std::nullopt;
}

asio::awaitable<void> Dispatcher::run_attendant(Handle handle) {
    for (;;) {
        const spool::QueueEntry entry = queue_.entry(handle);
        std::optional<Courier::Result> result;
        std::string error;
        try {
            result = co_await courier_.attend(
                {.entry = entry, .share = partings_.share(entry.id, handle)}, waits_in_turn(entry));
        } catch (const std::exception& e) {
            error = e.what();
        }
        if (!result) result = internal_error(entry, error);
        const bool parts = put_back(handle, *result, nullptr);
        if (stopping_) break;
        const base::MonoTime now = clock_.mono();
        if (parts) pump_all(now);
        for (const PortIndex port : switchboard_.ways().ports(entry.way)) pump(*ports_[port], now);
        arm(now);
        const auto next = next_overdue(clock_.wall());
        if (!next) break;
        handle = *next;
    }
    --attendants_;
    arm(clock_.mono());
    task_done();
}

/// An upstream takes its mail and it was never tried: limits and other mail alone are before it.
bool Dispatcher::waits_in_turn(const spool::QueueEntry& entry) const {
    if (entry.attempts > 0 || entry.setback) return false;
    return std::ranges::any_of(switchboard_.ways().ports(entry.way), [this](PortIndex port) {
        return ports_[port]->gate().state() == UpstreamGate::State::open;
    });
}

}  // namespace outpost::delivery

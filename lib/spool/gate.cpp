#include "spool/gate.hpp"

#include "base/log.hpp"

namespace outpost::spool {

Health Gate::health() const {
    if (open()) return {};
    const StoreFailure why = failure();
    return {false, why.kind, why.reason};
}

StoreFailure Gate::failure() const {
    const std::lock_guard lock(mutex_);
    switch (state_) {
        case State::stopped: return {StoreFailure::Kind::fail_stop, reason_};
        case State::closing: return {StoreFailure::Kind::closing, reason_};
        case State::open:  // it has opened again since the caller looked
        case State::no_space: break;
    }
    return {StoreFailure::Kind::no_space, reason_};
}

void Gate::stop(const std::string& reason) {
    const bool first = !failed_.exchange(true, std::memory_order_acq_rel);
    (void)change(State::stopped, reason);
    if (first)
        base::log::error(
            "spool: storing failed, no new mail is accepted; check the disk, then restart",
            {{"reason", reason}});
}

void Gate::no_space(const std::string& reason) {
    if (change(State::no_space, reason))
        base::log::error("spool: no room, no new mail is accepted until there is",
                         {{"reason", reason}});
}

void Gate::resume() {
    if (change(State::open, {})) base::log::info("spool: room again, new mail is accepted");
}

void Gate::close() {
    change(State::closing, "the spool is closing");
}

bool Gate::stopped() const noexcept {
    return failed_.load(std::memory_order_acquire);
}

bool Gate::lacks_space() const noexcept {
    if (open()) return false;
    const std::lock_guard lock(mutex_);
    return state_ == State::no_space;
}

bool Gate::change(State to, const std::string& reason) {
    const std::lock_guard lock(mutex_);
    if (to <= state_ && !(to == State::open && state_ == State::no_space)) return false;
    state_ = to;
    reason_ = reason;
    open_.store(to == State::open, std::memory_order_release);
    return true;
}

}  // namespace outpost::spool

#include <algorithm>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "delivery/dispatcher.hpp"
#include "delivery/oldest_first.hpp"
#include "delivery/slices.hpp"

/// How another dispatcher, of another configuration, takes the place of one that runs: nothing is
/// read again, and no attempt is broken off.
namespace outpost::delivery {
namespace {

namespace asio = boost::asio;

/// Messages that change hands in one slice.
constexpr std::size_t batch_size = 200;

/// Parts of one message become one again: the new routes may part it elsewhere.
void join(Incoming& whole, const Incoming& part) {
    whole.summary.recipients += part.summary.recipients;
    whole.summary.attempts = std::max(whole.summary.attempts, part.summary.attempts);
    whole.summary.next_attempt = std::min(whole.summary.next_attempt, part.summary.next_attempt);
    // Given by the operator to some parts only.
    whole.summary.decided |=
        part.summary.decided || part.summary.priority != whole.summary.priority;
    whole.deadline = std::min(*whole.deadline, *part.deadline);
    *whole.untried += *part.untried;
}

}  // namespace

asio::awaitable<void> Dispatcher::succeed(Dispatcher& before, std::set<std::string> same) {
    intake_.started(before.intake_.started());
    elsewhere_ = before.elsewhere_;
    earlier_ = before.earlier_;
    std::erase_if(earlier_, [](const auto& each) { return each.expired(); });
    earlier_.push_back(before.weak_from_this());
    paused_elsewhere_ = before.paused_elsewhere_;
    for (const auto& old : before.ports_) {
        const std::string& name = old->destination().name;
        elsewhere_[name] += old->attempts();
        const bool here = std::ranges::any_of(
            ports_, [&](const auto& port) { return port->destination().name == name; });
        if (old->paused() && !here) paused_elsewhere_.emplace(name, *old->paused());
        for (const auto& port : ports_)
            if (port->destination().name == name) port->succeed(*old, same.contains(name));
    }
    for (const auto& port : ports_) {
        const std::string& name = port->destination().name;
        port->set_elsewhere(elsewhere_[name]);
    }
    pause_again();
    inbox_ = std::exchange(before.inbox_, nullptr);
    inbox_->redirect([this](const std::vector<spool::Summary>& batch) { arrived(batch); });
    before.retire(shared_from_this());
    co_await before.handed_on();
}

void Dispatcher::pause(Pauses pauses) {
    paused_elsewhere_ = std::move(pauses);
    pause_again();
    for (const auto& [name, pause] : paused_elsewhere_)
        base::log::warning("paused", {{"upstream", name},
                                      {"since", base::rfc3339_seconds(pause.since)},
                                      {"reason", pause.reason},
                                      {"result",
                                       "it is not configured; should it come back, it stays paused "
                                       "until it is resumed"}});
}

/// What comes back as it was left.
void Dispatcher::pause_again() {
    for (const auto& port : ports_) {
        const auto known = paused_elsewhere_.find(port->destination().name);
        if (known == paused_elsewhere_.end()) continue;
        base::log::warning("paused",
                           {{"upstream", known->first},
                            {"since", base::rfc3339_seconds(known->second.since)},
                            {"reason", known->second.reason},
                            {"result", "its mail is kept; outpostctl upstream resume ends that"}});
        port->pause(std::move(known->second));
        paused_elsewhere_.erase(known);
    }
}

void Dispatcher::retire(std::shared_ptr<Dispatcher> heir) {
    heir_ = std::move(heir);
    stopping_ = true;
    intake_.stop();
    alarm_->clear();
    hand_on();
}

std::vector<std::shared_ptr<Desk>> Dispatcher::earlier_desks() const {
    std::vector<std::shared_ptr<Desk>> desks;
    for (const auto& each : earlier_)
        if (auto before = each.lock(); before && before->queue_.size() > 0)
            desks.emplace_back(before, &before->desk_);
    return desks;
}

/// Sees to it that all that is not being dealt with goes to the heir.
void Dispatcher::hand_on() {
    more_to_hand_on_ = true;
    if (std::exchange(handing_on_, true)) return;
    launch(hand_on_all(), "handing on the queue");
}

asio::awaitable<void> Dispatcher::hand_on_all() {
    // Whoever had put back what is handed on may be the last that holds this one.
    const auto self = shared_from_this();
    while (std::exchange(more_to_hand_on_, false)) {
        if (auto unread = intake_.take_unread(); !unread.empty())
            heir_->take_over(std::move(unread));
        co_await hand_on_idle();
        handed_on_ = true;
        changed_.cancel();
    }
    handing_on_ = false;
    task_done();
}

asio::awaitable<void> Dispatcher::handed_on() {
    while (handing_on_ && !handed_on_)
        co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> Dispatcher::settled() {
    for (const auto& each : std::vector(earlier_))
        if (const auto before = each.lock()) co_await before->handed_on();
}

bool Dispatcher::idle(const spool::QueueEntry& entry) const {
    return entry.state != spool::QueueState::in_flight && !partings_.busy(entry.id);
}

/// The parts of a message as one, whatever part was met. None of them is being dealt with.
Incoming Dispatcher::take_out(base::MessageId id, Handle handle) {
    Incoming whole = as_incoming(queue_.entry(handle));
    for (const Handle part : partings_.entries(id)) {
        if (part == handle) continue;
        join(whole, as_incoming(queue_.entry(part)));
        queue_.remove(part);
    }
    queue_.remove(handle);
    partings_.forget(id);
    return whole;
}

/// Oldest first, in slices: a queue of a million takes a second, and is not there twice.
asio::awaitable<void> Dispatcher::hand_on_idle() {
    OldestFirst all;
    for (std::optional<Handle> at = Handle{}; at;) {
        std::vector<Found> some;
        at = queue_.for_some(*at, places_a_slice,
                             [&](Handle handle, const spool::QueueEntry& entry) {
                                 if (idle(entry)) some.push_back({entry.id, handle});
                             });
        all.add(std::move(some));
        if (at) co_await Slices::turn();
    }
    std::vector<Incoming> batch;
    while (const auto found = all.next()) {
        if (batch.size() == batch_size) {
            heir_->take_over(std::exchange(batch, {}));
            co_await Slices::turn();
        }
        if (queue_.holds(found->handle, found->id) && idle(queue_.entry(found->handle)))
            batch.push_back(take_out(found->id, found->handle));
    }
    heir_->take_over(std::move(batch));
}

Incoming Dispatcher::as_incoming(const spool::QueueEntry& entry) const {
    return {.summary = {.id = entry.id,
                        .account = std::string(queue_.account_name(entry.account)),
                        .recipients = entry.recipients,
                        .size = entry.size,
                        .received = entry.id.time(),
                        .lifetime = {},
                        .next_attempt = entry.next_attempt,
                        .priority = entry.priority,
                        .attempts = entry.attempts,
                        .delay_notified = false,
                        .decided = entry.moved},
            .deadline = entry.deadline,
            .untried = entry.untried};
}

void Dispatcher::take_over(std::vector<Incoming> batch) {
    if (heir_) return heir_->take_over(std::move(batch));
    for (const Incoming& incoming : batch) intake_.add(incoming);
    const base::MonoTime now = clock_.mono();
    pump_all(now);
    arm(now);
}

void Dispatcher::ended_elsewhere(const std::string& upstream, const GateReport& report) {
    const std::uint32_t left = --elsewhere_[upstream];
    for (const auto& port : ports_)
        if (port->destination().name == upstream) port->set_elsewhere(left);
    if (heir_) return heir_->ended_elsewhere(upstream, report);
    const base::MonoTime now = clock_.mono();
    for (const auto& port : ports_) {
        // Permits may have come back.
        port->ask_again();
        if (port->destination().name == upstream) port->ended_elsewhere(report, now);
    }
    picker_.ask_for_all_again();
    pump_all(now);
    arm(now);
}

}  // namespace outpost::delivery

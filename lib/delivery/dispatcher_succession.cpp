#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "delivery/dispatcher.hpp"

/// How another dispatcher, of another configuration, takes the place of one that runs: nothing is
/// read again, and no attempt is broken off.
namespace outpost::delivery {
namespace {

/// So that a queue of a million is not there twice.
constexpr std::size_t batch_size = 1000;

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

void Dispatcher::succeed(Dispatcher& before, const std::set<std::string>& same) {
    intake_.started(before.intake_.started());
    elsewhere_ = before.elsewhere_;
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

/// Everything that is not being dealt with, oldest first, and what could not be read.
void Dispatcher::hand_on() {
    if (auto unread = intake_.take_unread(); !unread.empty()) heir_->take_over(std::move(unread));
    std::vector<std::pair<base::MessageId, Handle>> idle;
    queue_.for_each([&](Handle handle, const spool::QueueEntry& entry) {
        if (entry.state != spool::QueueState::in_flight && !partings_.busy(entry.id))
            idle.emplace_back(entry.id, handle);
    });
    std::ranges::sort(idle);
    std::vector<Incoming> batch;
    for (const auto& [id, handle] : idle) {
        Incoming next = as_incoming(queue_.entry(handle));
        queue_.remove(handle);
        if (!batch.empty() && batch.back().summary.id == id) {
            join(batch.back(), next);
            continue;
        }
        partings_.forget(id);
        if (batch.size() == batch_size) heir_->take_over(std::exchange(batch, {}));
        batch.push_back(std::move(next));
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
    if (heir_) return heir_->ended_elsewhere(upstream, report);
    const base::MonoTime now = clock_.mono();
    for (const auto& port : ports_) {
        // Permits may have come back.
        port->ask_again();
        if (port->destination().name != upstream) continue;
        port->set_elsewhere(left);
        port->ended_elsewhere(report, now);
    }
    picker_.ask_for_all_again();
    pump_all(now);
    arm(now);
}

}  // namespace outpost::delivery

#include "delivery/dispatcher.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

#include "base/log.hpp"
#include "net/spawn.hpp"

namespace outpost::delivery {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

/// However far away the next event is: a wall clock that was set is noticed by then.
constexpr milliseconds longest_sleep = std::chrono::minutes(1);

}  // namespace

Dispatcher::Dispatcher(Parts parts, const config::Config& config, Transports transports)
    : executor_(parts.executor),
      spool_(parts.spool),
      clock_(parts.clock),
      alarm_(std::move(parts.alarm)),
      random_(parts.seed),
      switchboard_(config),
      courier_({.spool = spool_,
                .clock = clock_,
                .random = [this] { return std::uniform_real_distribution<>()(random_); },
                .history = parts.history},
               config),
      picker_({.executor = executor_,
               .queue = queue_,
               .limiter = parts.limiter,
               .clock = clock_,
               .again = [this] { limits_changed(); }},
              config),
      intake_(
          {.spool = spool_,
           .clock = clock_,
           .queue = queue_,
           .partings = partings_,
           .policy = courier_.policy(),
           .launch =
               [this](asio::awaitable<void> task) { launch(finish(std::move(task)), "routing"); },
           .entered = [this](Handle handle) { picker_.arrived(queue_.entry(handle)); },
           .entered_late =
               [this] {
                   if (heir_) return hand_on();
                   pump_all(clock_.mono());
                   arm(clock_.mono());
               }},
          config, switchboard_.ways()),
      tests_({.executor = executor_,
              .spool = spool_,
              .clock = clock_,
              .limiter = parts.limiter,
              .picker = picker_,
              .history = HistoryNotes(parts.history, clock_),
              .patience = parts.test_patience,
              .begun = [this] { ++tasks_; },
              .ended = [this](Port& port, const GateReport& report) { test_ended(port, report); }},
             config),
      desk_({.spool = spool_,
             .clock = clock_,
             .queue = queue_,
             .picker = picker_,
             .courier = courier_,
             .partings = partings_,
             .switchboard = switchboard_,
             .router = intake_.router(),
             .ports = ports_,
             .tests = tests_,
             .paused_elsewhere = paused_elsewhere_,
             .begun = [this] { ++tasks_; },
             .put_back =
                 [this](Handle handle, Courier::Result& result) {
                     put_back(handle, result, nullptr);
                     task_done();
                 },
             .history = HistoryNotes(parts.history, clock_),
             .pump =
                 [this] {
                     pump_all(clock_.mono());
                     arm(clock_.mono());
                 },
             .earlier = [this] { return earlier_desks(); },
             .settled = [this] { return settled(); },
             .heir =
                 [this] {
                     return heir_ ? std::shared_ptr<Desk>(heir_, &heir_->desk_)
                                  : std::shared_ptr<Desk>();
                 }}),
      changed_(executor_, asio::steady_timer::time_point::max()) {
    for (const auto& [name, upstream] : config.upstreams) {
        ports_.push_back(std::make_unique<Port>(upstream, std::move(transports.at(name)),
                                                static_cast<PortIndex>(ports_.size())));
    }
}

Dispatcher::~Dispatcher() {
    if (inbox_) inbox_->close();
}

void Dispatcher::start() {
    intake_.started(clock_.wall());
    arrived(spool_.take_recovered());
    inbox_ = std::make_shared<Inbox>(
        executor_, [this](const std::vector<spool::Summary>& batch) { arrived(batch); });
    spool_.on_stored(
        [inbox = inbox_](std::span<const spool::Summary> stored) { inbox->put(stored); });
}

asio::awaitable<std::size_t> Dispatcher::stop(milliseconds grace) {
    stopping_ = true;
    intake_.stop();
    if (inbox_) inbox_->close();
    alarm_->set(grace, [this] {
        grace_over_ = true;
        changed_.cancel();
    });
    while (tasks_ > 0 && !grace_over_)
        co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
    alarm_->clear();
    std::size_t unfinished = 0;
    for (const auto& port : ports_) unfinished += port->gate().active();
    if (!std::exchange(closing_begun_, true)) {
        for (const auto& port : ports_) {
            ++closing_;
            net::spawn(executor_, close_transport(*port), "closing an upstream");
        }
    }
    while (closing_ > 0) co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return unfinished;
}

asio::awaitable<void> Dispatcher::close_transport(Port& port) {
    co_await port.destination().transport->close();
    --closing_;
    changed_.cancel();
}

void Dispatcher::replace_accounts(const config::Config& config, Permits::Accounts limits) {
    intake_.replace(Router(config, switchboard_.ways()));
    picker_.replace(config, std::move(limits));
    limits_changed();
}

void Dispatcher::arrived(const std::vector<spool::Summary>& batch) {
    const base::WallTime now = clock_.wall();
    notice_clock(now);
    for (const spool::Summary& summary : batch) intake_.add({.summary = summary});
    const base::MonoTime mono = clock_.mono();
    pump_all(mono);
    arm(mono);
}

void Dispatcher::pump_all(base::MonoTime now) {
    for (const auto& port : ports_) pump(*port, now);
}

void Dispatcher::pump(Port& port, base::MonoTime now) {
    const auto circle = switchboard_.ways().circle(port.index());
    bool more = true;
    while (more) {
        more = false;
        for (const PortIndex index : circle) {
            Port& each = *ports_[index];
            const bool limited = each.limit_wait().has_value();
            auto start = start_next(each, now);
            // That one has nothing left may be what another one waited for.
            more = more || start || (!limited && each.limit_wait() && circle.size() > 1);
            if (start) launch(run_slot(each, std::move(*start)), "delivery");
        }
    }
}

std::optional<Dispatcher::Start> Dispatcher::start_next(Port& port, base::MonoTime now) {
    const base::WallTime wall = clock_.wall();
    if (stopping_ || !port.may_start(now, wall)) return std::nullopt;
    const auto lanes = switchboard_.lanes(
        port.index(), [&](PortIndex index) { return ports_[index]->state(now, wall); });
    if (lanes.empty()) return std::nullopt;
    port.ask_again();
    for (;;) {
        Picker::Result next = picker_.next(port.index(), lanes);
        if (next.wait) port.wait_for(std::move(*next.wait));
        if (next.unfit) turn_away(*next.unfit, port);
        if (!next.pick && !next.unfit) return std::nullopt;
        if (!next.pick) continue;
        const spool::QueueEntry& entry = queue_.entry(next.pick->handle);
        if (!partings_.begin(entry.id, next.pick->handle)) {
            picker_.settle(entry.account, next.pick->permit, {});
            continue;
        }
        switchboard_.taken(port.index(), entry.way, next.pick->permit.recipients);
        const auto ticket = port.start(*next.pick, now, wall);
        return Start{std::move(*next.pick), ticket};
    }
}

/// A limit never lets a message through: another upstream may have a wider one.
void Dispatcher::turn_away(const Picker::Unfit& unfit, const Port& port) {
    const spool::QueueEntry& entry = queue_.entry(unfit.handle);
    if (!switchboard_.has_others(entry, port.index())) return picker_.set_aside(unfit);
    spool::Requeue again = spool::unchanged(entry);
    switchboard_.redirect(entry, again, port.index(), {.passed_on = true, .may_take_later = true});
    queue_.requeue(unfit.handle, again, clock_.wall());
}

/// One delivery after the other, until there is none to make.
asio::awaitable<void> Dispatcher::run_slot(Port& port, Start start) {
    for (;;) {
        const Handle handle = start.pick.handle;
        const spool::QueueEntry entry = queue_.entry(handle);
        Courier::Task task{.entry = entry,
                           .share = partings_.share(entry.id, handle),
                           .others = switchboard_.has_others(entry, port.index())};
        Courier::Result result = co_await attempt(port, std::move(task), start.pick.permit);
        const bool parts = put_back(handle, result, &port);
        const bool released = picker_.settle(entry.account, start.pick.permit, result.sent);
        const base::MonoTime now = clock_.mono();
        port.finish(handle, start.ticket, result.gate, now);
        if (heir_) heir_->ended_elsewhere(port.destination().name, result.gate);
        auto next = start_next(port, now);
        // More than the one may go now: the upstream is open again, or permits came back. What it
        // does not take any more may be for those that share its mail.
        if (released || parts) pump_all(now);
        if (next || switchboard_.ways().circle(port.index()).size() > 1) pump(port, now);
        arm(now);
        if (!next) break;
        start = std::move(*next);
    }
    task_done();
}

asio::awaitable<Courier::Result> Dispatcher::attempt(Port& port, Courier::Task task,
                                                     const Permit& permit) {
    std::string error;
    try {
        co_return co_await courier_.deliver(task, permit, port.destination());
    } catch (const std::exception& e) {
        error = e.what();
    }
    Courier::Result result = internal_error(task.entry, error);
    // How far it went is not known: all of it counts.
    result.sent = {.recipients = permit.recipients, .first_time = permit.recipients};
    co_return result;
}

/// The store of the limits has answered.
void Dispatcher::limits_changed() {
    if (stopping_) return;
    const base::MonoTime now = clock_.mono();
    for (const auto& port : ports_) port->ask_again();
    pump_all(now);
    arm(now);
}

bool Dispatcher::put_back(Handle handle, Courier::Result& result, const Port* by) {
    const spool::QueueEntry entry = queue_.entry(handle);
    std::vector<Handle> waiting;
    if (result.again) {
        if (by != nullptr)
            switchboard_.redirect(entry, *result.again, by->index(),
                                  {.passed_on = result.passed_on,
                                   .may_take_later = result.may_take_later,
                                   .partly_delivered = result.partly_delivered});
        queue_.requeue(handle, *result.again, clock_.wall());
        waiting = partings_.end(entry.id);
    } else {
        auto removal = partings_.remove(entry.id, handle, result.message_done);
        queue_.remove(handle);
        for (const Handle other : removal.done) queue_.remove(other);
        waiting = std::move(removal.waiting);
    }
    for (const Handle other : waiting)
        queue_.requeue(other, spool::unchanged(queue_.entry(other)), clock_.wall());
    if (heir_) hand_on();
    return !waiting.empty();
}

asio::awaitable<void> Dispatcher::login_probe(Port& port) {
    std::string error;
    try {
        const auto answer = co_await port.destination().transport->probe();
        if (!answer) error = answer.error();
    } catch (const std::exception& e) {
        error = e.what();
    }
    const base::MonoTime now = clock_.mono();
    if (port.end_login_probe(error, now)) pump(port, now);
    arm(now);
    task_done();
}

void Dispatcher::test_ended(Port& port, const GateReport& report) {
    const base::MonoTime now = clock_.mono();
    port.end_test(report, now);
    if (heir_) heir_->ended_elsewhere(port.destination().name, report);
    pump_all(now);
    arm(now);
    task_done();
}

Courier::Result Dispatcher::internal_error(const spool::QueueEntry& entry,
                                           const std::string& what) {
    base::log::error("internal error",
                     {{"in", "delivery"}, {"id", entry.id.text()}, {"what", what}});
    const base::WallTime later = clock_.wall() + own_fault_wait;
    Courier::Result result;
    result.again = spool::unchanged(entry);
    result.again->next_attempt = later;
    result.again->deadline = std::max(entry.deadline, later);
    return result;
}

void Dispatcher::ring() {
    armed_ = base::MonoTime::max();
    if (stopping_) return;
    const base::MonoTime now = clock_.mono();
    const base::WallTime wall = clock_.wall();
    notice_clock(wall);
    queue_.advance(wall);
    intake_.retry(wall);
    attend_overdue(wall);
    for (const auto& port : ports_) {
        if (!port->login_probe_due(now)) continue;
        port->begin_login_probe();
        launch(login_probe(*port), "login probe");
    }
    pump_all(now);
    arm(now);
}

/// A wall clock that was put back would make what waits for a limit wait for the time twice.
void Dispatcher::notice_clock(base::WallTime now) {
    if (now + std::chrono::seconds(1) < last_wall_) {
        picker_.ask_for_all_again();
        for (const auto& port : ports_) port->ask_again();
    }
    last_wall_ = now;
}

/// Sees to it that ring() is called at the next event. An upstream's next try that has passed is
/// none: then pump() found no mail for it, and mail that arrives pumps by itself.
void Dispatcher::arm(base::MonoTime now) {
    if (stopping_) return;
    const base::WallTime wall = clock_.wall();
    base::MonoTime at = now + longest_sleep;
    if (const auto due = queue_.next_due()) {
        const milliseconds wait = std::min(*due - wall, longest_sleep);
        at = std::min(at, now + std::max(wait, milliseconds(0)));
    }
    for (const auto& port : ports_) {
        if (const auto event = port->next_event(now, wall)) at = std::min(at, *event);
    }
    if (at >= armed_) return;
    armed_ = at;
    // Rounded up: a ring before its time would find nothing to do.
    const auto wait = std::chrono::ceil<milliseconds>(at - now);
    alarm_->set(wait, [this] { ring(); });
}

void Dispatcher::launch(asio::awaitable<void> task, const char* what) {
    ++tasks_;
    net::spawn(executor_, std::move(task), what);
}

asio::awaitable<void> Dispatcher::finish(asio::awaitable<void> task) {
    co_await std::move(task);
    task_done();
}

void Dispatcher::task_done() {
    if (--tasks_ == 0) changed_.cancel();
}

}  // namespace outpost::delivery

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
/// Reports cost a commit each; so many are in the making at once.
constexpr std::size_t most_attendants = 8;
/// Mail whose time ran out while the daemon was down is tried once more before it is given up.
constexpr std::chrono::minutes respite{5};

}  // namespace

Dispatcher::Dispatcher(Parts parts, const config::Config& config, Transports transports)
    : executor_(parts.executor),
      spool_(parts.spool),
      clock_(parts.clock),
      alarm_(std::move(parts.alarm)),
      random_(parts.seed),
      router_(config),
      courier_({.spool = spool_,
                .clock = clock_,
                .random = [this] { return std::uniform_real_distribution<>()(random_); }},
               config),
      picker_({.executor = executor_,
               .queue = queue_,
               .limiter = parts.limiter,
               .clock = clock_,
               .again = [this] { limits_changed(); }},
              config),
      changed_(executor_, asio::steady_timer::time_point::max()) {
    for (const auto& [name, upstream] : config.upstreams) {
        ports_.push_back(std::make_unique<Port>(upstream, std::move(transports.at(name)),
                                                static_cast<spool::UpstreamIndex>(ports_.size())));
    }
}

Dispatcher::~Dispatcher() {
    if (inbox_) inbox_->close();
}

void Dispatcher::start() {
    started_ = clock_.wall();
    arrived(spool_.take_recovered());
    inbox_ = std::make_shared<Inbox>(
        executor_, [this](const std::vector<spool::Summary>& batch) { arrived(batch); });
    spool_.on_stored(
        [inbox = inbox_](std::span<const spool::Summary> stored) { inbox->put(stored); });
}

asio::awaitable<std::size_t> Dispatcher::stop(milliseconds grace) {
    stopping_ = true;
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
    for (const auto& port : ports_) {
        ++closing_;
        net::spawn(executor_, close_transport(*port), "closing an upstream");
    }
    while (closing_ > 0) co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return unfinished;
}

asio::awaitable<void> Dispatcher::close_transport(Port& port) {
    co_await port.destination().transport->close();
    --closing_;
    changed_.cancel();
}

void Dispatcher::arrived(const std::vector<spool::Summary>& batch) {
    const base::WallTime now = clock_.wall();
    notice_clock(now);
    for (const spool::Summary& summary : batch) add(summary, now);
    const base::MonoTime mono = clock_.mono();
    pump_all(mono);
    arm(mono);
}

void Dispatcher::add(const spool::Summary& summary, base::WallTime now) {
    const bool report = summary.account.empty();
    if (const auto upstream = report ? router_.reports() : router_.route(summary.account)) {
        add_to(*upstream, summary, now);
    } else if (report) {
        launch(route_report(summary), "routing a report");
    } else {
        no_route(summary.account);
    }
}

void Dispatcher::add_to(spool::UpstreamIndex upstream, const spool::Summary& summary,
                        base::WallTime now) {
    const RetryPolicy& policy = courier_.policy();
    const base::WallTime deadline =
        summary.received < started_
            ? policy.deadline_after_pause(summary.lifetime, summary.delay_notified, started_,
                                          respite)
            : policy.deadline(summary.lifetime, summary.delay_notified);
    // Of several recipients whose attempts differ some may never have been tried.
    const bool untried = summary.attempts == 0 || summary.recipients > 1;
    const Handle handle = queue_.add({.id = summary.id,
                                      .account = summary.account,
                                      .recipients = summary.recipients,
                                      .untried = untried ? summary.recipients : 0,
                                      .size = summary.size,
                                      .priority = summary.priority,
                                      .attempts = summary.attempts,
                                      .next_attempt = summary.next_attempt,
                                      .deadline = deadline},
                                     upstream, now);
    picker_.arrived(queue_.entry(handle));
}

/// A report takes the way of the message that it is about, which its envelope names.
asio::awaitable<void> Dispatcher::route_report(spool::Summary summary) {
    const auto stored = co_await spool_.read(summary.id);
    if (stored) {
        const std::string& account = stored->envelope.client;
        if (const auto upstream = router_.route(account)) {
            add_to(*upstream, summary, clock_.wall());
            const base::MonoTime now = clock_.mono();
            pump(*ports_[*upstream], now);
            arm(now);
        } else {
            no_route(account);
        }
    } else {
        base::log::error(stored.error().damaged ? "damaged" : "unreadable",
                         {{"id", summary.id.text()},
                          {"reason", stored.error().reason},
                          {"result", "the report is not sent; see docs/spool.md"}});
    }
    task_done();
}

void Dispatcher::no_route(const std::string& account) {
    if (!unrouted_.insert(account).second) return;
    base::log::error("no route", {{"account", account},
                                  {"result",
                                   "its mail stays in the spool; configure the account again and "
                                   "restart to send it"}});
}

void Dispatcher::pump_all(base::MonoTime now) {
    for (const auto& port : ports_) pump(*port, now);
}

void Dispatcher::pump(Port& port, base::MonoTime now) {
    while (auto start = start_next(port, now))
        launch(run_slot(port, std::move(*start)), "delivery");
}

std::optional<Dispatcher::Start> Dispatcher::start_next(Port& port, base::MonoTime now) {
    if (stopping_ || !port.may_start(now, clock_.wall())) return std::nullopt;
    port.ask_again();
    Picker::Result next = picker_.next(port.index());
    if (next.wait) port.wait_for(std::move(*next.wait));
    if (!next.pick) return std::nullopt;
    const auto ticket = port.start(next.pick->permit.recipients, now);
    return Start{std::move(*next.pick), ticket};
}

/// One delivery after the other, until there is none to make.
asio::awaitable<void> Dispatcher::run_slot(Port& port, Start start) {
    for (;;) {
        const Handle handle = start.pick.handle;
        const spool::QueueEntry entry = queue_.entry(handle);
        const Courier::Result result = co_await attempt(port, entry, start.pick.permit);
        put_back(handle, result.again);
        const bool released = picker_.settle(entry.account, start.pick.permit, result.sent);
        const base::MonoTime now = clock_.mono();
        port.finish(start.ticket, result.gate, now);
        auto next = start_next(port, now);
        // More than the one may go now: the upstream is open again, or permits came back.
        if (released) pump_all(now);
        if (next) pump(port, now);
        arm(now);
        if (!next) break;
        start = std::move(*next);
    }
    task_done();
}

asio::awaitable<Courier::Result> Dispatcher::attempt(Port& port, const spool::QueueEntry& entry,
                                                     const Permit& permit) {
    std::string error;
    try {
        co_return co_await courier_.deliver(entry, permit, port.destination());
    } catch (const std::exception& e) {
        error = e.what();
    }
    Courier::Result result = internal_error(entry, error);
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

void Dispatcher::put_back(Handle handle, const std::optional<spool::Requeue>& again) {
    if (again) {
        queue_.requeue(handle, *again, clock_.wall());
    } else {
        queue_.remove(handle);
    }
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

void Dispatcher::attend_overdue(base::WallTime now) {
    while (attendants_ < most_attendants) {
        const auto handle = queue_.next_overdue(now);
        if (!handle) return;
        ++attendants_;
        launch(run_attendant(*handle), "attending to an overdue message");
    }
}

asio::awaitable<void> Dispatcher::run_attendant(Handle handle) {
    for (;;) {
        const spool::QueueEntry entry = queue_.entry(handle);
        std::optional<Courier::Result> result;
        std::string error;
        try {
            result = co_await courier_.attend(entry, waits_in_turn(entry));
        } catch (const std::exception& e) {
            error = e.what();
        }
        if (!result) result = internal_error(entry, error);
        put_back(handle, result->again);
        if (stopping_) break;
        const base::MonoTime now = clock_.mono();
        pump(*ports_[entry.upstream], now);
        arm(now);
        const auto next = queue_.next_overdue(clock_.wall());
        if (!next) break;
        handle = *next;
    }
    --attendants_;
    arm(clock_.mono());
    task_done();
}

/// Its upstream takes mail and it was never tried: limits and other mail alone are before it.
bool Dispatcher::waits_in_turn(const spool::QueueEntry& entry) const {
    return entry.attempts == 0 && !entry.setback &&
           ports_[entry.upstream]->gate().state() == UpstreamGate::State::open;
}

Courier::Result Dispatcher::internal_error(const spool::QueueEntry& entry,
                                           const std::string& what) {
    base::log::error("internal error",
                     {{"in", "delivery"}, {"id", entry.id.text()}, {"what", what}});
    const base::WallTime later = clock_.wall() + own_fault_wait;
    return {.again = spool::Requeue{.next_attempt = later,
                                    .deadline = std::max(entry.deadline, later),
                                    .recipients = entry.recipients,
                                    .untried = entry.untried,
                                    .attempts = entry.attempts,
                                    .setback = entry.setback},
            .gate = {},
            .sent = {}};
}

void Dispatcher::ring() {
    armed_ = base::MonoTime::max();
    if (stopping_) return;
    const base::MonoTime now = clock_.mono();
    const base::WallTime wall = clock_.wall();
    notice_clock(wall);
    queue_.advance(wall);
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

void Dispatcher::task_done() {
    if (--tasks_ == 0) changed_.cancel();
}

}  // namespace outpost::delivery

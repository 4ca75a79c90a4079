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

Destination destination(const config::Upstream& upstream,
                        std::unique_ptr<upstream::Transport> transport) {
    Destination to{.name = upstream.name, .transport = std::move(transport)};
    if (const auto* smtp = std::get_if<config::SmtpUpstream>(&upstream.kind))
        to.uncertain = smtp->uncertain;
    to.final_delivery = std::holds_alternative<config::SandboxUpstream>(upstream.kind);
    return to;
}

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
      changed_(executor_, asio::steady_timer::time_point::max()) {
    for (const auto& [name, upstream] : config.upstreams) {
        ports_.push_back(std::make_unique<Port>(
            Port{.destination = destination(upstream, std::move(transports.at(name))),
                 .gate = UpstreamGate(upstream.concurrency),
                 .index = static_cast<spool::UpstreamIndex>(ports_.size())}));
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
    for (const auto& port : ports_) unfinished += port->gate.active();
    for (const auto& port : ports_) {
        ++closing_;
        net::spawn(executor_, close_transport(*port), "closing an upstream");
    }
    while (closing_ > 0) co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return unfinished;
}

asio::awaitable<void> Dispatcher::close_transport(Port& port) {
    co_await port.destination.transport->close();
    --closing_;
    changed_.cancel();
}

void Dispatcher::arrived(const std::vector<spool::Summary>& batch) {
    const base::WallTime now = clock_.wall();
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
    base::WallTime deadline = policy.deadline(summary.received, summary.delay_notified);
    if (summary.received < started_)
        deadline = std::max(deadline, std::min(started_ + respite, policy.expiry(started_)));
    queue_.add({.id = summary.id,
                .account = summary.account,
                .recipients = summary.recipients,
                .size = summary.size,
                .priority = summary.priority,
                .attempts = summary.attempts,
                .next_attempt = summary.next_attempt,
                .deadline = deadline},
               upstream, now);
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
    while (!stopping_ && port.gate.may_start(now)) {
        const auto handle = queue_.next(port.index, clock_.wall());
        if (!handle) return;
        launch(run_slot(port, *handle, port.gate.start()), "delivery");
    }
}

/// One delivery after the other, until there is none to make.
asio::awaitable<void> Dispatcher::run_slot(Port& port, Handle handle, UpstreamGate::Ticket ticket) {
    for (;;) {
        const spool::QueueEntry entry = queue_.entry(handle);
        std::optional<Courier::Result> result;
        std::string error;
        try {
            result = co_await courier_.deliver(entry, port.destination);
        } catch (const std::exception& e) {
            error = e.what();
        }
        if (!result) result = internal_error(entry, error);
        put_back(handle, result->again);
        finish_attempt(port, ticket, result->gate);
        if (stopping_ || !port.gate.may_start(clock_.mono())) break;
        const auto next = queue_.next(port.index, clock_.wall());
        if (!next) break;
        handle = *next;
        ticket = port.gate.start();
    }
    arm(clock_.mono());
    task_done();
}

void Dispatcher::put_back(Handle handle, const std::optional<spool::Requeue>& again) {
    if (again) {
        queue_.requeue(handle, *again, clock_.wall());
    } else {
        queue_.remove(handle);
    }
}

void Dispatcher::finish_attempt(Port& port, UpstreamGate::Ticket ticket, const GateReport& report) {
    using State = UpstreamGate::State;
    const base::MonoTime now = clock_.mono();
    const State before = port.gate.state();
    const auto change = port.gate.finish(ticket, report, now);
    if (change == UpstreamGate::Change::none) return;
    const std::string& name = port.destination.name;
    if (change == UpstreamGate::Change::opened) {
        opened(port, "delivery", now);
    } else if (change == UpstreamGate::Change::suspended) {
        base::log::error("suspended", {{"upstream", name},
                                       {"reason", report.reason},
                                       {"result",
                                        "its mail is kept; check the upstream's credentials and "
                                        "encryption; a login is tried every 15 minutes"}});
    } else if (before == State::open) {
        const bool throttled = report.signal == GateSignal::throttled;
        const auto wait =
            std::chrono::duration_cast<std::chrono::seconds>(port.gate.next_try() - now);
        base::log::warning(throttled ? "throttled" : "unreachable",
                           {{"upstream", name},
                            {"reason", report.reason},
                            {"next_try", static_cast<std::int64_t>(wait.count())}});
    }
}

/// All that waited for the upstream goes now.
void Dispatcher::opened(Port& port, std::string_view how, base::MonoTime now) {
    const auto away = std::chrono::duration<double>(now - port.gate.since());
    base::log::info("resumed",
                    {{"upstream", port.destination.name}, {"by", how}, {"after", away.count()}});
    pump(port, now);
}

asio::awaitable<void> Dispatcher::login_probe(Port& port) {
    std::string error;
    try {
        const auto answer = co_await port.destination.transport->probe();
        if (!answer) error = answer.error();
    } catch (const std::exception& e) {
        error = e.what();
    }
    const base::MonoTime now = clock_.mono();
    if (!error.empty()) {
        base::log::warning("still suspended",
                           {{"upstream", port.destination.name}, {"reason", error}});
    }
    if (port.gate.end_login_probe(error.empty(), now) == UpstreamGate::Change::opened)
        opened(port, "login", now);
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
            result = co_await courier_.attend(entry);
        } catch (const std::exception& e) {
            error = e.what();
        }
        if (!result) result = internal_error(entry, error);
        put_back(handle, result->again);
        if (stopping_) break;
        pump(*ports_[entry.upstream], clock_.mono());
        const auto next = queue_.next_overdue(clock_.wall());
        if (!next) break;
        handle = *next;
    }
    --attendants_;
    arm(clock_.mono());
    task_done();
}

Courier::Result Dispatcher::internal_error(const spool::QueueEntry& entry,
                                           const std::string& what) {
    base::log::error("internal error",
                     {{"in", "delivery"}, {"id", entry.id.text()}, {"what", what}});
    const base::WallTime later = clock_.wall() + own_fault_wait;
    return {.again = spool::Requeue{.next_attempt = later,
                                    .deadline = std::max(entry.deadline, later),
                                    .recipients = entry.recipients,
                                    .attempts = entry.attempts,
                                    .setback = entry.setback},
            .gate = {}};
}

void Dispatcher::ring() {
    armed_ = base::MonoTime::max();
    if (stopping_) return;
    const base::MonoTime now = clock_.mono();
    const base::WallTime wall = clock_.wall();
    queue_.advance(wall);
    attend_overdue(wall);
    for (const auto& port : ports_) {
        if (!port->gate.login_probe_due(now)) continue;
        port->gate.begin_login_probe();
        launch(login_probe(*port), "login probe");
    }
    pump_all(now);
    arm(now);
}

/// Sees to it that ring() is called at the next event. An upstream's next try that has passed is
/// none: then pump() found no mail for it, and mail that arrives pumps by itself.
void Dispatcher::arm(base::MonoTime now) {
    if (stopping_) return;
    base::MonoTime at = now + longest_sleep;
    if (const auto due = queue_.next_due()) {
        const milliseconds wait = std::min(*due - clock_.wall(), longest_sleep);
        at = std::min(at, now + std::max(wait, milliseconds(0)));
    }
    for (const auto& port : ports_) {
        const auto event = port->gate.next_event();
        if (event && *event > now) at = std::min(at, *event);
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

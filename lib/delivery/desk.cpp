#include "delivery/desk.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "delivery/explain.hpp"

namespace outpost::delivery {
namespace {

bool address_fits(std::string_view wanted, std::string_view address) {
    if (wanted.empty() || base::iequals(wanted, address)) return true;
    const std::size_t at = address.rfind('@');
    return wanted.starts_with('@') && at != std::string_view::npos &&
           base::iequals(wanted, address.substr(at));
}

bool fits_envelope(const MessageFilter& filter, const MessageView& view) {
    return address_fits(filter.sender, view.sender) &&
           (filter.recipient.empty() ||
            std::ranges::any_of(view.recipients, [&](const std::string& recipient) {
                return address_fits(filter.recipient, recipient);
            }));
}

}  // namespace

std::vector<UpstreamView> Desk::upstreams() const {
    const base::MonoTime now = parts_.clock.mono();
    const base::WallTime wall = parts_.clock.wall();
    std::vector<UpstreamView> views;
    for (const auto& port : parts_.ports) {
        UpstreamView view = explain::upstream(*port, now, wall);
        view.limits = parts_.picker.levels(port->index());
        views.push_back(std::move(view));
    }
    for (const auto& row : parts_.queue.counts()) {
        if (row.way >= views.size()) continue;
        views[row.way].ready += row.ready;
        views[row.way].waiting += row.waiting;
    }
    return views;
}

std::vector<QueueRow> Desk::queue() const {
    std::vector<QueueRow> rows;
    for (const auto& row : parts_.queue.counts()) {
        const std::string way(parts_.switchboard.ways().name(row.way));
        const auto same = std::ranges::find_if(rows, [&](const QueueRow& each) {
            return each.way == way && each.account == row.account && each.priority == row.priority;
        });
        QueueRow& target =
            same != rows.end()
                ? *same
                : rows.emplace_back(QueueRow{
                      .way = way, .account = std::string(row.account), .priority = row.priority});
        target.ready += row.ready;
        target.waiting += row.waiting;
        target.in_flight += row.in_flight;
    }
    return rows;
}

std::optional<base::WallTime> Desk::oldest() const {
    std::optional<base::MessageId> least;
    parts_.queue.for_each([&](Handle, const spool::QueueEntry& entry) {
        if (!least || entry.id < *least) least = entry.id;
    });
    if (!least) return std::nullopt;
    return least->time();
}

Port* Desk::port(std::string_view name) const {
    for (const auto& port : parts_.ports)
        if (port->destination().name == name) return port.get();
    return nullptr;
}

bool Desk::fits(const MessageFilter& filter, const spool::QueueEntry& entry) const {
    if (!filter.ids.empty() && std::ranges::find(filter.ids, entry.id) == filter.ids.end())
        return false;
    if (filter.priority && entry.priority != *filter.priority) return false;
    if (filter.older && entry.id.time() > parts_.clock.wall() - *filter.older) return false;
    if (!filter.account.empty() && parts_.queue.account_name(entry.account) != filter.account)
        return false;
    if (!filter.state.empty() && state_of(entry) != filter.state) return false;
    return filter.way.empty() || parts_.switchboard.ways().name(entry.way) == filter.way;
}

std::vector<Desk::Found> Desk::find(const MessageFilter& filter) const {
    std::vector<Found> found;
    parts_.queue.for_each([&](Handle handle, const spool::QueueEntry& entry) {
        if (fits(filter, entry)) found.push_back({entry.id, handle});
    });
    std::ranges::sort(found, {}, &Found::id);
    return found;
}

Desk::awaitable<std::optional<MessageView>> Desk::view(Found found) {
    const auto stored = co_await parts_.spool.read(found.id);
    // It may have gone out meanwhile.
    if (!stored || !parts_.queue.holds(found.handle, found.id)) co_return std::nullopt;
    const spool::QueueEntry entry = parts_.queue.entry(found.handle);
    const Ways& ways = parts_.switchboard.ways();
    const Share share = parts_.partings.share(entry.id, found.handle);
    MessageView view{.id = entry.id,
                     .account = stored->envelope.account,
                     .sender = stored->envelope.reverse_path,
                     .recipients = {},
                     .priority = entry.priority,
                     .state = state_of(entry),
                     .way = std::string(ways.name(entry.way)),
                     .reason = reason_of(entry, found.handle, *stored),
                     .received = stored->envelope.received,
                     .size = entry.size,
                     .attempts = entry.attempts};
    if (view.state == "waiting") view.next_attempt = entry.next_attempt;
    for (std::size_t i = 0; i < stored->state.recipients.size(); ++i)
        if (stored->state.recipients[i].status == spool::RecipientStatus::pending && share.has(i))
            view.recipients.push_back(stored->envelope.recipients[i].address);
    co_return view;
}

Desk::awaitable<std::vector<MessageView>> Desk::list(MessageFilter filter, std::size_t most) {
    std::vector<MessageView> views;
    for (const Found& found : find(filter)) {
        if (views.size() == most) break;
        auto one = co_await view(found);
        if (one && fits_envelope(filter, *one)) views.push_back(std::move(*one));
    }
    co_return views;
}

Desk::awaitable<std::vector<MessageView>> Desk::show(base::MessageId id) {
    MessageFilter filter;
    filter.ids.push_back(id);
    co_return co_await list(std::move(filter), parts_.ports.size());
}

Desk::awaitable<std::expected<QueueChanged, std::string>> Desk::change(MessageFilter filter,
                                                                       QueueChange change) {
    std::optional<WayIndex> to;
    if (change.what == QueueChange::What::move) {
        to = parts_.switchboard.ways().find(change.to);
        if (!to) co_return std::unexpected("there is no upstream or group " + change.to);
    }
    const bool reads = !filter.sender.empty() || !filter.recipient.empty();
    QueueChanged changed;
    for (const Found& found : find(filter)) {
        if (reads) {
            const auto one = co_await view(found);
            if (one && !fits_envelope(filter, *one)) continue;
            if (!one) {
                changed.skipped.push_back(found.id);
                continue;
            }
        }
        const bool done = change.dry_run || co_await apply(found, change, to);
        (done ? changed.done : changed.skipped).push_back(found.id);
    }
    if (!change.dry_run) parts_.pump();
    co_return changed;
}

Desk::awaitable<bool> Desk::apply(Found found, const QueueChange& change,
                                  std::optional<WayIndex> to) {
    using enum QueueChange::What;
    if (!parts_.queue.holds(found.handle, found.id)) co_return false;
    const spool::QueueEntry entry = parts_.queue.entry(found.handle);
    const bool held = entry.next_attempt == base::WallTime::max();
    if (change.what == release && !held) co_return true;
    if (!parts_.queue.claim(found.handle)) co_return false;
    if (!parts_.partings.begin(found.id, found.handle)) co_return false;
    Courier::Task task{.entry = entry, .share = parts_.partings.share(entry.id, found.handle)};
    Courier::Result result;
    bool done = true;
    switch (change.what) {
        case hold: result = co_await parts_.courier.reschedule(task, base::WallTime::max()); break;
        case release:
        case retry: result = co_await parts_.courier.reschedule(task, base::WallTime()); break;
        case cancel:
            result = co_await parts_.courier.cancel(task, change.bounce, change.reason);
            break;
        case move:
            done = co_await parts_.courier.direct(task, {.to = change.to});
            result.again = spool::unchanged(entry);
            break;
        case priority:
            done = co_await parts_.courier.direct(task, {.priority = change.level});
            result.again = spool::unchanged(entry);
            break;
    }
    if (done && change.what == priority) result.again->priority = change.level;
    if (done && to) {
        result.again->way = to;
        result.again->moved = true;
        result.again->refusals = {};
    }
    if (done) note(entry, change);
    parts_.put_back(found.handle, result);
    co_return done;
}

/// The courier notes what it cancels, by recipient.
void Desk::note(const spool::QueueEntry& entry, const QueueChange& change) const {
    const auto write = [&](history::Result result, std::string words) {
        if (!change.reason.empty()) words += (words.empty() ? "" : ": ") + change.reason;
        parts_.history.message(entry.id, result, parts_.queue.account_name(entry.account), words);
    };
    switch (change.what) {
        case QueueChange::What::hold: return write(history::Result::held, {});
        case QueueChange::What::release: return write(history::Result::released, {});
        case QueueChange::What::retry: return write(history::Result::retried, {});
        case QueueChange::What::cancel: return;
        case QueueChange::What::move: return write(history::Result::moved, "to " + change.to);
        case QueueChange::What::priority:
            return write(history::Result::priority, fmt::format("to {}", change.level));
    }
}

RouteView Desk::route(std::string_view account, const smtp::Envelope& envelope,
                      const message::HeaderSection& header) const {
    const Router::Choice choice = parts_.router.explain(account, envelope, header, 0);
    const Ways& ways = parts_.switchboard.ways();
    RouteView view{.way = std::string(ways.name(choice.way)), .because = choice.because};
    if (const auto group = ways.group_of(choice.way))
        view.strategy = config::name_of(ways.groups()[*group].strategy);
    const std::vector<UpstreamView> all = upstreams();
    for (const PortIndex index : ways.ports(choice.way)) view.upstreams.push_back(all[index]);
    return view;
}

std::optional<bool> Desk::paused(std::string_view name) const {
    if (const Port* const found = port(name)) return found->paused().has_value();
    if (parts_.paused_elsewhere.contains(name)) return true;
    return std::nullopt;
}

bool Desk::pause(std::string_view name, Pause pause) {
    Port* const found = port(name);
    if (found != nullptr) found->pause(std::move(pause));
    return found != nullptr;
}

bool Desk::resume(std::string_view name) {
    Port* const found = port(name);
    if (found == nullptr) {
        const auto elsewhere = parts_.paused_elsewhere.find(name);
        if (elsewhere == parts_.paused_elsewhere.end()) return false;
        parts_.paused_elsewhere.erase(elsewhere);
        return true;
    }
    found->resume(parts_.clock.mono());
    parts_.pump();
    return true;
}

Desk::awaitable<std::expected<void, std::string>> Desk::test(std::string_view name) {
    Port* const found = port(name);
    if (found == nullptr) co_return std::unexpected("there is no upstream " + std::string(name));
    co_return co_await found->destination().transport->probe();
}

Desk::awaitable<std::optional<TestReport>> Desk::send_test(std::string name, TestRequest request) {
    Port* const found = port(name);
    if (found == nullptr) co_return std::nullopt;
    co_return co_await parts_.tests.send(*found, std::move(request));
}

std::string Desk::state_of(const spool::QueueEntry& entry) const {
    switch (entry.state) {
        case spool::QueueState::waiting:
            return entry.next_attempt == base::WallTime::max() ? "held" : "waiting";
        case spool::QueueState::overdue: return "reporting";
        case spool::QueueState::in_flight: return "sending";
        case spool::QueueState::fresh:
        case spool::QueueState::returned:
        case spool::QueueState::gone: break;
    }
    return "ready";
}

std::uint64_t Desk::ahead_of(const spool::QueueEntry& entry) const {
    std::uint64_t ahead = 0;
    parts_.queue.for_each([&](Handle, const spool::QueueEntry& other) {
        const bool ready =
            other.state == spool::QueueState::fresh || other.state == spool::QueueState::returned;
        const bool before = other.priority < entry.priority ||
                            (other.priority == entry.priority && other.id < entry.id);
        ahead += ready && other.way == entry.way && before ? 1 : 0;
    });
    return ahead;
}

std::string Desk::why_ready(const spool::QueueEntry& entry) const {
    const base::MonoTime now = parts_.clock.mono();
    const base::WallTime wall = parts_.clock.wall();
    if (const Picker::Wait* const wait = parts_.picker.held(entry.account))
        return explain::limit(wait->reason, wait->until, wall);
    std::string text;
    for (const PortIndex index : parts_.switchboard.ways().ports(entry.way)) {
        const UpstreamView view = explain::upstream(*parts_.ports[index], now, wall);
        if (!text.empty()) text += "; ";
        text += explain::why_waits_at(view, wall);
    }
    return text + explain::ahead(ahead_of(entry));
}

std::string Desk::reason_of(const spool::QueueEntry& entry, Handle handle,
                            const spool::StoredMessage& stored) const {
    const base::WallTime wall = parts_.clock.wall();
    for (const auto& port : parts_.ports)
        for (const Port::Running& running : port->running())
            if (running.handle == handle)
                return explain::sending(port->destination().name, running.since);
    switch (entry.state) {
        case spool::QueueState::waiting: {
            const Share share = parts_.partings.share(entry.id, handle);
            return explain::waiting(entry, stored, share, wall);
        }
        case spool::QueueState::overdue: return "a report about it is being made";
        case spool::QueueState::in_flight: return "another part of it is being dealt with";
        case spool::QueueState::fresh:
        case spool::QueueState::returned:
        case spool::QueueState::gone: break;
    }
    return why_ready(entry);
}

}  // namespace outpost::delivery

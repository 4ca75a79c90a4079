#include "delivery/desk.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "delivery/desk_search.hpp"
#include "delivery/explain.hpp"
#include "delivery/slices.hpp"

namespace outpost::delivery {

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
        UpstreamView& view = views[row.way];
        (row.held ? view.limited : view.ready) += row.ready;
        view.waiting += row.waiting;
        auto& accounts = view.limited_accounts;
        if (row.held && row.ready > 0 && std::ranges::find(accounts, row.account) == accounts.end())
            accounts.emplace_back(row.account);
    }
    return views;
}

Port* Desk::port(std::string_view name) const {
    for (const auto& port : parts_.ports)
        if (port->destination().name == name) return port.get();
    return nullptr;
}

Desk::awaitable<std::expected<QueueChanged, std::string>> Desk::change(MessageFilter filter,
                                                                       QueueChange change) {
    if (const auto heir = parts_.heir())
        co_return co_await heir->change(std::move(filter), std::move(change));
    std::optional<WayIndex> to;
    if (change.what == QueueChange::What::move) {
        to = parts_.switchboard.ways().find(change.to);
        if (!to) co_return std::unexpected("there is no upstream or group " + change.to);
    }
    co_await parts_.settled();
    Search search(all(), filter);
    co_await search.gather();
    // What was handed on meanwhile may have been met nowhere.
    if (const auto heir = parts_.heir())
        co_return co_await heir->change(std::move(filter), std::move(change));
    QueueChanged changed;
    for (const auto id : search.absent())
        changed.skipped.push_back({id, QueueChanged::Why::absent});
    MessageFilter handed_on;
    Slices slices(messages_a_slice);
    while (const auto found = co_await search.next()) {
        Desk& desk = search.desk(*found);
        const auto why_not = desk.why_not(*found, change, to);
        if (parts_.heir() && why_not != QueueChanged::Why::sending) {
            handed_on.ids.push_back(found->id);
        } else if (why_not) {
            changed.skipped.push_back({found->id, *why_not});
        } else if (change.dry_run || co_await apply(*found, change, to)) {
            changed.done.push_back(found->id);
        } else {
            changed.skipped.push_back({found->id, QueueChanged::Why::busy});
        }
        if (change.dry_run || !slices.full()) continue;
        parts_.pump();
        co_await Slices::turn();
    }
    if (!change.dry_run) parts_.pump();
    if (handed_on.ids.empty()) co_return changed;
    // A reload came in between.
    const std::vector<base::MessageId> ids = handed_on.ids;
    auto rest = co_await parts_.heir()->change(std::move(handed_on), std::move(change));
    if (!rest) {
        // There is no such way any more; what is done is done.
        for (const auto id : ids) changed.skipped.push_back({id, QueueChanged::Why::busy});
        co_return changed;
    }
    changed.done.insert(changed.done.end(), rest->done.begin(), rest->done.end());
    for (QueueChanged::Skipped one : rest->skipped) {
        // It was there when this began.
        if (one.why == QueueChanged::Why::absent) one.why = QueueChanged::Why::gone;
        changed.skipped.push_back(one);
    }
    co_return changed;
}

std::optional<QueueChanged::Why> Desk::why_not(const Found& found, const QueueChange& change,
                                               std::optional<WayIndex> to) const {
    using enum QueueChanged::Why;
    if (!parts_.queue.holds(found.handle, found.id)) return gone;
    if (attempt(found.handle)) return sending;
    const spool::QueueEntry entry = parts_.queue.entry(found.handle);
    const spool::QueueState state = entry.state;
    const bool at_hand = state == spool::QueueState::fresh ||
                         state == spool::QueueState::returned ||
                         state == spool::QueueState::waiting;
    // An earlier dispatcher has only what it is dealing with.
    if (!at_hand || parts_.partings.busy(found.id) || parts_.heir()) return busy;
    if (Desk::already(entry, change, to)) return already;
    return std::nullopt;
}

/// Then nothing is stored or written into the history.
bool Desk::already(const spool::QueueEntry& entry, const QueueChange& change,
                   std::optional<WayIndex> to) {
    using enum QueueChange::What;
    const bool held =
        entry.state == spool::QueueState::waiting && entry.next_attempt == base::WallTime::max();
    switch (change.what) {
        case hold: return held;
        case release: return !held;
        case move: return entry.moved && entry.way == to;
        case priority: return entry.priority == change.level;
        case retry:
        case cancel: break;
    }
    return false;
}

Desk::awaitable<bool> Desk::apply(Found found, const QueueChange& change,
                                  std::optional<WayIndex> to) {
    using enum QueueChange::What;
    if (!parts_.queue.holds(found.handle, found.id)) co_return false;
    const spool::QueueEntry entry = parts_.queue.entry(found.handle);
    if (!parts_.queue.claim(found.handle)) co_return false;
    if (!parts_.partings.begin(found.id, found.handle)) co_return false;
    parts_.begun();
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
    if (Port* const found = port(name)) {
        found->pause(std::move(pause));
        return true;
    }
    const auto elsewhere = parts_.paused_elsewhere.find(name);
    if (elsewhere == parts_.paused_elsewhere.end()) return false;
    elsewhere->second.reason = std::move(pause.reason);
    return true;
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

Desk::awaitable<std::optional<LoginTest>> Desk::test(std::string_view name) {
    Port* const found = port(name);
    if (found == nullptr) co_return std::nullopt;
    const auto answer = co_await found->destination().transport->probe();
    LoginTest test;
    if (!answer) test.error = answer.error();
    if (answer && !parts_.heir() && found->signed_in(parts_.clock.mono())) {
        test.ended_suspension = true;
        parts_.pump();
    }
    test.state = explain::upstream(*found, parts_.clock.mono(), parts_.clock.wall()).state;
    co_return test;
}

Desk::awaitable<std::optional<TestReport>> Desk::send_test(std::string name, TestRequest request) {
    Port* const found = port(name);
    if (found == nullptr) co_return std::nullopt;
    co_return co_await parts_.tests.send(*found, std::move(request));
}

}  // namespace outpost::delivery

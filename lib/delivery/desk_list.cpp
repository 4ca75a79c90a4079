#include <algorithm>
#include <utility>

#include "delivery/desk.hpp"
#include "delivery/desk_search.hpp"
#include "delivery/explain.hpp"
#include "delivery/slices.hpp"

/// Messages as operators see them, and why each is not out yet.
namespace outpost::delivery {
namespace {

constexpr std::string_view limited = "limited";

}  // namespace

Desk::awaitable<std::optional<base::WallTime>> Desk::oldest() {
    std::optional<base::MessageId> least;
    for (const auto& desk : all())
        co_await desk->scan([&](Handle, const spool::QueueEntry& entry) {
            if (!least || entry.id < *least) least = entry.id;
        });
    if (!least) co_return std::nullopt;
    co_return least->time();
}

Desk::awaitable<std::vector<MessageView>> Desk::list(MessageFilter filter, std::size_t most) {
    Search search(all(), std::move(filter));
    co_await search.gather();
    std::vector<MessageView> views;
    std::vector<Place> places;
    std::vector<std::size_t> of;  ///< which view each place is of
    Slices slices(messages_a_slice);
    while (views.size() < most) {
        const auto found = co_await search.next();
        if (!found) break;
        if (slices.full()) co_await Slices::turn();
        auto one = co_await search.desk(*found).view(*found);
        if (!one) continue;
        if (one->place) {
            places.push_back(*one->place);
            of.push_back(views.size());
        }
        views.push_back(std::move(one->view));
    }
    if (!places.empty()) co_await add_ahead(views, std::move(places), of);
    co_return views;
}

Desk::awaitable<std::vector<MessageView>> Desk::show(base::MessageId id) {
    MessageFilter filter;
    filter.ids.push_back(id);
    co_return co_await list(std::move(filter), parts_.ports.size() + 1);
}

Desk::awaitable<void> Desk::add_ahead(std::vector<MessageView>& views, std::vector<Place> places,
                                      const std::vector<std::size_t>& of) {
    PlacesInLine line(std::move(places));
    co_await scan([&](Handle, const spool::QueueEntry& entry) {
        line.look(entry, parts_.queue.account_held(entry.account));
    });
    const auto ahead = line.ahead();
    for (std::size_t i = 0; i < of.size(); ++i) {
        MessageView& view = views[of[i]];
        const bool of_account = view.state == limited;
        view.reason += explain::ahead(ahead[i], of_account ? view.account : std::string_view());
    }
}

Desk::awaitable<std::optional<Desk::Unfinished>> Desk::view(Found found) {
    const auto stored = co_await parts_.spool.read(found.id);
    // It may have gone out meanwhile.
    if (!stored || !parts_.queue.holds(found.handle, found.id)) co_return std::nullopt;
    const spool::QueueEntry entry = parts_.queue.entry(found.handle);
    const Share share = parts_.partings.share(entry.id, found.handle);
    MessageView view{.id = entry.id,
                     .account = stored->envelope.account,
                     .sender = stored->envelope.reverse_path,
                     .recipients = {},
                     .priority = entry.priority,
                     .state = std::string(state_of(entry)),
                     .way = std::string(parts_.switchboard.ways().name(entry.way)),
                     .reason = reason_of(entry, found.handle, *stored),
                     .received = stored->envelope.received,
                     .size = entry.size,
                     .attempts = entry.attempts};
    if (view.state == "waiting") view.next_attempt = entry.next_attempt;
    for (std::size_t i = 0; i < stored->state.recipients.size(); ++i)
        if (stored->state.recipients[i].status == spool::RecipientStatus::pending && share.has(i))
            view.recipients.push_back(stored->envelope.recipients[i].address);
    Unfinished one{.view = std::move(view), .place = {}};
    const bool ready = one.view.state == "ready";
    if (ready || one.view.state == limited)
        one.place = Place{.way = entry.way,
                          .priority = entry.priority,
                          .id = entry.id,
                          .held_account = ready ? std::nullopt : std::optional(entry.account)};
    co_return one;
}

std::string_view Desk::state_of(const spool::QueueEntry& entry) const {
    switch (entry.state) {
        case spool::QueueState::waiting:
            return entry.next_attempt == base::WallTime::max() ? "held" : "waiting";
        case spool::QueueState::overdue: return "reporting";
        case spool::QueueState::in_flight: return "sending";
        case spool::QueueState::fresh:
        case spool::QueueState::returned:
        case spool::QueueState::gone: break;
    }
    return parts_.queue.account_held(entry.account) ? limited : "ready";
}

std::string Desk::why_ready(const spool::QueueEntry& entry) const {
    const base::MonoTime now = parts_.clock.mono();
    const base::WallTime wall = parts_.clock.wall();
    if (const Picker::Wait* const wait = parts_.picker.held(entry.account))
        return explain::account_wait(*wait, wall);
    std::string text;
    for (const PortIndex index : parts_.switchboard.ways().ports(entry.way)) {
        UpstreamView view = explain::upstream(*parts_.ports[index], now, wall);
        view.limits = parts_.picker.levels(index);
        if (!text.empty()) text += "; ";
        text += explain::why_waits_at(view, wall);
    }
    return text;
}

std::optional<Desk::Attempt> Desk::attempt(Handle handle) const {
    for (const auto& port : parts_.ports)
        for (const Port::Running& running : port->running())
            if (running.handle == handle) return Attempt{port->destination().name, running.since};
    return std::nullopt;
}

std::string Desk::reason_of(const spool::QueueEntry& entry, Handle handle,
                            const spool::StoredMessage& stored) const {
    if (const auto under_way = attempt(handle))
        return explain::sending(under_way->upstream, under_way->since, parts_.heir() != nullptr);
    switch (entry.state) {
        case spool::QueueState::waiting:
            return explain::waiting(entry, stored, parts_.partings.share(entry.id, handle),
                                    parts_.clock.wall());
        case spool::QueueState::overdue: return "a report about it is being made";
        case spool::QueueState::in_flight: return "another part of it is being dealt with";
        case spool::QueueState::fresh:
        case spool::QueueState::returned:
        case spool::QueueState::gone: break;
    }
    return why_ready(entry);
}

}  // namespace outpost::delivery

#include "delivery/intake.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "message/header_reader.hpp"

namespace outpost::delivery {
namespace {

namespace asio = boost::asio;

/// Mail whose time ran out while the daemon was down is tried once more before it is given up.
constexpr std::chrono::minutes respite{5};
/// Envelopes are read by so many at once.
constexpr std::size_t most_readers = 8;

/// The most urgent one of the pending recipients. `own`: of those to whom the operator has given
/// none.
std::uint8_t priority_of(const spool::MessageState& state, const Share& share, std::uint8_t own) {
    std::optional<std::uint8_t> most;
    for (std::size_t i = 0; i < state.recipients.size(); ++i) {
        const spool::RecipientState& recipient = state.recipients[i];
        if (recipient.status != spool::RecipientStatus::pending || !share.has(i)) continue;
        const std::uint8_t each = recipient.priority != 0 ? recipient.priority : own;
        most = std::min(most.value_or(each), each);
    }
    return most.value_or(own);
}

/// Of the message: recipients that are pending, and how they stand. `own`: see priority_of.
Incoming share_of(const Incoming& incoming, const spool::MessageState& state, const Share& share,
                  std::uint8_t own) {
    Incoming result = incoming;
    result.untried.reset();
    spool::Summary& summary = result.summary;
    summary.recipients = 0;
    summary.attempts = 0;
    summary.next_attempt = base::WallTime::max();
    summary.priority = priority_of(state, share, own);
    summary.decided = false;
    for (std::size_t i = 0; i < state.recipients.size(); ++i) {
        const spool::RecipientState& recipient = state.recipients[i];
        if (recipient.status != spool::RecipientStatus::pending || !share.has(i)) continue;
        ++summary.recipients;
        summary.attempts = std::max(summary.attempts, recipient.attempts);
        summary.next_attempt = std::min(summary.next_attempt, recipient.next_attempt);
        summary.decided = summary.decided || !recipient.moved_to.empty();
    }
    return result;
}

}  // namespace

Intake::Intake(Parts parts, const config::Config& config, const Ways& ways)
    : parts_(std::move(parts)), ways_(ways), router_(config, ways) {}

void Intake::add(const Incoming& incoming) {
    const spool::Summary& summary = incoming.summary;
    const bool report = summary.account.empty();
    if (summary.decided) {
        read_later(incoming);
    } else if (const auto way =
                   report ? router_.reports() : router_.route(summary.account, summary.priority)) {
        enter(incoming, *way);
    } else if (report || router_.knows(summary.account)) {
        read_later(incoming);
    } else {
        no_route(incoming, summary.account);
    }
}

void Intake::replace(Router router) {
    router_ = std::move(router);
    unrouted_.clear();
    for (const Incoming& incoming : std::exchange(homeless_, {})) add(incoming);
}

spool::Queue::Handle Intake::enter(const Incoming& incoming, WayIndex way) {
    const spool::Summary& summary = incoming.summary;
    const bool held = summary.next_attempt == base::WallTime::max();
    const auto deadline = [&] {
        if (held) return base::WallTime::max();
        if (incoming.deadline) return *incoming.deadline;
        const RetryPolicy& policy = parts_.policy;
        return summary.received < started_
                   ? policy.deadline_after_pause(summary.lifetime, summary.delay_notified, started_,
                                                 respite)
                   : policy.deadline(summary.lifetime, summary.delay_notified);
    };
    // Of several recipients whose attempts differ some may never have been tried.
    const bool untried = summary.attempts == 0 || summary.recipients > 1;
    const auto handle =
        parts_.queue.add({.id = summary.id,
                          .account = summary.account,
                          .recipients = summary.recipients,
                          .untried = incoming.untried.value_or(untried ? summary.recipients : 0),
                          .size = summary.size,
                          .priority = summary.priority,
                          .attempts = summary.attempts,
                          .moved = summary.decided,
                          .next_attempt = summary.next_attempt,
                          .deadline = deadline()},
                         way, parts_.clock.wall());
    parts_.entered(handle);
    return handle;
}

void Intake::read_later(const Incoming& incoming) {
    unread_.push_back(incoming);
    if (readers_ == most_readers) return;
    ++readers_;
    parts_.launch(read_all());
}

asio::awaitable<void> Intake::read_all() {
    while (!unread_.empty() && !stopping_) {
        const Incoming incoming = std::move(unread_.front());
        unread_.pop_front();
        co_await read(incoming);
    }
    --readers_;
    parts_.entered_late();
}

std::vector<Incoming> Intake::take_unread() {
    std::vector<Incoming> all;
    for (Incoming& incoming : unread_) all.push_back(std::move(incoming));
    for (Later& later : later_) all.push_back(std::move(later.incoming));
    all.insert(all.end(), homeless_.begin(), homeless_.end());
    homeless_.clear();
    unread_.clear();
    later_.clear();
    return all;
}

asio::awaitable<void> Intake::read(const Incoming& incoming) {
    const spool::Summary& summary = incoming.summary;
    if (summary.decided) {
        if (const auto way = co_await moved_as_a_whole(summary)) {
            enter(incoming, *way);
            co_return;
        }
    }
    auto stored = co_await parts_.spool.read(summary.id);
    if (!stored) co_return unreadable(incoming, stored.error());
    // A report takes the way of the message that it is about, whose account its envelope names.
    const bool report = summary.account.empty();
    const std::string& account = report ? stored->envelope.client : summary.account;
    std::string octets;
    if (router_.reads_header() && !co_await read_header(*stored->body, octets))
        co_return unreadable(incoming, {.reason = "its header section cannot be read"});
    if (!router_.knows(account) && !(report && router_.reports()))
        co_return no_route(incoming, account);
    const std::uint8_t own = std::exchange(stored->envelope.priority, summary.priority);
    if (summary.decided) stored->envelope.priority = priority_of(stored->state, {}, own);
    auto ways = report && router_.reports()
                    ? std::vector(stored->envelope.recipients.size(), *router_.reports())
                    : router_.routes(account, stored->envelope, message::read_header(octets));
    move(ways, stored->state);
    if (std::ranges::adjacent_find(ways, std::not_equal_to<>()) == ways.end()) {
        Incoming whole = incoming;
        whole.summary.priority = stored->envelope.priority;
        enter(whole, ways.front());
    } else {
        part(incoming, *stored, ways, own);
    }
}

/// The way on which the operator has put all that is pending; nothing if the message itself has to
/// be looked at.
asio::awaitable<std::optional<WayIndex>> Intake::moved_as_a_whole(const spool::Summary& summary) {
    if (!summary.account.empty() && !router_.knows(summary.account)) co_return std::nullopt;
    const auto stored = co_await parts_.spool.stored_state(summary.id);
    if (!stored || !*stored) co_return std::nullopt;
    const spool::RecipientState* first = nullptr;
    for (const spool::RecipientState& each : (*stored)->recipients) {
        if (each.status != spool::RecipientStatus::pending) continue;
        if (first == nullptr) first = &each;
        if (each.moved_to != first->moved_to || each.priority != first->priority)
            co_return std::nullopt;
    }
    if (first == nullptr) co_return std::nullopt;
    co_return ways_.find(first->moved_to);
}

/// Onto the ways that the operator wants, as far as they still exist.
void Intake::move(std::vector<WayIndex>& ways, const spool::MessageState& state) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
        const spool::RecipientState& recipient = state.recipients[i];
        if (recipient.moved_to.empty() || recipient.status != spool::RecipientStatus::pending)
            continue;
        if (const auto way = ways_.find(recipient.moved_to)) {
            ways[i] = *way;
        } else if (gone_.insert(recipient.moved_to).second) {
            base::log::warning("moved mail is routed anew",
                               {{"to", recipient.moved_to},
                                {"reason", "there is no upstream or group of that name any more"}});
        }
    }
}

asio::awaitable<bool> Intake::read_header(spool::BodySource& body, std::string& octets) {
    for (;;) {
        const auto piece = co_await body.next();
        if (!piece) co_return false;
        octets += *piece;
        if (piece->empty() || message::read_header(octets).ended) co_return true;
    }
}

void Intake::part(const Incoming& incoming, const spool::StoredMessage& stored,
                  const std::vector<WayIndex>& ways, std::uint8_t own_priority) {
    std::vector<WayIndex> each = ways;
    std::ranges::sort(each);
    each.erase(std::ranges::unique(each).begin(), each.end());
    const base::MessageId id = incoming.summary.id;
    parts_.partings.add(id, ways);
    for (const WayIndex way : each) {
        const auto share = share_of(incoming, stored.state, {&ways, way}, own_priority);
        if (share.summary.recipients > 0) parts_.partings.add_entry(id, enter(share, way), way);
    }
}

void Intake::unreadable(const Incoming& incoming, const spool::ReadFailure& failure) {
    base::log::error(failure.damaged ? "damaged" : "unreadable",
                     {{"id", incoming.summary.id.text()},
                      {"reason", failure.reason},
                      {"result", failure.damaged ? "set aside, not delivered; see docs/spool.md"
                                                 : "its route is not known; read again later"}});
    if (!failure.damaged) later_.push_back({parts_.clock.wall() + own_fault_wait, incoming});
}

void Intake::retry(base::WallTime now) {
    while (!later_.empty() && later_.front().at <= now) {
        const Incoming incoming = std::move(later_.front().incoming);
        later_.pop_front();
        read_later(incoming);
    }
}

void Intake::no_route(const Incoming& incoming, const std::string& account) {
    homeless_.push_back(incoming);
    if (!unrouted_.insert(account).second) return;
    base::log::error("no route", {{"account", account},
                                  {"result",
                                   "its mail stays in the spool; configure the account again to "
                                   "send it"}});
}

}  // namespace outpost::delivery

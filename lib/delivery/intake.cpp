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

/// Of the message: recipients that are pending, and how they stand.
spool::Summary share_of(const spool::Summary& summary, const spool::MessageState& state,
                        const Share& share) {
    spool::Summary result = summary;
    result.recipients = 0;
    result.attempts = 0;
    result.next_attempt = base::WallTime::max();
    for (std::size_t i = 0; i < state.recipients.size(); ++i) {
        const spool::RecipientState& recipient = state.recipients[i];
        if (recipient.status != spool::RecipientStatus::pending || !share.has(i)) continue;
        ++result.recipients;
        result.attempts = std::max(result.attempts, recipient.attempts);
        result.next_attempt = std::min(result.next_attempt, recipient.next_attempt);
    }
    return result;
}

}  // namespace

Intake::Intake(Parts parts, const config::Config& config, const Ways& ways)
    : parts_(std::move(parts)), router_(config, ways) {}

void Intake::add(const spool::Summary& summary) {
    const bool report = summary.account.empty();
    if (const auto way =
            report ? router_.reports() : router_.route(summary.account, summary.priority)) {
        enter(summary, *way);
    } else if (report || router_.knows(summary.account)) {
        read_later(summary);
    } else {
        no_route(summary.account);
    }
}

spool::Queue::Handle Intake::enter(const spool::Summary& summary, WayIndex way) {
    const bool held = summary.next_attempt == base::WallTime::max();
    const base::WallTime deadline =
        held ? base::WallTime::max()
        : summary.received < started_
            ? parts_.policy.deadline_after_pause(summary.lifetime, summary.delay_notified, started_,
                                                 respite)
            : parts_.policy.deadline(summary.lifetime, summary.delay_notified);
    // Of several recipients whose attempts differ some may never have been tried.
    const bool untried = summary.attempts == 0 || summary.recipients > 1;
    const auto handle = parts_.queue.add({.id = summary.id,
                                          .account = summary.account,
                                          .recipients = summary.recipients,
                                          .untried = untried ? summary.recipients : 0,
                                          .size = summary.size,
                                          .priority = summary.priority,
                                          .attempts = summary.attempts,
                                          .next_attempt = summary.next_attempt,
                                          .deadline = deadline},
                                         way, parts_.clock.wall());
    parts_.entered(handle);
    return handle;
}

void Intake::read_later(const spool::Summary& summary) {
    unread_.push_back(summary);
    if (readers_ == most_readers) return;
    ++readers_;
    parts_.launch(read_all());
}

asio::awaitable<void> Intake::read_all() {
    while (!unread_.empty() && !stopping_) {
        const spool::Summary summary = std::move(unread_.front());
        unread_.pop_front();
        co_await read(summary);
    }
    --readers_;
    if (!stopping_) parts_.entered_late();
}

asio::awaitable<void> Intake::read(const spool::Summary& summary) {
    auto stored = co_await parts_.spool.read(summary.id);
    if (!stored) co_return unreadable(summary, stored.error());
    // A report takes the way of the message that it is about, whose account its envelope names.
    const std::string& account =
        summary.account.empty() ? stored->envelope.client : summary.account;
    std::string octets;
    if (router_.reads_header() && !co_await read_header(*stored->body, octets))
        co_return unreadable(summary, {.reason = "its header section cannot be read"});
    if (!router_.knows(account)) co_return no_route(account);
    auto ways = router_.routes(account, stored->envelope, message::read_header(octets));
    if (std::ranges::adjacent_find(ways, std::not_equal_to<>()) == ways.end()) {
        enter(summary, ways.front());
    } else {
        part(summary, *stored, std::move(ways));
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

void Intake::part(const spool::Summary& summary, const spool::StoredMessage& stored,
                  std::vector<WayIndex> ways) {
    std::vector<WayIndex> each = ways;
    std::ranges::sort(each);
    each.erase(std::ranges::unique(each).begin(), each.end());
    parts_.partings.add(summary.id, std::move(ways));
    for (const WayIndex way : each) {
        const auto share = share_of(summary, stored.state, parts_.partings.share(summary.id, way));
        if (share.recipients > 0) parts_.partings.add_entry(summary.id, enter(share, way));
    }
}

void Intake::unreadable(const spool::Summary& summary, const spool::ReadFailure& failure) {
    base::log::error(failure.damaged ? "damaged" : "unreadable",
                     {{"id", summary.id.text()},
                      {"reason", failure.reason},
                      {"result", failure.damaged ? "set aside, not delivered; see docs/spool.md"
                                                 : "its route is not known; read again later"}});
    if (!failure.damaged) later_.push_back({parts_.clock.wall() + own_fault_wait, summary});
}

void Intake::retry(base::WallTime now) {
    while (!later_.empty() && later_.front().at <= now) {
        const spool::Summary summary = std::move(later_.front().summary);
        later_.pop_front();
        read_later(summary);
    }
}

void Intake::no_route(const std::string& account) {
    if (!unrouted_.insert(account).second) return;
    base::log::error("no route", {{"account", account},
                                  {"result",
                                   "its mail stays in the spool; configure the account again and "
                                   "restart to send it"}});
}

}  // namespace outpost::delivery

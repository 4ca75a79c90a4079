#include "delivery/picker.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/log.hpp"

namespace outpost::delivery {
namespace {

using std::chrono::milliseconds;

/// A lease that does not come (its store fails) is asked for again after this.
constexpr std::chrono::seconds lease_wait{10};
/// A message larger than any limit lets through is looked at again after a while: limits change.
constexpr std::chrono::hours aside{1};
/// Shorter waits are the daily business of a rate, not news.
constexpr std::chrono::minutes noteworthy{1};
constexpr std::chrono::minutes silence{10};

base::WallTime ask_again(const Denial& denial, base::WallTime now) {
    const base::WallTime until =
        denial.lease ? std::min(denial.until, now + lease_wait) : denial.until;
    return std::max(until, now + milliseconds(1));
}

Picker::Wait wait_of(const Denial& denial, const spool::QueueEntry& entry, base::WallTime until) {
    return {.until = until,
            .reason = denial.reason,
            .priority = entry.priority,
            .brief = denial.lease.has_value(),
            .hours = denial.hours,
            .kept_for = denial.kept_for};
}

}  // namespace

Picker::Picker(Parts parts, const config::Config& config)
    : executor_(std::move(parts.executor)),
      queue_(parts.queue),
      limiter_(parts.limiter),
      clock_(parts.clock),
      permits_(parts.limiter, parts.clock, config),
      again_(std::make_shared<std::function<void()>>(std::move(parts.again))) {
    set_weights(config);
    turns_.resize(config.upstreams.size());
    set_shares(config);
}

void Picker::set_weights(const config::Config& config) {
    for (const auto& [name, account] : config.accounts) {
        if (account.weight == 1 && !weighted_.contains(name)) continue;
        weighted_.insert(name);
        queue_.set_weight(name, account.weight);
    }
}

void Picker::replace(const config::Config& config, Permits::Accounts accounts) {
    permits_.replace(std::move(accounts));
    set_weights(config);
    queue_.release_all_accounts();
}

/// A group's mail is shared out as its first upstream's own is.
void Picker::set_shares(const config::Config& config) {
    const Ways ways(config);
    for (const auto& [name, upstream] : config.upstreams)
        if (upstream.priority == config::PriorityOrder::weighted)
            queue_.set_shares(*ways.find(name), upstream.share);
    for (std::size_t i = 0; i < ways.groups().size(); ++i) {
        const Ways::Group& group = ways.groups()[i];
        const auto& first =
            config.upstreams.at(config.groups.at(group.name).members.front().upstream);
        if (first.priority != config::PriorityOrder::weighted) continue;
        queue_.set_shares(group.way, first.share);
        for (std::size_t member = 0; member < group.members.size(); ++member)
            queue_.set_shares(ways.kept(i, member), first.share);
    }
}

std::optional<Picker::Front> Picker::front(PortIndex port, std::span<const Lane> lanes,
                                           base::WallTime now, std::uint8_t lowest) {
    std::optional<Front> best;
    std::uint8_t priority = 0;
    std::uint64_t start = 0;
    Turns& turns = turns_[port];
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        const auto handle = queue_.front(lanes[i].way, now, lowest);
        if (!handle) continue;
        if (lanes.size() == 1) return Front{*handle, i};
        const spool::QueueEntry& entry = queue_.entry(*handle);
        if ((entry.refusals.members & lanes[i].member) != 0) continue;
        const std::uint64_t turn = std::max(turns.served[lanes[i].way], turns.last);
        if (best && std::pair(priority, start) <= std::pair(entry.priority, turn)) continue;
        best = Front{*handle, i};
        priority = entry.priority;
        start = turn;
    }
    return best;
}

Picker::Result Picker::next(PortIndex port, std::span<const Lane> lanes) {
    const base::WallTime now = clock_.wall();
    std::uint8_t lowest = spool::queue_priorities;
    std::optional<Wait> wait;
    while (const auto found = front(port, lanes, now, lowest)) {
        const spool::Queue::Handle handle = found->handle;
        const spool::QueueEntry entry = queue_.entry(handle);
        auto permit = permits_.acquire(entry, queue_.account_name(entry.account), port);
        if (permit) {
            queue_.take(handle, permit->recipients);
            if (lanes.size() > 1) {
                Turns& turns = turns_[port];
                std::uint64_t& served = turns.served[entry.way];
                turns.last = std::max(served, turns.last);
                served = turns.last + permit->recipients;
            }
            return {.pick = Pick{handle, std::move(*permit)}, .unfit = {}, .wait = {}};
        }
        const Denial& denial = permit.error();
        note(denial);
        if (denial.whose == Denial::Whose::message) {
            queue_.take(handle, 0);
            return {.pick = {}, .unfit = Unfit{handle, denial.reason}, .wait = {}};
        }
        if (denial.whose == Denial::Whose::account) {
            hold_account(entry, denial);
        } else {
            const base::WallTime until = ask_again(denial, now);
            if (!wait || until < wait->until) wait = wait_of(denial, entry, until);
            // One that may use the reserve waits too: nothing is left of that.
            if (denial.kept_for == 0) wait->kept_for = 0;
            if (denial.lease) wait_for(*denial.lease, std::nullopt);
            // By weight, mail that may use the upstream's reserve can stand behind mail that may
            // not.
            if (entry.priority == 1) break;
            lowest = entry.priority - 1;
        }
    }
    return {.pick = {}, .unfit = {}, .wait = std::move(wait)};
}

bool Picker::settle(std::uint32_t account, const Permit& permit, const SentPart& sent) {
    permits_.settle(permit, sent);
    if (!queue_.account_held(account)) return false;
    queue_.release_account(account);
    return true;
}

void Picker::arrived(const spool::QueueEntry& entry) {
    const Wait* const wait = held(entry.account);
    if (wait != nullptr && entry.priority < wait->priority) queue_.release_account(entry.account);
}

const Picker::Wait* Picker::held(std::uint32_t account) const {
    if (!queue_.account_held(account)) return nullptr;
    const auto found = holds_.find(account);
    return found == holds_.end() ? nullptr : &found->second;
}

void Picker::hold_account(const spool::QueueEntry& entry, const Denial& denial) {
    const base::WallTime now = clock_.wall();
    if (denial.lease) wait_for(*denial.lease, entry.account);
    const base::WallTime until = ask_again(denial, now);
    holds_[entry.account] = wait_of(denial, entry, until);
    queue_.hold_account(entry.account, until);
}

void Picker::set_aside(const Unfit& unfit) {
    const spool::QueueEntry entry = queue_.entry(unfit.handle);
    const base::WallTime now = clock_.wall();
    base::log::warning("too large for a limit",
                       {{"id", entry.id.text()},
                        {"size", entry.size},
                        {"limit", unfit.reason},
                        {"result", "it waits; raise the limit, or it expires"}});
    spool::Requeue later = spool::unchanged(entry);
    later.next_attempt = now + aside;
    queue_.requeue(unfit.handle, later, now);
}

void Picker::wait_for(limit::Limiter::Id lease, std::optional<std::uint32_t> account) {
    if (!awaited_.emplace(lease, account).second) return;
    limiter_.when_leased(
        lease, [this, lease, account, executor = executor_, alive = std::weak_ptr(again_)] {
            boost::asio::post(executor, [this, lease, account, alive] {
                const auto again = alive.lock();
                if (!again) return;
                awaited_.erase({lease, account});
                if (account) queue_.release_account(*account);
                (*again)();
            });
        });
}

void Picker::note(const Denial& denial) {
    const base::WallTime now = clock_.wall();
    const bool news = denial.until >= now + noteworthy && denial.until != base::WallTime::max();
    if (!news || denial.whose == Denial::Whose::message) return;
    base::WallTime& silent_until = noted_[denial.reason];
    if (now < silent_until) return;
    silent_until = std::max(now + silence, std::min(denial.until, now + std::chrono::hours(1)));
    base::log::info("waiting", {{"for", denial.reason}, {"until", base::rfc3339(denial.until)}});
}

}  // namespace outpost::delivery

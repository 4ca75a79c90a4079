#include "delivery/permits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace outpost::delivery {
namespace {

using limit::Limiter;

limit::Usage usage(std::uint32_t recipients, std::uint64_t octets) {
    if (recipients == 0) return {};
    return {.recipients = recipients, .messages = 1, .octets = octets};
}

limit::Ask ask(std::uint32_t recipients, std::uint64_t octets, double held_back) {
    return {.recipients = recipients,
            .messages = 1,
            .octets = octets,
            .divisible = true,
            .held_back = held_back};
}

std::string_view word(Denial::Whose whose) {
    return whose == Denial::Whose::upstream ? "upstream" : "account";
}

}  // namespace

Permits::Permits(Limiter& limiter, const base::Clock& clock, const config::Config& config)
    : limiter_(limiter), clock_(clock) {
    for (const auto& [name, upstream] : config.upstreams)
        upstreams_.push_back({.name = name,
                              .counter = define(limiter, "upstream/" + name, upstream.limits),
                              .reserve = upstream.reserve});
    replace(define(limiter, config.accounts));
}

Permits::Accounts Permits::define(Limiter& limiter,
                                  const std::map<std::string, config::Account>& accounts) {
    Accounts result;
    for (const auto& [name, account] : accounts) {
        Account entry{.name = name, .rate = {}, .quota = {}, .hours = account.deliver};
        limit::Limits rates = account.limits;
        rates.quota = {};
        entry.rate = define(limiter, "account/" + name + "/rate", rates);
        const bool holds = account.when_exceeded == config::WhenExceeded::hold;
        if (holds && !account.limits.quota.empty())
            entry.quota = define(limiter, "account/" + name + "/quota",
                                 {.rates = {}, .smooth = false, .quota = account.limits.quota});
        if (entry.rate || entry.quota || entry.hours)
            result.limited_.emplace(name, std::move(entry));
    }
    return result;
}

void Permits::replace(Accounts accounts) {
    accounts_ = std::move(accounts.limited_);
}

std::optional<Permits::Counter> Permits::define(Limiter& limiter, const std::string& key,
                                                const limit::Limits& limits) {
    const auto id = limiter.define_limited(key, limits);
    if (!id) return std::nullopt;
    return Counter{.id = *id,
                   .transactions = std::ranges::any_of(limits.rates, [](const limit::Rate& rate) {
                       return rate.unit != limit::Unit::recipients;
                   })};
}

std::expected<Permit, Denial> Permits::acquire(const spool::QueueEntry& entry,
                                               std::string_view account, PortIndex port) {
    const auto found = accounts_.find(account);
    const Account* const limited = found == accounts_.end() ? nullptr : &found->second;
    if (limited != nullptr)
        if (auto denied = outside_hours(*limited)) return std::unexpected(std::move(*denied));
    const Barriers all = barriers(limited, entry, port);
    // First what all of them would grant together: what one gave and another denied would have to
    // go back, and by then it is part of a lease.
    const auto most = room(all, entry);
    if (!most) return std::unexpected(most.error());
    Permit permit{.recipients = *most, .octets = entry.size, .rates = {}, .quota = {}};
    for (const Barrier& barrier : all) {
        if (auto denied = take(barrier, entry.untried, permit)) {
            settle(permit, {});
            return std::unexpected(std::move(*denied));
        }
    }
    return permit;
}

void Permits::settle(const Permit& permit, const SentPart& sent) {
    const limit::Usage taken = usage(permit.recipients, permit.octets);
    for (const auto counter : permit.rates)
        limiter_.settle(counter, taken, usage(sent.recipients, permit.octets));
    if (permit.quota)
        limiter_.settle(*permit.quota, usage(permit.quota_recipients, permit.octets),
                        usage(sent.first_time, permit.octets));
}

std::vector<limit::Level> Permits::levels(PortIndex port) const {
    const auto& counter = upstreams_[port].counter;
    return counter ? limiter_.levels(counter->id) : std::vector<limit::Level>();
}

void Permits::add(std::vector<limit::LimitsInUse>& all,
                  const std::optional<Counter>& counter) const {
    if (counter) all.push_back({limiter_.limits(counter->id), limiter_.levels(counter->id)});
}

std::vector<limit::LimitsInUse> Permits::limits(PortIndex port) const {
    std::vector<limit::LimitsInUse> all;
    add(all, upstreams_[port].counter);
    return all;
}

std::optional<Permits::AccountLimits> Permits::limits(std::string_view account) const {
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return std::nullopt;
    AccountLimits result{.limits = {}, .hours = found->second.hours};
    add(result.limits, found->second.rate);
    add(result.limits, found->second.quota);
    return result;
}

std::optional<Denial> Permits::outside_hours(const Account& account) const {
    if (!account.hours) return std::nullopt;
    const base::WallTime now = clock_.wall();
    const base::WallTime open = account.hours->next_open(now);
    if (open <= now) return std::nullopt;
    return Denial{.whose = Denial::Whose::account,
                  .until = open,
                  .lease = {},
                  .reason = fmt::format("delivery hours {} of account {}", account.hours->text(),
                                        account.name),
                  .hours = true};
}

Permits::Barriers Permits::barriers(const Account* account, const spool::QueueEntry& entry,
                                    PortIndex port) const {
    Barriers all;
    if (account != nullptr) {
        const auto whose = Denial::Whose::account;
        if (account->rate) all.push_back({*account->rate, whose, account->name});
        if (account->quota && entry.untried > 0)
            all.push_back({*account->quota, whose, account->name, 0, 0, true});
    }
    const Upstream& upstream = upstreams_[port];
    if (upstream.counter) {
        const bool urgent = !upstream.reserve || entry.priority <= upstream.reserve->priority;
        all.push_back({*upstream.counter, Denial::Whose::upstream, upstream.name,
                       urgent ? 0 : upstream.reserve->share,
                       urgent ? std::uint8_t{0} : upstream.reserve->priority});
    }
    return all;
}

std::expected<std::uint32_t, Denial> Permits::room(const Barriers& barriers,
                                                   const spool::QueueEntry& entry) const {
    std::uint32_t most = entry.recipients;
    for (const Barrier& barrier : barriers) {
        const std::uint32_t wanted = barrier.once ? std::min(most, entry.untried) : most;
        const limit::Ask asked = ask(wanted, entry.size, barrier.held_back);
        const limit::Answer answer = limiter_.room(barrier.counter.id, asked);
        if (answer.recipients == 0) return std::unexpected(denial(barrier, asked, answer.wait));
        // Who among them was never tried is not known here: none but these, to be safe.
        if (answer.recipients < wanted) most = answer.recipients;
    }
    return most;
}

std::optional<Denial> Permits::take(const Barrier& barrier, std::uint32_t untried, Permit& permit) {
    const std::uint32_t wanted =
        barrier.once ? std::min(permit.recipients, untried) : permit.recipients;
    const limit::Ask asked = ask(wanted, permit.octets, barrier.held_back);
    const limit::Answer answer = limiter_.take(barrier.counter.id, asked);
    if (answer.recipients == 0) return denial(barrier, asked, answer.wait);
    if (answer.recipients < wanted) {
        // What the barriers before this one granted beyond it goes back.
        const limit::Usage unused{.recipients = permit.recipients - answer.recipients};
        for (const auto counter : permit.rates) limiter_.settle(counter, unused, {});
        permit.recipients = answer.recipients;
        if (permit.quota && permit.quota_recipients > permit.recipients)
            limiter_.settle(
                *permit.quota,
                {.recipients =
                     std::exchange(permit.quota_recipients, permit.recipients) - permit.recipients},
                {});
    }
    permit.one_transaction = permit.one_transaction || barrier.counter.transactions;
    if (barrier.once) {
        permit.quota = barrier.counter.id;
        permit.quota_recipients = answer.recipients;
    } else {
        permit.rates.push_back(barrier.counter.id);
    }
    return std::nullopt;
}

Denial Permits::denial(const Barrier& barrier, const limit::Ask& asked,
                       const limit::Wait& wait) const {
    limit::Ask urgent = asked;
    urgent.held_back = 0;
    const bool reserved =
        barrier.held_back > 0 && limiter_.room(barrier.counter.id, urgent).recipients > 0;
    const bool too_big = wait.what == limit::Wait::For::too_big;
    // With a time the store has failed or refused, and is asked again then.
    const bool lease = wait.what == limit::Wait::For::lease && wait.until == base::WallTime::max();
    return {.whose = too_big ? Denial::Whose::message : barrier.whose,
            .until = wait.until,
            .lease = lease ? std::optional(barrier.counter.id) : std::nullopt,
            .reason = fmt::format("{} of {} {}", limiter_.describe(barrier.counter.id, wait),
                                  word(barrier.whose), barrier.name),
            .kept_for = reserved ? barrier.kept_for : std::uint8_t{0}};
}

}  // namespace outpost::delivery

#include "delivery/permits.hpp"

#include <fmt/format.h>

#include <utility>

namespace outpost::delivery {
namespace {

using limit::Limiter;

limit::Usage usage(std::uint32_t recipients, std::uint64_t octets) {
    if (recipients == 0) return {};
    return {.recipients = recipients, .messages = 1, .octets = octets};
}

std::string_view word(Denial::Whose whose) {
    return whose == Denial::Whose::upstream ? "upstream" : "account";
}

}  // namespace

Permits::Permits(Limiter& limiter, const base::Clock& clock, const config::Config& config)
    : limiter_(limiter), clock_(clock) {
    for (const auto& [name, upstream] : config.upstreams) {
        auto& entry = upstreams_.emplace_back(
            Upstream{.name = name, .counter = std::nullopt, .reserve = upstream.reserve});
        if (!upstream.limits.empty())
            entry.counter = limiter_.define("upstream/" + name, upstream.limits);
    }
    for (const auto& [name, account] : config.accounts) {
        Account entry{.name = name, .rate = {}, .quota = {}, .hours = account.deliver};
        limit::Limits rates = account.limits;
        rates.quota = {};
        if (!rates.empty()) entry.rate = limiter_.define("account/" + name + "/rate", rates);
        const bool holds = account.when_exceeded == config::WhenExceeded::hold;
        if (holds && !account.limits.quota.empty())
            entry.quota =
                limiter_.define("account/" + name + "/quota",
                                {.rates = {}, .smooth = false, .quota = account.limits.quota});
        if (entry.rate || entry.quota || entry.hours) accounts_.emplace(name, std::move(entry));
    }
}

std::expected<Permit, Denial> Permits::acquire(const spool::QueueEntry& entry,
                                               std::string_view account) {
    Permit permit{.recipients = entry.recipients, .octets = entry.size, .rates = {}, .quota = {}};
    std::optional<Denial> denied;
    if (const auto found = accounts_.find(account); found != accounts_.end())
        denied = pass_account(found->second, permit);
    if (!denied) denied = pass_upstream(upstreams_[entry.upstream], entry.priority, permit);
    if (!denied) return permit;
    give_back(permit, usage(permit.recipients, permit.octets));
    return std::unexpected(std::move(*denied));
}

void Permits::settle(const Permit& permit, const SentPart& sent) {
    const limit::Usage taken = usage(permit.recipients, permit.octets);
    for (const auto counter : permit.rates)
        limiter_.settle(counter, taken, usage(sent.recipients, permit.octets));
    if (permit.quota) limiter_.settle(*permit.quota, taken, usage(sent.first_time, permit.octets));
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
                                        account.name)};
}

std::optional<Denial> Permits::pass_account(const Account& account, Permit& permit) {
    if (auto denied = outside_hours(account)) return denied;
    const auto whose = Denial::Whose::account;
    if (account.rate) {
        if (auto denied = pass({*account.rate, whose, account.name}, permit)) return denied;
        permit.rates.push_back(*account.rate);
    }
    if (account.quota) {
        if (auto denied = pass({*account.quota, whose, account.name}, permit)) return denied;
        permit.quota = account.quota;
    }
    return std::nullopt;
}

std::optional<Denial> Permits::pass_upstream(const Upstream& upstream, std::uint8_t priority,
                                             Permit& permit) {
    if (!upstream.counter) return std::nullopt;
    const bool urgent = !upstream.reserve || priority <= upstream.reserve->priority;
    auto denied = pass({*upstream.counter, Denial::Whose::upstream, upstream.name,
                        urgent ? 0 : upstream.reserve->share},
                       permit);
    if (!denied) permit.rates.push_back(*upstream.counter);
    return denied;
}

std::optional<Denial> Permits::pass(const Barrier& barrier, Permit& permit) {
    const limit::Answer answer = limiter_.take(barrier.counter, {.recipients = permit.recipients,
                                                                 .messages = 1,
                                                                 .octets = permit.octets,
                                                                 .divisible = true,
                                                                 .held_back = barrier.held_back});
    if (answer.recipients == 0) return denial(barrier, answer.wait);
    // What the barriers before this one granted beyond it goes back.
    give_back(permit, {.recipients = permit.recipients - answer.recipients});
    permit.recipients = answer.recipients;
    return std::nullopt;
}

Denial Permits::denial(const Barrier& barrier, const limit::Wait& wait) const {
    const bool too_big = wait.what == limit::Wait::For::too_big;
    // With a time the store has failed or refused, and is asked again then.
    const bool lease = wait.what == limit::Wait::For::lease && wait.until == base::WallTime::max();
    return {.whose = too_big ? Denial::Whose::message : barrier.whose,
            .until = wait.until,
            .lease = lease ? std::optional(barrier.counter) : std::nullopt,
            .reason = fmt::format("{} of {} {}", limiter_.describe(barrier.counter, wait),
                                  word(barrier.whose), barrier.name)};
}

void Permits::give_back(const Permit& permit, const limit::Usage& unused) {
    if (unused.empty()) return;
    for (const auto counter : permit.rates) limiter_.settle(counter, unused, {});
    if (permit.quota) limiter_.settle(*permit.quota, unused, {});
}

}  // namespace outpost::delivery

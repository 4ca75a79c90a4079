#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "delivery/desk.hpp"
#include "delivery/explain.hpp"
#include "delivery/workload.hpp"

/// How much waits where, and what binds it.
namespace outpost::delivery {
namespace {

bool held(const spool::QueueEntry& entry) {
    return entry.state == spool::QueueState::waiting && entry.next_attempt == base::WallTime::max();
}

/// What a forecast is about.
bool waits(const spool::QueueEntry& entry) {
    return entry.state != spool::QueueState::in_flight &&
           entry.state != spool::QueueState::overdue && !held(entry);
}

void count(const spool::QueueEntry& entry, bool limited, WayOutlook& shown) {
    const base::WallTime since = entry.id.time();
    shown.oldest = std::min(shown.oldest.value_or(since), since);
    if (held(entry)) {
        ++shown.held;
    } else if (!waits(entry)) {
        ++shown.in_flight;
    } else {
        if (entry.state == spool::QueueState::waiting)
            ++shown.waiting;
        else
            ++(limited ? shown.limited : shown.ready);
        shown.recipients += entry.recipients;
    }
}

void count(const spool::QueueEntry& entry, Demand& demand) {
    ++demand.messages;
    demand.recipients += entry.recipients;
    demand.octets += entry.size;
    if (entry.state == spool::QueueState::waiting)
        demand.not_before = std::max(demand.not_before, entry.next_attempt);
}

}  // namespace

Supply Desk::supply(Port& port) const {
    const base::MonoTime now = parts_.clock.mono();
    const base::WallTime wall = parts_.clock.wall();
    const UpstreamView view = explain::upstream(port, now, wall);
    Supply supply{.speed = port.throughput(now),
                  .limits = parts_.picker.permits().limits(port.index())};
    if (view.state == "throttled")
        supply.from = *view.next_try;
    else if (view.state != "open")
        supply.stopped = "while upstream " + view.name + " is " +
                         (view.state == "inactive" ? "not active" : view.state);
    return supply;
}

/// Those of a way's upstreams that would share its mail now.
std::vector<std::size_t> Desk::suppliers(WayIndex way, const std::vector<Supply>& supplies) const {
    const Ways& ways = parts_.switchboard.ways();
    const auto ports = ways.ports(way);
    std::vector<std::size_t> all(ports.begin(), ports.end());
    const auto group = ways.group_of(way);
    if (!group || ways.groups()[*group].strategy != config::Strategy::failover) return all;
    const auto works =
        std::ranges::find_if(all, [&](std::size_t port) { return supplies[port].stopped.empty(); });
    if (works == all.end()) return all;
    return {*works};
}

/// Those with limits or hours of their own. `demands`: by the queue's number of the account;
/// `index`: of each way in the workload.
std::vector<Workload::Account> Desk::limited_accounts(
    std::vector<Demand> demands, const std::map<std::string_view, std::size_t>& index) const {
    std::map<std::string_view, Workload::Account> limited;
    for (std::uint32_t account = 0; account < demands.size(); ++account) {
        const std::string_view name = parts_.queue.account_name(account);
        auto bound = parts_.picker.permits().limits(name);
        if (!bound || demands[account].messages == 0) continue;
        limited.emplace(name, Workload::Account{.name = std::string(name),
                                                .supply = {.limits = std::move(bound->limits),
                                                           .hours = std::move(bound->hours),
                                                           .unlimited = true},
                                                .demand = std::move(demands[account]),
                                                .ways = {}});
    }
    for (const auto& row : parts_.queue.counts()) {
        const auto way = index.find(parts_.switchboard.ways().name(row.way));
        const auto account = limited.find(row.account);
        if (way != index.end() && account != limited.end() && row.ready + row.waiting > 0)
            account->second.ways.push_back(way->second);
    }
    std::vector<Workload::Account> accounts;
    for (auto& [name, account] : limited) accounts.push_back(std::move(account));
    return accounts;
}

Desk::awaitable<Workload> Desk::workload() {
    const Ways& ways = parts_.switchboard.ways();
    const Desks desks = all();
    std::map<std::string, Workload::Way> loads;
    std::vector<Demand> accounts;
    for (const auto& desk : desks) {
        std::vector<Workload::Way*> by_way;
        for (const auto& row : desk->parts_.queue.counts()) {
            by_way.resize(std::max<std::size_t>(by_way.size(), row.way + std::size_t{1}));
            by_way[row.way] = &loads[std::string(desk->parts_.switchboard.ways().name(row.way))];
        }
        co_await desk->scan([&](Handle, const spool::QueueEntry& entry) {
            // A way may get its first mail between two slices.
            if (entry.way >= by_way.size() || by_way[entry.way] == nullptr) return;
            Workload::Way& way = *by_way[entry.way];
            count(entry, desk->parts_.queue.account_held(entry.account), way.shown);
            if (!waits(entry)) return;
            count(entry, way.demand);
            if (desk.get() != this) return;
            accounts.resize(std::max<std::size_t>(accounts.size(), entry.account + std::size_t{1}));
            count(entry, accounts[entry.account]);
        });
    }
    Workload result;
    result.now = parts_.clock.wall();
    for (const auto& port : parts_.ports) result.upstreams.push_back(supply(*port));
    std::map<std::string_view, std::size_t> index;
    for (auto& [name, load] : loads) {
        load.shown.way = name;
        // An earlier dispatcher may have a way that is gone; nothing waits there.
        if (const auto way = ways.find(name)) load.demand.by = suppliers(*way, result.upstreams);
        index.emplace(name, result.ways.size());
        result.ways.push_back(std::move(load));
    }
    result.accounts = limited_accounts(std::move(accounts), index);
    co_return result;
}

}  // namespace outpost::delivery

#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "delivery/desk.hpp"

namespace outpost::delivery {

Desk::Desks Desk::all() {
    Desks desks = parts_.earlier();
    // Whoever calls keeps this one.
    desks.push_back(std::shared_ptr<Desk>(std::shared_ptr<Desk>(), this));
    return desks;
}

std::size_t Desk::size() const {
    std::size_t size = parts_.queue.size();
    for (const auto& desk : parts_.earlier()) size += desk->parts_.queue.size();
    return size;
}

std::vector<QueueRow> Desk::rows(bool by_account) const {
    using Key = std::tuple<std::string_view, std::string_view, std::uint8_t>;
    std::map<Key, QueueRow> rows;
    const auto add = [&](const Desk& desk) {
        for (const auto& count : desk.parts_.queue.counts()) {
            const std::string_view way = desk.parts_.switchboard.ways().name(count.way);
            const std::string_view account = by_account ? count.account : std::string_view();
            QueueRow& row = rows[{way, account, count.priority}];
            row.way = way;
            row.account = account;
            row.priority = count.priority;
            (count.held ? row.limited : row.ready) += count.ready;
            row.waiting += count.waiting;
            row.in_flight += count.in_flight;
        }
    };
    const auto earlier = parts_.earlier();
    for (const auto& desk : earlier) add(*desk);
    add(*this);
    std::vector<QueueRow> sorted;
    for (auto& [key, row] : rows) sorted.push_back(std::move(row));
    return sorted;
}

std::vector<GroupView> Desk::groups() const {
    std::vector<GroupView> views;
    for (const Ways::Group& group : parts_.switchboard.ways().groups()) {
        GroupView view{.name = group.name,
                       .strategy = std::string(config::name_of(group.strategy)),
                       .members = {}};
        for (const Ways::Member& member : group.members)
            view.members.push_back(parts_.ports[member.port]->destination().name);
        for (const QueueRow& row : totals()) {
            if (row.way != group.name) continue;
            view.ready += row.ready;
            view.limited += row.limited;
            view.waiting += row.waiting;
            view.in_flight += row.in_flight;
        }
        views.push_back(std::move(view));
    }
    return views;
}

bool Desk::knows_way(std::string_view name) const {
    if (parts_.switchboard.ways().find(name)) return true;
    return std::ranges::any_of(totals(), [&](const QueueRow& row) { return row.way == name; });
}

std::vector<LimitQueue> Desk::waiting_for_limits() const {
    const base::WallTime wall = parts_.clock.wall();
    const auto limited = [&](PortIndex index) {
        const auto& wait = parts_.ports[index]->limit_wait();
        return wait && wait->until > wall;
    };
    std::map<std::string_view, std::uint64_t> accounts;
    std::map<std::string_view, std::uint64_t> upstreams;
    for (const auto& row : parts_.queue.counts()) {
        if (row.ready == 0) continue;
        if (row.held) {
            accounts[row.account] += row.ready;
            continue;
        }
        const auto ports = parts_.switchboard.ways().ports(row.way);
        if (!std::ranges::all_of(ports, limited)) continue;
        for (const PortIndex index : ports)
            upstreams[parts_.ports[index]->destination().name] += row.ready;
    }
    std::vector<LimitQueue> all;
    for (const auto& [name, messages] : upstreams)
        all.push_back({.owner = "upstream", .name = std::string(name), .messages = messages});
    for (const auto& [name, messages] : accounts)
        all.push_back({.owner = "account", .name = std::string(name), .messages = messages});
    return all;
}

}  // namespace outpost::delivery

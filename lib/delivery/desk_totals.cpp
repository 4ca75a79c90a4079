#include <algorithm>
#include <map>
#include <tuple>

#include "delivery/desk.hpp"

namespace outpost::delivery {

std::vector<QueueRow> Desk::totals() const {
    std::map<std::tuple<std::string_view, std::uint8_t>, QueueRow> rows;
    for (const auto& count : parts_.queue.counts()) {
        const std::string_view way = parts_.switchboard.ways().name(count.way);
        QueueRow& row = rows[{way, count.priority}];
        row.way = way;
        row.priority = count.priority;
        row.ready += count.ready;
        row.waiting += count.waiting;
        row.in_flight += count.in_flight;
    }
    std::vector<QueueRow> all;
    for (auto& [key, row] : rows) all.push_back(std::move(row));
    return all;
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

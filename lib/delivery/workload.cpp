#include "delivery/workload.hpp"

#include <algorithm>
#include <utility>

namespace outpost::delivery {
namespace {

void add(const WayOutlook& way, WayOutlook& total) {
    total.ready += way.ready;
    total.limited += way.limited;
    total.waiting += way.waiting;
    total.held += way.held;
    total.in_flight += way.in_flight;
    total.recipients += way.recipients;
    if (way.oldest) total.oldest = std::min(total.oldest.value_or(*way.oldest), *way.oldest);
    total.empty = later(total.empty, way.empty);
}

}  // namespace

QueueOutlook outlook(Workload workload) {
    std::vector<Demand> demands;
    for (const auto& way : workload.ways) demands.push_back(way.demand);
    auto by_upstream = forecast(workload.upstreams, demands, workload.now);
    for (std::size_t i = 0; i < demands.size(); ++i)
        workload.ways[i].shown.empty = std::move(by_upstream[i]);
    for (auto& account : workload.accounts) {
        account.demand.by = {0};
        Outlook allowed = forecast({account.supply}, {account.demand}, workload.now).front();
        if (!allowed.at) allowed.why += " by the limits of account " + account.name;
        for (const std::size_t way : account.ways) {
            Outlook& empty = workload.ways[way].shown.empty;
            empty = later(std::move(empty), allowed);
        }
    }
    QueueOutlook result{.ways = {}, .total = {.empty = {.at = workload.now}}};
    for (auto& way : workload.ways) {
        add(way.shown, result.total);
        result.ways.push_back(std::move(way.shown));
    }
    return result;
}

}  // namespace outpost::delivery

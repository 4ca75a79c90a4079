#include "delivery/ways.hpp"

#include <algorithm>
#include <numeric>

namespace outpost::delivery {

Ways::Ways(const config::Config& config) {
    for (const auto& [name, upstream] : config.upstreams) {
        const auto port = static_cast<PortIndex>(own_.size());
        names_.emplace(name, port);
        own_.push_back(name);
        lanes_.push_back({Lane{.way = port, .group = {}, .member = 0, .kept_by = {}}});
    }
    all_.resize(own_.size());
    std::iota(all_.begin(), all_.end(), PortIndex{0});
    auto way = static_cast<WayIndex>(own_.size());
    auto kept = static_cast<WayIndex>(own_.size() + config.groups.size());
    for (const auto& [name, group] : config.groups) {
        add_group(group, way++, kept);
        kept = static_cast<WayIndex>(kept + group.members.size());
    }
    find_circles();
}

void Ways::add_group(const config::Group& group, WayIndex way, WayIndex first_kept) {
    names_.emplace(group.name, way);
    Group made{group.name, group.strategy, {}, way, first_kept};
    std::vector<PortIndex> ports;
    for (const auto& member : group.members) {
        const auto port = static_cast<PortIndex>(names_.find(member.upstream)->second);
        made.members.push_back({port, member.weight});
        ports.push_back(port);
    }
    const std::size_t number = groups_.size();
    for (std::size_t member = 0; member < ports.size(); ++member) {
        auto& lanes = lanes_[ports[member]];
        lanes.push_back({way, number, member, {}});
        for (std::size_t keeper = 0; keeper < ports.size(); ++keeper)
            lanes.push_back({static_cast<WayIndex>(first_kept + keeper), number, member, keeper});
    }
    groups_.push_back(std::move(made));
    ports_.push_back(std::move(ports));
}

void Ways::find_circles() {
    circle_of_.resize(own_.size());
    std::iota(circle_of_.begin(), circle_of_.end(), std::size_t{0});
    for (const auto& ports : ports_) {
        const std::size_t to = circle_of_[ports.front()];
        for (const PortIndex port : ports) {
            const std::size_t from = circle_of_[port];
            std::ranges::replace(circle_of_, from, to);
        }
    }
    circles_.resize(own_.size());
    for (const PortIndex port : all_) circles_[circle_of_[port]].push_back(port);
}

std::optional<WayIndex> Ways::find(std::string_view name) const {
    const auto found = names_.find(name);
    if (found == names_.end()) return std::nullopt;
    return found->second;
}

std::string_view Ways::name(WayIndex way) const {
    if (const auto group = group_of(way)) return groups_[*group].name;
    return own_[way];
}

std::optional<std::size_t> Ways::group_of(WayIndex way) const {
    if (way < own_.size()) return std::nullopt;
    const std::size_t number = way - own_.size();
    if (number < groups_.size()) return number;
    const auto after = std::ranges::upper_bound(groups_, way, {}, &Group::first_kept);
    return static_cast<std::size_t>(after - groups_.begin()) - 1;
}

std::size_t Ways::member(std::size_t group, PortIndex port) const {
    const auto& members = groups_[group].members;
    return static_cast<std::size_t>(std::ranges::find(members, port, &Member::port) -
                                    members.begin());
}

std::span<const PortIndex> Ways::ports(WayIndex way) const {
    if (const auto group = group_of(way)) return ports_[*group];
    return std::span(all_).subspan(way, 1);
}

}  // namespace outpost::delivery

#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types.hpp"
#include "spool/queue.hpp"

/// The ways of the queue, numbered: one for each upstream, one for each group, and for each member
/// of a group one that holds the group's mail that should stay with this member. Pure.
namespace outpost::delivery {

using spool::WayIndex;
/// An upstream, in the order of Config::upstreams. Its own way has the same number.
using PortIndex = std::uint16_t;

class Ways {
  public:
    struct Member {
        PortIndex port = 0;
        std::uint32_t weight = 1;
    };
    struct Group {
        std::string name;
        config::Strategy strategy = config::Strategy::failover;
        std::vector<Member> members;
        WayIndex way = 0;
        WayIndex first_kept = 0;  ///< the way of member 0; the others follow
    };
    /// A way that a port serves, and as whose member.
    struct Lane {
        WayIndex way = 0;
        std::optional<std::size_t> group;    ///< nothing: its own
        std::size_t member = 0;              ///< which of the group's the port is
        std::optional<std::size_t> kept_by;  ///< the member whose mail it is
    };

    explicit Ways(const config::Config& config);

    /// The way of an upstream or group.
    [[nodiscard]] std::optional<WayIndex> find(std::string_view name) const;
    [[nodiscard]] std::string_view name(WayIndex way) const;
    [[nodiscard]] const std::vector<Group>& groups() const noexcept { return groups_; }
    /// The group that a way belongs to; nothing for an upstream's own.
    [[nodiscard]] std::optional<std::size_t> group_of(WayIndex way) const;
    /// The way for mail of the group that should stay with a member.
    [[nodiscard]] WayIndex kept(std::size_t group, std::size_t member) const {
        return static_cast<WayIndex>(groups_[group].first_kept + member);
    }
    /// Which member of the group the port is; the port must be one.
    [[nodiscard]] std::size_t member(std::size_t group, PortIndex port) const;

    /// All that a port serves, its own first.
    [[nodiscard]] std::span<const Lane> lanes(PortIndex port) const { return lanes_[port]; }
    /// The ports that serve a way.
    [[nodiscard]] std::span<const PortIndex> ports(WayIndex way) const;
    /// The ports that share mail with this one, directly or through others, itself included.
    [[nodiscard]] std::span<const PortIndex> circle(PortIndex port) const {
        return circles_[circle_of_[port]];
    }

  private:
    void add_group(const config::Group& group, WayIndex way, WayIndex first_kept);
    void find_circles();

    std::map<std::string, WayIndex, std::less<>> names_;
    std::vector<std::string> own_;  ///< names of the upstreams
    std::vector<Group> groups_;
    std::vector<std::vector<PortIndex>> ports_;  ///< of each group
    std::vector<PortIndex> all_;                 ///< 0, 1, 2, ...
    std::vector<std::vector<Lane>> lanes_;       ///< of each port
    std::vector<std::size_t> circle_of_;
    std::vector<std::vector<PortIndex>> circles_;
};

}  // namespace outpost::delivery

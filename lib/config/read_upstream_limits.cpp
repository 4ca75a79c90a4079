#include <fmt/format.h>

#include <array>

#include "config/read_limits.hpp"
#include "config/section_readers.hpp"

namespace outpost::config {
namespace {

constexpr std::uint32_t most_weight = 1000;
constexpr std::uint8_t lowest_reserving =
    4;  ///< for the lowest priority nothing would be left over

void read_reserve(Section& parent, Upstream& upstream) {
    const YamlEntry* const entry = parent.find("reserve");
    if (entry == nullptr) return;
    Reserve reserve;
    Section section = subsection(parent, "reserve");
    section.read("priority", reserve.priority, number<std::uint8_t>(1, lowest_reserving));
    section.missing("priority", "is missing; write for which priority and higher, 1 to 4");
    section.read("share", reserve.share,
                 [](const YamlNode& node) { return as_share(node, false); });
    section.missing("share", "is missing; write which part of the rate or quota, such as 10%");
    section.finish();
    if (parent.find("rate") == nullptr && parent.find("quota") == nullptr) {
        parent.error(*entry, "has nothing to take a share of; set rate or quota as well");
    }
    upstream.reserve = reserve;
}

void read_shares(Section& parent, Upstream& upstream) {
    const YamlEntry* const entry = parent.find("share");
    if (entry == nullptr) return;
    Section section = subsection(parent, "share");
    for (std::size_t i = 0; i < upstream.share.size(); ++i) {
        section.read(std::array<std::string_view, 5>{"1", "2", "3", "4", "5"}[i], upstream.share[i],
                     number<std::uint32_t>(1, most_weight));
    }
    section.finish();
    const YamlEntry* const priority = parent.find("priority");
    if (priority == nullptr || priority->value.text == "strict") {
        parent.error(*entry, "has no effect with priority: strict; set priority: weighted");
    }
}

}  // namespace

void read_upstream_limits(Section& section, Upstream& upstream) {
    read_shaping(section, upstream.limits);
    read_quota(section, upstream.limits.quota, nullptr);
    read_reserve(section, upstream);
    section.read("priority", upstream.priority,
                 choice<PriorityOrder>(std::to_array<std::string_view>({"strict", "weighted"})));
    read_shares(section, upstream);
}

}  // namespace outpost::config

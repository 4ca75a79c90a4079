#include "delivery/places_in_line.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace outpost::delivery {

PlacesInLine::PlacesInLine(std::vector<Place> asked) : asked_(std::move(asked)) {
    for (const Place& place : asked_) {
        if (place.way >= lines_.size()) lines_.resize(std::size_t{place.way} + 1);
        lines_[place.way].asked.push_back({place.priority, place.id});
    }
    for (Line& line : lines_) {
        std::ranges::sort(line.asked);
        line.before.resize(line.asked.size());
    }
}

void PlacesInLine::look(const spool::QueueEntry& entry) {
    const bool ready =
        entry.state == spool::QueueState::fresh || entry.state == spool::QueueState::returned;
    if (!ready || entry.way >= lines_.size()) return;
    Line& line = lines_[entry.way];
    const auto next = std::ranges::upper_bound(line.asked, Key{entry.priority, entry.id});
    if (next != line.asked.end())
        ++line.before[static_cast<std::size_t>(next - line.asked.begin())];
}

std::vector<std::uint64_t> PlacesInLine::ahead() const {
    std::vector<Line> sums = lines_;
    for (Line& line : sums)
        std::partial_sum(line.before.begin(), line.before.end(), line.before.begin());
    std::vector<std::uint64_t> ahead;
    for (const Place& place : asked_) {
        const Line& line = sums[place.way];
        const auto found = std::ranges::lower_bound(line.asked, Key{place.priority, place.id});
        ahead.push_back(line.before[static_cast<std::size_t>(found - line.asked.begin())]);
    }
    return ahead;
}

}  // namespace outpost::delivery

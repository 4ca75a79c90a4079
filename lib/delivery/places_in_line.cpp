#include "delivery/places_in_line.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace outpost::delivery {

PlacesInLine::PlacesInLine(std::vector<Place> asked) : asked_(std::move(asked)) {
    for (const Place& place : asked_) {
        Lines& lines = place.held_account ? accounts_ : ways_;
        const std::size_t index = place.held_account.value_or(place.way);
        if (index >= lines.size()) lines.resize(index + 1);
        lines[index].asked.push_back({place.priority, place.id});
    }
    for (Lines* const lines : {&ways_, &accounts_})
        for (Line& line : *lines) {
            std::ranges::sort(line.asked);
            line.before.resize(line.asked.size());
        }
}

void PlacesInLine::count(Lines& lines, std::size_t index, Key key) {
    if (index >= lines.size()) return;
    Line& line = lines[index];
    const auto next = std::ranges::upper_bound(line.asked, key);
    if (next != line.asked.end())
        ++line.before[static_cast<std::size_t>(next - line.asked.begin())];
}

void PlacesInLine::look(const spool::QueueEntry& entry, bool held) {
    if (entry.state != spool::QueueState::fresh && entry.state != spool::QueueState::returned)
        return;
    const Key key{entry.priority, entry.id};
    if (!held) count(ways_, entry.way, key);
    count(accounts_, entry.account, key);
}

std::vector<std::uint64_t> PlacesInLine::ahead() const {
    Lines ways = ways_;
    Lines accounts = accounts_;
    for (Lines* const lines : {&ways, &accounts})
        for (Line& line : *lines)
            std::partial_sum(line.before.begin(), line.before.end(), line.before.begin());
    std::vector<std::uint64_t> ahead;
    for (const Place& place : asked_) {
        const Line& line = place.held_account ? accounts[*place.held_account] : ways[place.way];
        const auto found = std::ranges::lower_bound(line.asked, Key{place.priority, place.id});
        ahead.push_back(line.before[static_cast<std::size_t>(found - line.asked.begin())]);
    }
    return ahead;
}

}  // namespace outpost::delivery

#include "delivery/oldest_first.hpp"

#include <algorithm>
#include <utility>

namespace outpost::delivery {

void OldestFirst::add(std::vector<Found> some) {
    if (some.empty()) return;
    std::ranges::sort(some, {}, &Found::id);
    runs_.push_back({std::move(some)});
    std::ranges::push_heap(runs_, later);
}

std::optional<Found> OldestFirst::next() {
    if (runs_.empty()) return std::nullopt;
    std::ranges::pop_heap(runs_, later);
    Run& run = runs_.back();
    const Found found = run.all[run.at++];
    if (run.at == run.all.size()) {
        runs_.pop_back();
    } else {
        std::ranges::push_heap(runs_, later);
    }
    return found;
}

}  // namespace outpost::delivery

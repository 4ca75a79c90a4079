#include "delivery/partings.hpp"

#include <algorithm>
#include <utility>

namespace outpost::delivery {

void Partings::add(base::MessageId id, std::vector<WayIndex> ways) {
    messages_.insert_or_assign(id, Parting{std::move(ways), {}, false, {}});
}

void Partings::add_entry(base::MessageId id, Handle entry, WayIndex way) {
    messages_.at(id).parts.push_back({entry, way});
}

Share Partings::share(base::MessageId id, Handle entry) const {
    const auto found = messages_.find(id);
    if (found == messages_.end()) return {};
    const Parting& parting = found->second;
    return {&parting.ways, std::ranges::find(parting.parts, entry, &Part::entry)->way};
}

std::vector<Partings::Handle> Partings::entries(base::MessageId id) const {
    std::vector<Handle> all;
    if (const auto found = messages_.find(id); found != messages_.end())
        for (const Part& part : found->second.parts) all.push_back(part.entry);
    return all;
}

bool Partings::busy(base::MessageId id) const {
    const auto found = messages_.find(id);
    return found != messages_.end() && found->second.busy;
}

bool Partings::begin(base::MessageId id, Handle entry) {
    const auto found = messages_.find(id);
    if (found == messages_.end()) return true;
    if (!std::exchange(found->second.busy, true)) return true;
    found->second.waiting.push_back(entry);
    return false;
}

std::vector<Partings::Handle> Partings::end(base::MessageId id) {
    const auto found = messages_.find(id);
    if (found == messages_.end()) return {};
    found->second.busy = false;
    return std::exchange(found->second.waiting, {});
}

Partings::Removal Partings::remove(base::MessageId id, Handle entry, bool message_done) {
    const auto found = messages_.find(id);
    if (found == messages_.end()) return {};
    Parting& parting = found->second;
    std::erase_if(parting.parts, [entry](const Part& part) { return part.entry == entry; });
    Removal removal;
    if (message_done) {
        for (const Part& part : parting.parts) removal.done.push_back(part.entry);
        messages_.erase(found);
        return removal;
    }
    parting.busy = false;
    removal.waiting = std::exchange(parting.waiting, {});
    if (parting.parts.empty()) messages_.erase(found);
    return removal;
}

}  // namespace outpost::delivery

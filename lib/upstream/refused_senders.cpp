#include "upstream/refused_senders.hpp"

#include <algorithm>
#include <chrono>

namespace outpost::upstream {

namespace {

constexpr std::chrono::seconds default_wait = std::chrono::hours(1);
constexpr std::chrono::minutes between_alerts{10};

}  // namespace

void RefusedSenders::refuse(const std::string& sender, const Outcome& outcome, base::WallTime now) {
    if (sender.empty()) return;
    std::erase_if(entries_, [&](const auto& entry) { return entry.second.until <= now; });
    if (entries_.size() >= most && !entries_.contains(sender))
        entries_.erase(std::ranges::min_element(
            entries_, {}, [](const auto& entry) { return entry.second.until; }));
    auto kept = outcome;
    kept.alert = false;
    kept.elsewhere = true;
    const auto until = now + outcome.retry_after.value_or(default_wait);
    entries_.insert_or_assign(sender, Entry{.outcome = std::move(kept), .until = until});
}

std::optional<Outcome> RefusedSenders::find(const std::string& sender, base::WallTime now) {
    const auto found = entries_.find(sender);
    if (found == entries_.end()) return std::nullopt;
    if (found->second.until <= now) {
        entries_.erase(found);
        return std::nullopt;
    }
    auto outcome = found->second.outcome;
    outcome.retry_after = std::chrono::ceil<std::chrono::seconds>(found->second.until - now);
    return outcome;
}

bool RecentAlerts::is_due(const std::string& reason, base::WallTime now) {
    std::erase_if(given_, [&](const auto& alert) { return alert.second + between_alerts <= now; });
    if (given_.contains(reason)) return false;
    if (given_.size() >= most)
        given_.erase(
            std::ranges::min_element(given_, {}, [](const auto& alert) { return alert.second; }));
    given_.emplace(reason, now);
    return true;
}

}  // namespace outpost::upstream

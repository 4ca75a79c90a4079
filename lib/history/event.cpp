#include "history/event.hpp"

#include <algorithm>
#include <array>

namespace outpost::history {
namespace {

/// In the order of Result.
constexpr std::array<std::string_view, 14> names{
    "delivered", "deferred",  "uncertain", "passed on", "bounced", "dropped", "expired",
    "damaged",   "cancelled", "held",      "released",  "retried", "moved",   "priority"};

}  // namespace

std::string_view name_of(Result result) noexcept {
    return names.at(static_cast<std::size_t>(result));
}

std::optional<Result> parse_result(std::string_view name) noexcept {
    const auto found = std::ranges::find(names, name);
    if (found == names.end()) return std::nullopt;
    return static_cast<Result>(found - names.begin());
}

std::optional<Result> result_of(std::int64_t number) noexcept {
    if (number < 0 || number >= static_cast<std::int64_t>(names.size())) return std::nullopt;
    return static_cast<Result>(number);
}

std::string all_results() {
    std::string all;
    for (const std::string_view name : names) {
        if (!all.empty()) all += ", ";
        all += name;
    }
    return all;
}

}  // namespace outpost::history

#include "control/about_time.hpp"

#include <fmt/format.h>

#include <chrono>

namespace outpost::control {

std::string about(base::WallTime time, base::WallTime now) {
    using namespace std::chrono;
    if (time <= now) return "now";
    const auto left = time - now;
    if (left <= minutes(1)) return "within a minute";
    // A minute is all that the clock shows: not one that is too early.
    const std::string text = base::rfc3339_seconds(ceil<minutes>(time));
    if (left < days(1)) return fmt::format("about {} UTC", text.substr(11, 5));
    const auto whole = round<days>(left).count();
    return fmt::format("about {} {}, {}", whole, whole == 1 ? "day" : "days", text.substr(0, 10));
}

}  // namespace outpost::control

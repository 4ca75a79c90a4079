#include "base/clock.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace outpost::base {

namespace {

struct Parts {
    std::chrono::year_month_day date;
    std::chrono::weekday weekday;
    std::chrono::hh_mm_ss<std::chrono::milliseconds> time;
};

Parts split(WallTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    return {std::chrono::year_month_day{day}, std::chrono::weekday{day},
            std::chrono::hh_mm_ss{time - day}};
}

}  // namespace

WallTime SystemClock::wall() const {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
}

MonoTime SystemClock::mono() const {
    return std::chrono::steady_clock::now();
}

std::string rfc5322_date(WallTime time) {
    static constexpr std::array<std::string_view, 7> days{"Sun", "Mon", "Tue", "Wed",
                                                          "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> months{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const Parts parts = split(time);
    return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} +0000", days[parts.weekday.c_encoding()],
                       unsigned{parts.date.day()}, months[unsigned{parts.date.month()} - 1],
                       int{parts.date.year()}, parts.time.hours().count(),
                       parts.time.minutes().count(), parts.time.seconds().count());
}

std::string rfc3339(WallTime time) {
    const Parts parts = split(time);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", int{parts.date.year()},
                       unsigned{parts.date.month()}, unsigned{parts.date.day()},
                       parts.time.hours().count(), parts.time.minutes().count(),
                       parts.time.seconds().count(), parts.time.subseconds().count());
}

}  // namespace outpost::base

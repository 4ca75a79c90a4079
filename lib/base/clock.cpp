#include "base/clock.hpp"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/text.hpp"

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

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Takes exactly `digits` digits off `text`; a number over `most` is none.
std::optional<int> take_number(std::string_view& text, std::size_t digits, int most) {
    if (text.size() < digits || !std::ranges::all_of(text.substr(0, digits), is_digit)) return {};
    int value = 0;
    std::from_chars(text.data(), text.data() + digits, value);
    text.remove_prefix(digits);
    return value <= most ? std::optional(value) : std::nullopt;
}

/// Takes `letter` off `text`, in either case.
bool take_letter(std::string_view& text, char letter) {
    if (text.empty() || ascii_lower(text.front()) != ascii_lower(letter)) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
    const auto year = take_number(text, 4, 9999);
    if (!year || !take_letter(text, '-')) return {};
    const auto month = take_number(text, 2, 12);
    if (!month || !take_letter(text, '-')) return {};
    const auto day = take_number(text, 2, 31);
    if (!day) return {};
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    return date.ok() ? std::optional(std::chrono::sys_days(date)) : std::nullopt;
}

/// `.25`; none is 0. Rounded up to milliseconds.
std::optional<std::chrono::milliseconds> take_fraction(std::string_view& text) {
    if (!take_letter(text, '.')) return std::chrono::milliseconds(0);
    const auto end = std::ranges::find_if_not(text, is_digit);
    const std::string_view digits(text.begin(), end);
    if (digits.empty()) return {};
    int value = 0;
    for (std::size_t i = 0; i < 3; ++i)
        value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
    const bool more = digits.find_first_not_of('0', 3) != std::string_view::npos;
    text.remove_prefix(digits.size());
    return std::chrono::milliseconds(value + (more ? 1 : 0));
}

/// `21:56:53.25`; a leap second (`:60`) counts as the first of the next minute.
std::optional<std::chrono::milliseconds> take_time(std::string_view& text) {
    const auto hours = take_number(text, 2, 23);
    if (!hours || !take_letter(text, ':')) return {};
    const auto minutes = take_number(text, 2, 59);
    if (!minutes || !take_letter(text, ':')) return {};
    const auto seconds = take_number(text, 2, 60);
    if (!seconds) return {};
    const auto fraction = take_fraction(text);
    if (!fraction) return {};
    return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
           std::chrono::seconds(*seconds) + *fraction;
}

/// `Z` or `+01:30`: how far local time is ahead of UTC.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
    if (take_letter(text, 'Z')) return std::chrono::minutes(0);
    const bool west = take_letter(text, '-');
    if (!west && !take_letter(text, '+')) return {};
    const auto hours = take_number(text, 2, 23);
    if (!hours || !take_letter(text, ':')) return {};
    const auto minutes = take_number(text, 2, 59);
    if (!minutes) return {};
    const auto ahead = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
    return west ? -ahead : ahead;
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
    return fmt::format(FMT_COMPILE("{}, {:02} {} {} {:02}:{:02}:{:02} +0000"),
                       days[parts.weekday.c_encoding()], unsigned{parts.date.day()},
                       months[unsigned{parts.date.month()} - 1], int{parts.date.year()},
                       parts.time.hours().count(), parts.time.minutes().count(),
                       parts.time.seconds().count());
}

std::string rfc3339(WallTime time) {
    const Parts parts = split(time);
    return fmt::format(FMT_COMPILE("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z"),
                       int{parts.date.year()}, unsigned{parts.date.month()},
                       unsigned{parts.date.day()}, parts.time.hours().count(),
                       parts.time.minutes().count(), parts.time.seconds().count(),
                       parts.time.subseconds().count());
}

std::string rfc3339_seconds(WallTime time) {
    std::string text = rfc3339(time);
    text.erase(text.rfind('.'));
    return text + 'Z';
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    const auto date = take_date(text);
    if (!date || !take_letter(text, 'T')) return {};
    const auto time = take_time(text);
    if (!time) return {};
    const auto offset = take_offset(text);
    if (!offset || !text.empty()) return {};
    return WallTime(*date + *time - *offset);
}

}  // namespace outpost::base

#include "limit/delivery_hours.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

#include "base/text.hpp"

namespace outpost::limit {
namespace {

using std::chrono::minutes;

constexpr std::uint8_t every_day = 0x7f;
constexpr minutes full_day{24 * 60};
constexpr std::array<std::string_view, 7> names = {"monday", "tuesday",  "wednesday", "thursday",
                                                   "friday", "saturday", "sunday"};

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", base::printable(text, 80));
}

std::optional<unsigned> find_day(std::string_view word) {
    for (unsigned day = 0; day < names.size(); ++day) {
        if (base::iequals(word, names[day]) || base::iequals(word, names[day].substr(0, 3))) {
            return day;
        }
    }
    return std::nullopt;
}

/// `8:30`, `24:00`.
std::optional<minutes> parse_time(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon < 1 || colon > 2 || text.size() != colon + 3) {
        return std::nullopt;
    }
    unsigned hour = 0;
    unsigned minute = 0;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    const auto hours = std::from_chars(begin, begin + colon, hour);
    const auto rest = std::from_chars(begin + colon + 1, end, minute);
    if (hours.ec != std::errc{} || hours.ptr != begin + colon) return std::nullopt;
    if (rest.ec != std::errc{} || rest.ptr != end || minute > 59) return std::nullopt;
    const minutes time{hour * 60 + minute};
    if (time > full_day) return std::nullopt;
    return time;
}

std::string days_text(std::uint8_t days_bits) {
    if ((days_bits & every_day) == every_day) return "daily";
    std::string out;
    for (unsigned day = 0; day < 7; ++day) {
        if ((days_bits >> day & 1) == 0) continue;
        unsigned last = day;
        while (last < 6 && (days_bits >> (last + 1) & 1) != 0) ++last;
        if (!out.empty()) out += ',';
        out += names[day].substr(0, 3);
        if (last > day) fmt::format_to(std::back_inserter(out), "-{}", names[last].substr(0, 3));
        day = last;
    }
    return out;
}

std::string time_text(minutes time) {
    return fmt::format("{:02}:{:02}", time.count() / 60, time.count() % 60);
}

}  // namespace

base::WallTime DeliveryHours::next_open(base::WallTime time) const {
    return std::max(time, opening(time).start);
}

base::WallTime DeliveryHours::closes(base::WallTime time) const {
    return opening(time).end;
}

CalendarPeriod DeliveryHours::opening(base::WallTime time) const {
    const std::chrono::sys_days today = date_at(zone, time);
    const minutes length = to > from ? minutes{0} : full_day;
    // From yesterday, whose hours may reach past midnight, to the same day of next week, and one
    // more: a clock change can skip the hours of a day.
    for (int offset = -1; offset <= 14; ++offset) {
        const std::chrono::sys_days day = today + std::chrono::days(offset);
        const unsigned weekday = std::chrono::weekday(day).iso_encoding() - 1;
        if ((days >> weekday & 1) == 0) continue;
        const base::WallTime open = instant_of(zone, day, from);
        const base::WallTime close = instant_of(zone, day, to + length);
        if (open < close && time < close) return {open, close};
    }
    return {base::WallTime::max(), base::WallTime::max()};
}

std::string DeliveryHours::text() const {
    return fmt::format("{} {}-{} {}", days_text(days), time_text(from), time_text(to), zone.name());
}

std::expected<std::uint8_t, std::string> parse_days(std::string_view text) {
    const auto refusal = [text] {
        return std::unexpected(in_quotes(text) +
                               " is not a list of days; write daily, or days such as mon-fri or "
                               "mon,wed,sat-sun");
    };
    if (base::iequals(base::trim(text), "daily")) return every_day;
    std::uint8_t found = 0;
    for (const std::string_view part : base::split_list(text, ',')) {
        const std::size_t dash = part.find('-');
        const auto first = find_day(base::trim(part.substr(0, dash)));
        const auto last =
            dash == std::string_view::npos ? first : find_day(base::trim(part.substr(dash + 1)));
        if (!first || !last) return refusal();
        for (unsigned day = *first;; day = (day + 1) % 7) {
            found |= static_cast<std::uint8_t>(1U << day);
            if (day == *last) break;
        }
    }
    if (found == 0) return refusal();
    return found;
}

std::expected<HoursOfDay, std::string> parse_hours(std::string_view text) {
    const std::size_t dash = text.find('-');
    const auto from = parse_time(base::trim(text.substr(0, dash)));
    const auto to = dash == std::string_view::npos ? std::nullopt
                                                   : parse_time(base::trim(text.substr(dash + 1)));
    if (!from || !to || *from == full_day) {
        return std::unexpected(in_quotes(text) +
                               " is not a range of hours; write FROM-TO, such as 08:00-18:00");
    }
    if (*from == *to) {
        return std::unexpected(in_quotes(text) +
                               " is empty: it ends when it begins; for the whole day write "
                               "00:00-24:00");
    }
    return HoursOfDay{*from, *to};
}

}  // namespace outpost::limit

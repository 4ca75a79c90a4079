#include "config/units.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <optional>

#include "base/text.hpp"

namespace outpost::config {
namespace {

using namespace std::chrono_literals;

constexpr Duration longest = std::chrono::days(3653);

struct Amount {
    std::uint64_t number;
    std::string_view unit;
};

/// Digits, then whatever follows.
std::optional<Amount> split_amount(std::string_view text) {
    std::uint64_t number = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    return Amount{number, text.substr(static_cast<std::size_t>(rest - text.data()))};
}

std::optional<Duration> unit_of_time(std::string_view unit) {
    if (unit == "ms") return 1ms;
    if (unit == "s") return 1s;
    if (unit == "m") return 1min;
    if (unit == "h") return 1h;
    if (unit == "d") return std::chrono::days(1);
    return std::nullopt;
}

std::optional<Duration> named_period(std::string_view name) {
    if (const auto unit = unit_of_time(name)) return unit;
    if (name == "second") return 1s;
    if (name == "minute") return 1min;
    if (name == "hour") return 1h;
    if (name == "day") return std::chrono::days(1);
    return std::nullopt;
}

std::optional<Duration> times(std::uint64_t number, Duration unit) {
    if (number > static_cast<std::uint64_t>(longest / unit)) return std::nullopt;
    return unit * static_cast<Duration::rep>(number);
}

}  // namespace

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", base::printable(text, 80));
}

std::expected<Duration, std::string> parse_duration(std::string_view text) {
    if (text == "0") return Duration{0};
    const auto amount = split_amount(text);
    const auto unit = amount ? unit_of_time(amount->unit) : std::nullopt;
    if (!unit) {
        return std::unexpected(
            fmt::format("{} is not a duration; write a number and ms, s, m, h or d, such as 30s",
                        in_quotes(text)));
    }
    const auto duration = times(amount->number, *unit);
    if (!duration) return std::unexpected(in_quotes(text) + " is over ten years");
    return *duration;
}

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
    const auto amount = split_amount(text);
    unsigned shift = 64;
    if (amount) {
        const std::string unit = base::to_lower(amount->unit);
        if (unit.empty() || unit == "b") shift = 0;
        if (unit == "kb") shift = 10;
        if (unit == "mb") shift = 20;
        if (unit == "gb") shift = 30;
        if (unit == "tb") shift = 40;
    }
    if (shift == 64) {
        return std::unexpected(fmt::format(
            "{} is not a size; write a number and KB, MB or GB, such as 25MB", in_quotes(text)));
    }
    if (amount->number > (std::uint64_t{1} << 50) >> shift) {
        return std::unexpected(in_quotes(text) + " is over 1024TB");
    }
    return amount->number << shift;
}

std::expected<CountPerPeriod, std::string> parse_count_per_period(std::string_view text) {
    const auto refusal = [text] {
        return std::unexpected(fmt::format(
            "{} is not a rate; write COUNT/PERIOD, such as 1200/h or 20/10m", in_quotes(text)));
    };
    const auto count = split_amount(text);
    if (!count || !count->unit.starts_with('/')) return refusal();
    const std::string_view name = count->unit.substr(1);
    std::optional<Duration> period = named_period(name);
    if (!period) {
        const auto amount = split_amount(name);
        const auto unit = amount ? unit_of_time(amount->unit) : std::nullopt;
        if (unit) period = times(amount->number, *unit);
    }
    if (!period) return refusal();
    if (count->number == 0 || *period == Duration{0}) {
        return std::unexpected(in_quotes(text) + " has a 0; both numbers must be more");
    }
    return CountPerPeriod{count->number, *period};
}

std::expected<PortRange, std::string> parse_ports(std::string_view text) {
    const auto first = split_amount(text);
    std::optional<Amount> last = first;
    if (first && first->unit.starts_with('-')) last = split_amount(first->unit.substr(1));
    if (!first || !last || !last->unit.empty()) {
        return std::unexpected(
            fmt::format("{} is not a port; write a number such as 587, or a range such as "
                        "1025-5000",
                        in_quotes(text)));
    }
    constexpr std::uint64_t highest = std::numeric_limits<std::uint16_t>::max();
    if (first->number == 0 || last->number > highest || first->number > last->number) {
        return std::unexpected(
            fmt::format("{} is not a port range; ports go from 1 to 65535, the lower one first",
                        in_quotes(text)));
    }
    return PortRange{static_cast<std::uint16_t>(first->number),
                     static_cast<std::uint16_t>(last->number)};
}

std::expected<std::uint64_t, std::string> parse_number(std::string_view text) {
    const auto amount = split_amount(text);
    if (!amount || !amount->unit.empty()) {
        return std::unexpected(in_quotes(text) + " is not a whole number");
    }
    return amount->number;
}

std::expected<double, std::string> parse_fraction(std::string_view text) {
    double number = 0;
    const auto [rest, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || rest != text.data() + text.size() || text.starts_with('-') ||
        number != number || number > 1e9) {
        return std::unexpected(in_quotes(text) + " is not a number such as 2 or 0.2");
    }
    return number;
}

}  // namespace outpost::config

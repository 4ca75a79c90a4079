#include "limit/rate.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/text.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr milliseconds shortest = 1s;
constexpr milliseconds longest = std::chrono::days(31);
/// Octets as config::parse_size() bounds them; sums of a few hundred such counts fit 64 bits.
constexpr std::uint64_t most = std::uint64_t{1} << 50;

struct SizeUnit {
    std::string_view name;
    unsigned shift;
};
constexpr SizeUnit size_units[] = {{"TB", 40}, {"GB", 30}, {"MB", 20}, {"KB", 10}, {"B", 0}};

struct TimeUnit {
    std::string_view name;
    milliseconds length;
};
/// The short names first, longest period first: text() takes them from here.
constexpr TimeUnit time_units[] = {
    {"d", 24h},    {"h", 1h},         {"m", 1min},      {"s", 1s},      {"ms", 1ms},
    {"day", 24h},  {"hour", 1h},      {"minute", 1min}, {"second", 1s}, {"days", 24h},
    {"hours", 1h}, {"minutes", 1min}, {"seconds", 1s},  {"min", 1min},  {"sec", 1s},
};

std::string in_quotes(std::string_view text) {
    return fmt::format("\"{}\"", base::printable(text, 80));
}

/// Digits, spaces, then whatever follows; nothing if there are no digits or too many.
struct Amount {
    std::uint64_t number;
    std::string_view rest;
};
std::optional<Amount> split_amount(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return std::nullopt;
    return Amount{number, base::trim(text.substr(static_cast<std::size_t>(end - text.data())))};
}

struct Counted {
    Unit unit;
    unsigned shift = 0;
};
std::optional<Counted> parse_counted(std::string_view word) {
    if (word.empty() || word == "recipient" || word == "recipients") {
        return Counted{Unit::recipients};
    }
    if (word == "message" || word == "messages") return Counted{Unit::messages};
    for (const SizeUnit& unit : size_units) {
        if (base::iequals(word, unit.name)) return Counted{Unit::octets, unit.shift};
    }
    return std::nullopt;
}

const TimeUnit* find_time_unit(std::string_view name) {
    for (const TimeUnit& unit : time_units) {
        if (unit.name == name) return &unit;
    }
    return nullptr;
}

std::string period_text(milliseconds period) {
    for (const TimeUnit& unit : time_units) {
        if (period % unit.length != 0ms) continue;
        const auto number = period / unit.length;
        return number == 1 ? std::string(unit.name) : fmt::format("{}{}", number, unit.name);
    }
    return {};  // not reached: all are whole milliseconds
}

}  // namespace

std::string Rate::text() const {
    std::string counted = std::to_string(count);
    if (unit == Unit::messages) counted += " messages";
    if (unit == Unit::octets) {
        for (const SizeUnit& size : size_units) {
            if (count % (std::uint64_t{1} << size.shift) != 0) continue;
            counted = fmt::format("{}{}", count >> size.shift, size.name);
            break;
        }
    }
    return counted + "/" + period_text(period);
}

std::expected<Rate, std::string> parse_rate(std::string_view text) {
    const auto refusal = [text] {
        return std::unexpected(in_quotes(text) +
                               " is not a rate; write COUNT/PERIOD, such as 1200/h");
    };
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return refusal();
    const auto amount = split_amount(base::trim(text.substr(0, slash)));
    const auto counted = amount ? parse_counted(amount->rest) : std::nullopt;
    if (!counted) return refusal();

    std::string_view period = base::trim(text.substr(slash + 1));
    std::uint64_t number = 1;
    if (const auto times = split_amount(period)) {
        number = times->number;
        period = times->rest;
    }
    const TimeUnit* unit = find_time_unit(period);
    if (unit == nullptr) return refusal();
    if (amount->number == 0 || number == 0) {
        return std::unexpected(in_quotes(text) + " has a 0; both numbers must be more");
    }
    if (amount->number > most >> counted->shift) {
        return std::unexpected(in_quotes(text) + " counts too much; the most is 1024TB");
    }
    if (number > static_cast<std::uint64_t>(longest / unit->length)) {
        return std::unexpected(in_quotes(text) +
                               " has a period over 31 days; write a shorter one, or a quota");
    }
    const milliseconds length = unit->length * static_cast<milliseconds::rep>(number);
    if (length < shortest) {
        return std::unexpected(in_quotes(text) +
                               " has a period under a second; write one of 1s or more");
    }
    return Rate{amount->number << counted->shift, length, counted->unit};
}

}  // namespace outpost::limit

#include "limit/counter_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/checksum.hpp"
#include "base/octets.hpp"

namespace outpost::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::uint8_t version = 1;
/// Over every period that a rate can have; what is older counts nowhere.
constexpr nanoseconds oldest = std::chrono::days(32);

/// A number in as few octets as it needs, seven bits each.
void put_short(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

std::uint64_t short_number(base::OctetReader& in) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        const auto octet = in.number<std::uint8_t>();
        value |= std::uint64_t{octet & 0x7fU} << shift;
        if ((octet & 0x80) == 0) break;
    }
    return value;
}

void put_usage(std::string& out, const Usage& usage) {
    for (const Unit unit : all_units) put_short(out, usage[unit]);
}
Usage read_usage(base::OctetReader& in) {
    Usage usage;
    for (const Unit unit : all_units) usage[unit] = short_number(in);
    return usage;
}

constexpr std::uint64_t microseconds_of(nanoseconds time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(time.count(), 0) / 1000);
}
/// A damaged number cannot overflow a time.
nanoseconds read_age(base::OctetReader& in) {
    constexpr std::uint64_t bound = microseconds_of(oldest);
    return std::chrono::microseconds(std::min(short_number(in), bound));
}

void put_periods(std::string& out, const std::vector<PeriodUse>& periods) {
    put_short(out, periods.size());
    for (const PeriodUse& use : periods) {
        base::put(out, static_cast<std::int64_t>(use.period.start.time_since_epoch().count()));
        base::put(out, static_cast<std::int64_t>(use.period.end.time_since_epoch().count()));
        put_short(out, use.charged);
        put_short(out, use.carried);
        put_short(out, use.warned);
    }
}
std::vector<PeriodUse> read_periods(base::OctetReader& in) {
    std::vector<PeriodUse> periods;
    for (std::uint64_t left = short_number(in); left > 0 && in.ok(); --left) {
        PeriodUse& use = periods.emplace_back();
        use.period.start = base::WallTime(milliseconds(in.number<std::int64_t>()));
        use.period.end = base::WallTime(milliseconds(in.number<std::int64_t>()));
        use.charged = short_number(in);
        use.carried = short_number(in);
        use.warned = static_cast<unsigned>(short_number(in));
    }
    return periods;
}

CounterState read_body(base::OctetReader& in) {
    CounterState state;
    state.wall = base::WallTime(milliseconds(in.number<std::int64_t>()));
    state.mono = base::MonoTime(nanoseconds(in.number<std::int64_t>()));
    state.boot_id = in.text<std::uint8_t>();
    for (std::uint64_t left = short_number(in); left > 0 && in.ok(); --left) {
        Spent& entry = state.entries.emplace_back();
        entry.last = state.mono - read_age(in);
        entry.first = entry.last - read_age(in);
        entry.usage = read_usage(in);
    }
    for (auto* periods : {&state.hours, &state.days, &state.months}) *periods = read_periods(in);
    state.out = read_usage(in);
    return state;
}

}  // namespace

std::string encode(const CounterState& state) {
    std::string out;
    base::put(out, version);
    base::put(out, static_cast<std::int64_t>(state.wall.time_since_epoch().count()));
    base::put(out, static_cast<std::int64_t>(nanoseconds(state.mono.time_since_epoch()).count()));
    base::put_text<std::uint8_t>(out, state.boot_id);
    put_short(out, state.entries.size());
    for (const Spent& entry : state.entries) {
        put_short(out, microseconds_of(state.mono - entry.last));
        put_short(out, microseconds_of(entry.last - entry.first));
        put_usage(out, entry.usage);
    }
    for (const auto* periods : {&state.hours, &state.days, &state.months}) {
        put_periods(out, *periods);
    }
    put_usage(out, state.out);
    base::put(out, base::checksum(out));
    return out;
}

std::expected<CounterState, std::string> decode(std::string_view octets) {
    constexpr std::size_t tail = sizeof(std::uint64_t);
    if (octets.size() <= tail) {
        return std::unexpected(fmt::format("it has only {} octets", octets.size()));
    }
    base::OctetReader sum(octets.substr(octets.size() - tail));
    octets.remove_suffix(tail);
    if (sum.number<std::uint64_t>() != base::checksum(octets)) {
        return std::unexpected("its checksum is wrong: it is damaged");
    }
    base::OctetReader in(octets);
    if (const auto found = in.number<std::uint8_t>(); found != version) {
        return std::unexpected(
            fmt::format("it has version {} and only version {} can be read", found, version));
    }
    CounterState state = read_body(in);
    if (!in.done()) return std::unexpected("it is not laid out as its version should be");
    return state;
}

std::vector<Spent> entries_since(const CounterState& state, std::string_view boot_id,
                                 base::WallTime wall, base::MonoTime mono) {
    const bool same_boot = !boot_id.empty() && boot_id == state.boot_id && mono >= state.mono;
    // Wall clocks are read to the millisecond: two of them can lie one nearer than they seem.
    const milliseconds by_wall =
        std::clamp<milliseconds>(wall - state.wall - milliseconds(1), milliseconds(0),
                                 std::chrono::ceil<milliseconds>(oldest));
    const nanoseconds passed = same_boot ? nanoseconds(mono - state.mono) : nanoseconds(by_wall);
    std::vector<Spent> entries;
    entries.reserve(state.entries.size());
    for (const Spent& entry : state.entries) {
        const nanoseconds age = passed + (state.mono - entry.last);
        if (age > oldest) continue;
        const base::MonoTime last = mono - age;
        entries.push_back({last - (entry.last - entry.first), last, entry.usage});
    }
    return entries;
}

}  // namespace outpost::limit

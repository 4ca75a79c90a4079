// The promise: in any window of a rate's period, both ends included, never more than its count goes
// out, wherever between take() and settle() that is; and at least 98 % of it when mail waits.
#include <gtest/gtest.h>

#include <queue>
#include <random>

#include "limit/counter.hpp"
#include "limit/test_time.hpp"
#include "limit/window_oracle.hpp"

namespace outpost::limit {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Random = std::mt19937_64;

std::int64_t between(Random& random, std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution(least, most)(random);
}

Rate random_rate(Random& random) {
    constexpr milliseconds periods[] = {1s, 1500ms, 7s, 1min, 5min, 1h};
    const auto period = periods[between(random, 0, 5)];
    switch (between(random, 0, 3)) {
        case 0:
            return {static_cast<std::uint64_t>(between(random, 60, 900)), period, Unit::messages};
        case 1:
            return {static_cast<std::uint64_t>(between(random, 1'000'000, 9'000'000)), period,
                    Unit::octets};
        default:
            return {static_cast<std::uint64_t>(between(random, 60, 2000)), period,
                    Unit::recipients};
    }
}

Limits random_limits(Random& random) {
    Limits limits;
    for (auto left = between(random, 1, 4); left > 0; --left) {
        limits.rates.push_back(random_rate(random));
    }
    limits.smooth = between(random, 0, 3) == 0;
    return limits;
}

Ask random_ask(Random& random) {
    return {.recipients = static_cast<std::uint32_t>(between(random, 1, 6)),
            .messages = between(random, 0, 9) == 0 ? 0U : 1U,
            .octets = static_cast<std::uint64_t>(between(random, 0, 20'000)),
            .divisible = between(random, 0, 1) == 0,
            .held_back = between(random, 0, 4) == 0 ? 0.1 : 0};
}

/// Mail that goes out through one counter at random times, each permit seen at a random moment
/// between take() and settle(). Times are whole milliseconds, so that they meet the ends of
/// windows.
class Traffic {
  public:
    Traffic(std::uint64_t seed, Limits limits)
        : random_(seed), counter_("upstream/a", std::move(limits), clock_.at()) {
        pace_ = milliseconds(between(random_, 0, 400));
        slowest_ = milliseconds(between(random_, 0, 1) == 0 ? 30 : 3000);
    }

    /// One arrival and what is due until then. `seen(time, usage)` of what was let through.
    template <typename Seen>
    void step(Seen&& seen) {
        const Ask ask = random_ask(random_);
        const Answer answer = take_supplied(counter_, ask, clock_.at());
        if (answer.recipients > 0) {
            const Usage permit{answer.recipients, ask.messages, ask.octets};
            const milliseconds takes(between(random_, 0, slowest_.count()));
            const milliseconds until_seen(between(random_, 0, takes.count()));
            Usage used = permit;
            if (between(random_, 0, 9) == 0) used.recipients = 0;
            if (used.recipients == 0) used = {};
            if (!used.empty()) seen(clock_.mono() + until_seen, used);
            flying_.push({clock_.mono() + takes, permit, used});
        }
        pass(answer);
    }
    Counter& counter() { return counter_; }
    FakeClock& clock() { return clock_; }
    Random& random() { return random_; }

  private:
    struct Flight {
        base::MonoTime lands;
        Usage permit;
        Usage used;
        bool operator>(const Flight& other) const { return lands > other.lands; }
    };

    void pass(const Answer& answer) {
        base::MonoTime next = clock_.mono();
        if (answer.wait.what != Wait::For::nothing && answer.wait.until < base::WallTime::max()) {
            next += answer.wait.until - clock_.wall();
            if (!flying_.empty()) next = std::min(next, flying_.top().lands);
        } else if (between(random_, 0, 3) == 0) {
            next += milliseconds(between(random_, 0, pace_.count()));
        }
        while (!flying_.empty() && flying_.top().lands <= next) {
            const Flight flight = flying_.top();
            flying_.pop();
            clock_.advance(std::max<nanoseconds>(flight.lands - clock_.mono(), 0ns));
            counter_.settle(flight.permit, flight.used, clock_.at());
        }
        clock_.advance(next - clock_.mono());
    }

    Random random_;
    FakeClock clock_;
    Counter counter_;
    std::priority_queue<Flight, std::vector<Flight>, std::greater<>> flying_;
    milliseconds pace_{};
    milliseconds slowest_{};
};

TEST(CounterWindows, HoldOverAMillionRandomEvents) {
    std::size_t events = 0;
    std::size_t met = 0;
    for (std::uint64_t seed = 1; events < 1'000'000; ++seed) {
        Random random(seed * 7919);
        const Limits limits = random_limits(random);
        Traffic traffic(seed, limits);
        WindowOracle oracle;
        for (int i = 0; i < 12'000; ++i) {
            traffic.step([&](base::MonoTime time, const Usage& usage) { oracle.saw(time, usage); });
        }
        events += oracle.size();
        for (const Rate& rate : limits.rates) {
            const std::uint64_t worst = oracle.worst(rate);
            ASSERT_LE(worst, rate.count) << rate.text() << ", seed " << seed;
            if (worst >= rate.count - rate.count / 50) ++met;
        }
    }
    EXPECT_GT(met, 50U) << "the traffic must reach the limits, else it proves nothing";
}

TEST(CounterWindows, HoldWhenRatesAreChanged) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        Random random(seed * 104729);
        Limits limits = random_limits(random);
        Traffic traffic(seed, limits);
        std::vector<std::pair<base::MonoTime, Usage>> all;
        for (int change = 0; change < 8; ++change) {
            std::vector<RunningOracle> oracles;
            for (const Rate& rate : limits.rates) {
                RunningOracle& oracle = oracles.emplace_back(rate);
                for (const auto& [time, usage] : all) oracle.will_see(time, usage);
            }
            for (int i = 0; i < 1500; ++i) {
                const base::MonoTime now = traffic.clock().mono();
                traffic.step([&](base::MonoTime time, const Usage& usage) {
                    all.emplace_back(time, usage);
                    for (RunningOracle& oracle : oracles) {
                        oracle.will_see(time, usage);
                        // What a unit of the ask does not use may be over since before the change.
                        if (usage[oracle.rate().unit] == 0) continue;
                        ASSERT_LE(oracle.held(now), oracle.rate().count)
                            << oracle.rate().text() << ", seed " << seed << ", change " << change;
                    }
                });
                if (HasFatalFailure()) return;
            }
            limits = random_limits(random);
            traffic.counter().set_limits(limits, traffic.clock().at());
        }
    }
}

struct Worked {
    const char* name;
    std::vector<const char*> rates;
    bool smooth;
    std::uint64_t octets;
    std::uint32_t recipients;  ///< of a divisible message
};

/// What went out in 40 of the longest periods, after 10 to settle in, as a share of what may.
double utilisation(const Worked& worked, milliseconds delivery, milliseconds tick) {
    Limits limits;
    for (const char* rate : worked.rates) limits.rates.push_back(parse_rate(rate).value());
    limits.smooth = worked.smooth;
    FakeClock clock;
    Counter counter("upstream/a", limits, clock.at());
    WindowOracle oracle;
    milliseconds longest{};
    for (const Rate& rate : limits.rates) longest = std::max(longest, rate.period);
    const base::MonoTime start = clock.mono() + 10 * longest;
    const base::MonoTime end = start + 40 * longest;
    std::queue<std::pair<base::MonoTime, Usage>> flying;
    Usage sent;
    while (clock.mono() < end) {
        const Answer answer = take_supplied(counter,
                                            {.recipients = worked.recipients,
                                             .octets = worked.octets,
                                             .divisible = worked.recipients > 1},
                                            clock.at());
        base::MonoTime next = base::MonoTime::max();
        if (answer.recipients > 0) {
            const Usage permit{answer.recipients, 1, worked.octets};
            flying.emplace(clock.mono() + delivery, permit);
            oracle.saw(clock.mono(), permit);
            if (clock.mono() >= start) sent += permit;
            next = clock.mono();
        } else {
            next = clock.mono() + (answer.wait.until - clock.wall());
            const auto since = next.time_since_epoch() % tick;
            if (since != 0ns) next += tick - since;  // a coarse timer
        }
        if (!flying.empty()) next = std::min(next, flying.front().first);
        clock.advance(std::max<nanoseconds>(next - clock.mono(), 0ns));
        while (!flying.empty() && flying.front().first <= clock.mono()) {
            counter.settle(flying.front().second, flying.front().second, clock.at());
            flying.pop();
        }
    }
    double best = 0;
    for (const Rate& rate : limits.rates) {
        EXPECT_LE(oracle.worst(rate), rate.count) << worked.name;
        const double may = static_cast<double>(rate.count) *
                           (std::chrono::duration<double>(end - start) / rate.period);
        best = std::max(best, static_cast<double>(sent[rate.unit]) / may);
    }
    return best;
}

TEST(CounterWindows, AreUsedTo98PercentWhenMailWaits) {
    const Worked rates[] = {
        {"14/s", {"14/s"}, false, 0, 1},
        {"1200/h", {"1200/h"}, false, 0, 1},
        {"6000/h", {"6000/h"}, false, 0, 1},
        {"600/m", {"600/m"}, false, 0, 1},
        {"600/m, many recipients", {"600/m"}, false, 0, 50},
        {"500/5m+80MB/5m, small", {"500/5m", "80MB/5m"}, false, 50'000, 1},
        {"500/5m+80MB/5m, large", {"500/5m", "80MB/5m"}, false, 400'000, 1},
        {"14/s+1200/h", {"14/s", "1200/h"}, false, 0, 1},
    };
    for (Worked worked : rates) {
        for (const bool smooth : {false, true}) {
            worked.smooth = smooth;
            const double used = utilisation(worked, 0ms, 1ms);
            RecordProperty(std::string(worked.name) + (smooth ? " smooth" : ""),
                           std::to_string(used));
            EXPECT_GE(used, 0.98) << worked.name << (smooth ? " smooth" : "");
            EXPECT_LE(used, 1.0) << worked.name << (smooth ? " smooth" : "");
        }
    }
}

TEST(CounterWindows, SlowDeliveriesCostOnlyTheirOwnTime) {
    // A permit counts until a period after its delivery has ended: 100 ms in a minute.
    EXPECT_GE(utilisation({"600/m", {"600/m"}, false, 0, 1}, 100ms, 1ms), 0.98);
    EXPECT_GE(utilisation({"1200/h", {"1200/h"}, true, 0, 1}, 5s, 100ms), 0.98);
}

}  // namespace
}  // namespace outpost::limit

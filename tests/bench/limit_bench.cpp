// links: limit benchmark::benchmark
// What a decision costs: take() and settle() of one message through the Limiter, on a counter
// picked at random among 10, 1,000 and 100,000. Each has two rates and two quotas, which are never
// reached; allowances come from a store in memory and are part of the cost.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "limit/limiter.hpp"
#include "limit/memory_store.hpp"

namespace {

using namespace outpost::limit;

Limits account_limits() {
    Limits limits;
    limits.rates = {parse_rate("1000000/h").value(), parse_rate("100GB/5m").value()};
    limits.quota.daily = 10'000'000;
    limits.quota.monthly = 200'000'000;
    return limits;
}

struct Accounts {
    explicit Accounts(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            ids.push_back(limiter.define("account/" + std::to_string(i), account_limits()));
        }
        store.run();
        // The first decision of each allocates what the later ones use.
        for (const Limiter::Id id : ids) decide(id);
    }
    void decide(Limiter::Id id) {
        constexpr Usage permit{1, 1, 20'000};
        while (limiter.take(id, {.octets = permit.octets}).recipients == 0) store.run();
        limiter.settle(id, permit, permit);
    }

    outpost::base::SystemClock clock;
    MemoryStore store;
    Limiter limiter{store, clock, {}};
    std::vector<Limiter::Id> ids;
};

/// Accounts in a random order, drawn beforehand.
std::vector<Limiter::Id> draw(const std::vector<Limiter::Id>& ids, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<std::size_t> any(0, ids.size() - 1);
    std::vector<Limiter::Id> drawn(1 << 16);
    for (Limiter::Id& id : drawn) id = ids[any(random)];
    return drawn;
}

std::unique_ptr<Accounts> accounts;

void decide(benchmark::State& state) {
    const std::vector<Limiter::Id> order =
        draw(accounts->ids, static_cast<std::uint64_t>(state.thread_index()));
    std::size_t at = 0;
    for (auto _ : state) accounts->decide(order[at++ & (order.size() - 1)]);
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK(decide)
    ->Arg(10)
    ->Arg(1'000)
    ->Arg(100'000)
    ->ThreadRange(1, 2)
    ->UseRealTime()
    ->Setup([](const benchmark::State& state) {
        accounts = std::make_unique<Accounts>(static_cast<std::size_t>(state.range(0)));
    })
    ->Teardown([](const benchmark::State&) { accounts.reset(); });

}  // namespace

BENCHMARK_MAIN();

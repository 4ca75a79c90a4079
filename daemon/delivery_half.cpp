#include "delivery_half.hpp"

#include <sysexits.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <utility>

#include "account/sasl_client.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "net/spawn.hpp"
#include "upstream/factory.hpp"

namespace outpost {
namespace {

namespace asio = boost::asio;

/// Longer than any attempt.
constexpr std::chrono::hours patience{24};

/// Runs `make()` on `executor`, waits for its coroutine, and hands its result over.
template <class Make>
auto run_on(const asio::any_io_executor& executor, Make make) {
    return asio::co_spawn(executor, std::move(make), asio::use_future).get();
}

/// Upstreams that are the same in both.
std::set<std::string> unchanged(const std::map<std::string, config::Upstream>& before,
                                const std::map<std::string, config::Upstream>& after) {
    std::set<std::string> names;
    for (const auto& [name, upstream] : after) {
        const auto old = before.find(name);
        if (old != before.end() && old->second == upstream) names.insert(name);
    }
    return names;
}

}  // namespace

DeliveryHalf::DeliveryHalf(const World& world, const config::Config& config)
    : world_(world), upstreams_(config.upstreams), resolver_(world.pool), threads_(1, "delivery") {
    auto transports = prepare(config);
    if (!transports) throw base::StartFailure(EX_CONFIG, transports.error());
    current_ = make(config, std::move(*transports));
}

DeliveryHalf::~DeliveryHalf() {
    // Transports and what hangs on them belong to the thread; nothing runs there any more.
    threads_.stop();
    earlier_.clear();
    current_.reset();
}

std::expected<DeliveryHalf::Transports, std::string> DeliveryHalf::prepare(
    const config::Config& config) {
    const upstream::Facilities facilities{.context = threads_[0],
                                          .resolver = resolver_,
                                          .pool = world_.pool,
                                          .clock = world_.clock,
                                          .sasl = &account::make_sasl_client,
                                          .hostname = config.hostname,
                                          .limits = {}};
    Transports transports;
    for (const auto& [name, upstream] : config.upstreams) {
        auto transport = upstream::make_transport(upstream, facilities);
        if (!transport) return std::unexpected("upstreams." + name + ": " + transport.error());
        transports.emplace(name, std::move(*transport));
    }
    return transports;
}

DeliveryHalf::Dispatcher DeliveryHalf::make(const config::Config& config, Transports transports) {
    std::uint64_t seed = 0;
    base::random_octets(sizeof seed).copy(reinterpret_cast<char*>(&seed), sizeof seed);
    return std::make_shared<delivery::Dispatcher>(
        delivery::Dispatcher::Parts{.executor = executor(),
                                    .spool = world_.spool,
                                    .clock = world_.clock,
                                    .limiter = world_.limiter,
                                    .alarm = delivery::make_alarm(executor()),
                                    .seed = seed,
                                    .history = world_.history},
        config, std::move(transports));
}

void DeliveryHalf::pause(delivery::Pauses pauses) {
    run_on(executor(), [&]() -> asio::awaitable<void> {
        current_->pause(std::move(pauses));
        co_return;
    });
}

void DeliveryHalf::start() {
    run_on(executor(), [this]() -> asio::awaitable<void> {
        current_->start();
        co_return;
    });
}

void DeliveryHalf::reload(const config::Config& config, Dispatcher heir) {
    auto same = unchanged(upstreams_, config.upstreams);
    run_on(executor(), [&] { return succeed(std::move(heir), std::move(same)); });
    upstreams_ = config.upstreams;
}

void DeliveryHalf::replace_accounts(const config::Config& config,
                                    delivery::Permits::Accounts limits) {
    run_on(executor(), [&]() -> asio::awaitable<void> {
        current_->replace_accounts(config, std::move(limits));
        co_return;
    });
}

asio::awaitable<void> DeliveryHalf::succeed(Dispatcher heir, std::set<std::string> same) {
    const Dispatcher before = std::exchange(current_, heir);
    earlier_.push_back(before);
    co_await heir->succeed(*before, std::move(same));
    net::spawn(executor(), retire(before), "ending what was under way at a reload");
}

asio::awaitable<void> DeliveryHalf::retire(Dispatcher before) {
    co_await before->stop(patience);
    // One whose attempts go on hands its mail to the next, which must still be there.
    while (!earlier_.empty() && earlier_.front()->idle()) earlier_.erase(earlier_.begin());
}

std::size_t DeliveryHalf::stop(std::chrono::milliseconds limit) {
    return run_on(executor(), [this, limit] { return stop_all(limit); });
}

asio::awaitable<std::size_t> DeliveryHalf::stop_all(std::chrono::milliseconds limit) {
    const auto end = world_.clock.mono() + limit;
    const auto left = [&] {
        return std::max(
            std::chrono::duration_cast<std::chrono::milliseconds>(end - world_.clock.mono()),
            std::chrono::milliseconds(0));
    };
    // The current one first: it must start nothing that an earlier one hands to it.
    std::size_t unfinished = co_await current_->stop(limit);
    for (const Dispatcher& before : std::vector(earlier_))
        unfinished += co_await before->stop(left());
    co_return unfinished;
}

}  // namespace outpost

#include "control/pause_keeper.hpp"

#include <boost/asio/use_future.hpp>
#include <optional>

#include "base/text.hpp"

namespace outpost::control {
namespace {

PauseKeeper::Failure unknown(const std::string& upstream) {
    return {.unknown = true, .text = "there is no upstream " + base::printable(upstream, 64)};
}

PauseKeeper::Failure not_stored(const std::string& error) {
    return {.text = error + "; nothing was changed"};
}

/// The result of `ask(desk)` there.
template <class Ask>
auto ask_desk(const DeskAccess& delivery, Ask ask) {
    return boost::asio::co_spawn(
               delivery.executor,
               [&]() -> boost::asio::awaitable<std::invoke_result_t<Ask&, delivery::Desk&>> {
                   co_return ask(*delivery.current());
               },
               boost::asio::use_future)
        .get();
}

}  // namespace

PauseKeeper::Result PauseKeeper::pause(const std::string& upstream, const std::string& reason) {
    const std::lock_guard one(changing_);
    const auto paused =
        ask_desk(delivery_, [&](delivery::Desk& desk) { return desk.paused(upstream); });
    if (!paused) return std::unexpected(unknown(upstream));
    const delivery::Pause pause{.since = clock_.wall(), .reason = reason};
    const auto stored = store_.put(upstream, {.since = pause.since, .reason = pause.reason});
    if (!stored) return std::unexpected(not_stored(stored.error()));
    const bool done =
        ask_desk(delivery_, [&](delivery::Desk& desk) { return desk.pause(upstream, pause); });
    if (done) return {};
    // A reload has taken it out meanwhile.
    if (const auto removed = store_.remove(upstream); !removed)
        return std::unexpected(Failure{.text = removed.error()});
    return std::unexpected(unknown(upstream));
}

PauseKeeper::Result PauseKeeper::resume(const std::string& upstream) {
    const std::lock_guard one(changing_);
    const auto paused =
        ask_desk(delivery_, [&](delivery::Desk& desk) { return desk.paused(upstream); });
    if (!paused) return std::unexpected(unknown(upstream));
    if (*paused)
        if (const auto removed = store_.remove(upstream); !removed)
            return std::unexpected(not_stored(removed.error()));
    ask_desk(delivery_, [&](delivery::Desk& desk) { return desk.resume(upstream); });
    return {};
}

delivery::Pauses load_pauses(const store::PauseStore& store) {
    delivery::Pauses pauses;
    for (auto& [upstream, pause] : store.load())
        pauses.emplace(upstream, delivery::Pause{.since = pause.since, .reason = pause.reason});
    return pauses;
}

}  // namespace outpost::control

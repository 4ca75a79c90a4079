#pragma once

#include <expected>
#include <mutex>
#include <string>

#include "base/clock.hpp"
#include "control/at_desk.hpp"
#include "delivery/pause.hpp"
#include "store/pause_store.hpp"

namespace outpost::control {

/// What operators pause stays paused across a restart: in the database first, then in effect, so a
/// change that cannot be stored does not happen. Members block; all are thread-safe, but not for
/// the desk's executor.
class PauseKeeper {
  public:
    struct Failure {
        bool unknown = false;  ///< there is no such upstream
        std::string text;
    };
    using Result = std::expected<void, Failure>;

    /// All of it outlives the keeper.
    PauseKeeper(store::PauseStore& store, const base::Clock& clock, DeskAccess delivery)
        : store_(store), clock_(clock), delivery_(std::move(delivery)) {}

    [[nodiscard]] Result pause(const std::string& upstream, const std::string& reason);
    /// Also ends a suspension or a back-off, which nothing stores.
    [[nodiscard]] Result resume(const std::string& upstream);

  private:
    store::PauseStore& store_;
    const base::Clock& clock_;
    DeskAccess delivery_;
    std::mutex changing_;  ///< one change at a time, from its storing to its effect
};

/// For the start. Throws base::StartFailure.
[[nodiscard]] delivery::Pauses load_pauses(const store::PauseStore& store);

}  // namespace outpost::control

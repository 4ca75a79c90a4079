#pragma once

#include <expected>
#include <map>
#include <string>

#include "base/clock.hpp"
#include "store/database.hpp"
#include "store/writer.hpp"

/// Upstreams that an operator has paused, in the database.
namespace outpost::store {

struct StoredPause {
    base::WallTime since;
    std::string reason;  ///< the operator's; may be empty

    bool operator==(const StoredPause&) const = default;
};

/// Every change is on stable storage when it returns, or did not happen; the error says why. All
/// members block.
class PauseStore {
  public:
    /// Both outlive it.
    PauseStore(const Database& database, Writer& writer) : database_(database), writer_(writer) {}

    /// By upstream. Throws base::StartFailure.
    [[nodiscard]] std::map<std::string, StoredPause> load() const;
    /// One that is paused already stays so since then, with the new reason.
    [[nodiscard]] std::expected<void, std::string> put(const std::string& upstream,
                                                       const StoredPause& pause);
    [[nodiscard]] std::expected<void, std::string> remove(const std::string& upstream);

  private:
    const Database& database_;
    Writer& writer_;
};

}  // namespace outpost::store

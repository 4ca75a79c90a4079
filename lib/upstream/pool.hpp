#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/clock.hpp"

namespace outpost::upstream {

/// The idle connections to one upstream. Pure state: it decides which connection to use and which
/// to end; the caller does both. The one used last is given out first, so that under falling load
/// the others reach the idle limit and go.
template <class Connection>
class IdlePool {
  public:
    struct Limits {
        std::size_t most = 100;                      ///< idle connections kept
        std::chrono::steady_clock::duration idle{};  ///< how long one is kept unused
    };

    explicit IdlePool(Limits limits) : limits_(limits) {}

    /// A connection to use, or null if none is fresh enough.
    [[nodiscard]] std::unique_ptr<Connection> take(base::MonoTime now) {
        if (idle_.empty() || now - idle_.back().since > limits_.idle) return nullptr;
        auto connection = std::move(idle_.back().connection);
        idle_.pop_back();
        return connection;
    }

    /// Keeps a connection for the next message. What comes back is one too many: to be ended.
    [[nodiscard]] std::unique_ptr<Connection> put(std::unique_ptr<Connection> connection,
                                                  base::MonoTime now) {
        std::unique_ptr<Connection> surplus;
        if (idle_.size() >= limits_.most) {
            if (idle_.empty()) return connection;
            surplus = std::move(idle_.front().connection);
            idle_.erase(idle_.begin());
        }
        idle_.push_back({std::move(connection), now});
        return surplus;
    }

    /// Those that were idle for too long, to be ended.
    [[nodiscard]] std::vector<std::unique_ptr<Connection>> expired(base::MonoTime now) {
        std::vector<std::unique_ptr<Connection>> result;
        const auto fresh = std::ranges::find_if(
            idle_, [&](const Idle& each) { return now - each.since <= limits_.idle; });
        for (auto it = idle_.begin(); it != fresh; ++it)
            result.push_back(std::move(it->connection));
        idle_.erase(idle_.begin(), fresh);
        return result;
    }

    /// All of them, to be ended.
    [[nodiscard]] std::vector<std::unique_ptr<Connection>> drain() {
        std::vector<std::unique_ptr<Connection>> result;
        for (auto& each : idle_) result.push_back(std::move(each.connection));
        idle_.clear();
        return result;
    }

    /// When expired() is due next.
    [[nodiscard]] std::optional<base::MonoTime> next_expiry() const {
        if (idle_.empty()) return std::nullopt;
        return idle_.front().since + limits_.idle;
    }
    [[nodiscard]] std::size_t size() const noexcept { return idle_.size(); }

  private:
    struct Idle {
        std::unique_ptr<Connection> connection;
        base::MonoTime since;
    };
    Limits limits_;
    std::vector<Idle> idle_;  ///< the longest idle first
};

}  // namespace outpost::upstream

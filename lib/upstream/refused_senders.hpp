#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "upstream/outcome.hpp"

namespace outpost::upstream {

/// The senders whom a provider has turned away until some time, so that their mail costs no calls,
/// and reasons of alerts that were given not long ago. Bounded: of too many, those that end first
/// are forgotten.
class RefusedSenders {
  public:
    static constexpr std::size_t most = 1000;

    /// Notes a deferral of Scope::sender.
    void refuse(const std::string& sender, const Outcome& outcome, base::WallTime now);
    /// What this sender's mail is told; nothing if it may be tried.
    [[nodiscard]] std::optional<Outcome> find(const std::string& sender, base::WallTime now);

  private:
    struct Entry {
        Outcome outcome;
        base::WallTime until;
    };
    std::map<std::string, Entry> entries_;
};

/// Which alerts are due: each reason once in ten minutes.
class RecentAlerts {
  public:
    static constexpr std::size_t most = 100;

    [[nodiscard]] bool is_due(const std::string& reason, base::WallTime now);

  private:
    std::map<std::string, base::WallTime> given_;
};

}  // namespace outpost::upstream

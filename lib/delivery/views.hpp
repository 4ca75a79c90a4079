#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "delivery/forecast.hpp"
#include "limit/counter.hpp"

/// What an operator is shown of delivery, as values.
namespace outpost::delivery {

struct UpstreamView {
    std::string name;
    std::string state;   ///< open, throttled, unreachable, suspended, paused, inactive
    std::string reason;  ///< the upstream's or our words, unless it is open
    std::optional<base::WallTime> since{};     ///< of a state other than open
    std::optional<base::WallTime> next_try{};  ///< by itself
    std::uint32_t in_flight = 0;
    std::uint32_t concurrency = 0;  ///< as the pace allows it now
    std::uint32_t concurrency_configured = 0;
    std::optional<double> speed{};                    ///< recipients a second, after a throttle
    std::optional<std::uint64_t> idle_connections{};  ///< kept open; nothing: not known
    std::string last_error{};                         ///< also of one that is open again
    std::optional<base::WallTime> last_error_at{};
    std::vector<limit::Level> limits;
    std::string waits_for;  ///< the limit that is used up; empty: none
    /// The rest of that limit is for this priority and higher ones; 0: there is no rest.
    std::uint8_t waits_kept_for = 0;
    std::optional<base::WallTime> waits_until{};
    std::uint64_t ready = 0;    ///< messages on its own way
    std::uint64_t limited = 0;  ///< those that would be, but for limits or hours of accounts
    std::uint64_t waiting = 0;  ///< for a retry or a release
    std::vector<std::string> limited_accounts{};  ///< whose those are
};

/// Mail for a group, which is on no upstream's own way.
struct GroupView {
    std::string name;
    std::string strategy;
    std::vector<std::string> members;  ///< upstreams
    std::uint64_t ready = 0;
    std::uint64_t limited = 0;  ///< ready, but for limits or hours of its accounts
    std::uint64_t waiting = 0;
    std::uint64_t in_flight = 0;
};

/// How many messages of one account wait on one way in one priority.
struct QueueRow {
    std::string way;  ///< an upstream or a group
    std::string account;
    std::uint8_t priority = 0;
    std::uint64_t ready = 0;
    std::uint64_t limited = 0;  ///< ready, but for limits or hours of the account
    std::uint64_t waiting = 0;
    std::uint64_t in_flight = 0;
};

/// What waits on one way, or on all of them, and when it will have gone.
struct WayOutlook {
    std::string way{};  ///< an upstream or a group; empty: all
    std::uint64_t ready = 0;
    std::uint64_t limited = 0;  ///< ready, but for limits or hours of their accounts
    std::uint64_t waiting = 0;  ///< for a retry or a time that the sender gave
    std::uint64_t held = 0;     ///< by the operator; not part of the forecast
    std::uint64_t in_flight = 0;
    std::uint64_t recipients = 0;  ///< of those that are ready or wait
    std::optional<base::WallTime> oldest{};
    Outlook empty{};
};
struct QueueOutlook {
    std::vector<WayOutlook> ways;
    WayOutlook total;
};

/// Ready messages that a limit keeps back.
struct LimitQueue {
    std::string owner;  ///< upstream or account
    std::string name;
    std::uint64_t messages = 0;
};

struct MessageView {
    base::MessageId id;
    std::string account;
    std::string sender;
    std::vector<std::string> recipients;  ///< pending ones
    std::uint8_t priority = 0;
    std::string state;   ///< ready, limited, waiting, held, sending, reporting
    std::string way;     ///< an upstream or a group
    std::string reason;  ///< in one sentence, why it is not out yet
    std::optional<base::WallTime> next_attempt{};  ///< nothing: when its turn comes, or never
    base::WallTime received;
    std::uint64_t size = 0;
    unsigned attempts = 0;
};

/// Where a message would go.
struct RouteView {
    std::string way;         ///< an upstream or a group
    std::string because;     ///< which route says so
    std::string strategy{};  ///< of a group; empty for an upstream
    std::vector<UpstreamView> upstreams{};
};

/// What came of signing in at an upstream without sending mail.
struct LoginTest {
    std::string error;  ///< empty: it worked
    bool ended_suspension = false;
    std::string state;  ///< of the upstream, after it
};

/// Which messages are meant: those that fit all that is set.
struct MessageFilter {
    std::vector<base::MessageId> ids{};
    std::string account{};
    std::string sender{};  ///< an address, or `@domain`
    std::string recipient{};
    std::string way{};
    std::string state{};
    std::string why{};  ///< part of the reason, or of the last reply; case is ignored
    std::optional<std::chrono::milliseconds> older{};
    std::optional<std::uint8_t> priority{};

    [[nodiscard]] bool empty() const noexcept {
        return ids.empty() && account.empty() && sender.empty() && recipient.empty() &&
               way.empty() && state.empty() && why.empty() && !older && !priority;
    }
};

}  // namespace outpost::delivery

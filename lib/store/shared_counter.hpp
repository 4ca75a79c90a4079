#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "limit/lease.hpp"

/// What one node knows of a counter that several share, and what it may do while it cannot ask.
/// Pure. docs/limits.md, "Several nodes", says why this never exceeds a limit.
namespace outpost::store {

/// Both in ms: a clock of this machine that cannot be set, and bounds of the server's clock.
struct Moment {
    std::int64_t mono = 0;
    std::int64_t server_earliest = 0;
    std::int64_t server_latest = 0;
};

/// One limit as the script takes it.
struct SharedLimit {
    bool window = false;  ///< else a quota
    limit::Unit unit = limit::Unit::recipients;
    std::optional<std::uint64_t> count;  ///< nothing: only counted
    std::int64_t period = 0;             ///< ms, of a window
    limit::CalendarUnit calendar = limit::CalendarUnit::hour;
    std::string id;
};
/// The rates, then the three quotas, also those that are not limited.
[[nodiscard]] std::vector<SharedLimit> shared_limits(const limit::Limits& limits);

/// The calendar period of a limit at a time of the server's clock, in its ms.
struct Period {
    std::int64_t start = 0;
    std::int64_t end = 0;
};
[[nodiscard]] Period period_of(const limit::Limits& limits, limit::CalendarUnit unit,
                               std::int64_t server_time);

/// What the script has answered.
struct Contact {
    struct Limit {
        std::uint64_t promise = 0;  ///< what nobody else takes
        bool known = false;         ///< its whole window or period; else nobody was asked
    };
    std::int64_t server_time = 0;
    std::string epoch;             ///< the data that Redis has now; another one after a loss
    std::int64_t since = 0;        ///< server time from which Redis knows what was used
    bool lost = false;             ///< something was used before that, or may have been
    bool incomplete = false;       ///< not all nodes have said that nothing was used
    std::uint64_t all_shares = 0;  ///< of the registered nodes together, in millionths
    std::optional<std::int64_t> ask_again;  ///< server time
    limit::Usage grant;
    std::vector<Limit> limits;
};

/// What this node has had to do with the data that Redis had for a time.
struct Epoch {
    std::int64_t silent_from = 0;  ///< local time from which no call of ours can reach it any more
    std::int64_t silent_server = 0;  ///< the same by the server's clock
    std::int64_t since = 0;          ///< as in Contact
    std::int64_t since_here = 0;     ///< the same by the local clock, or earlier
    bool whole = false;              ///< Redis has known everything from the start
    /// Redis may have granted from this limit as one that it knows while it still heard us, and so
    /// without keeping our share.
    [[nodiscard]] bool granted_all(const SharedLimit& limit, const limit::Limits& limits) const;
};

/// How this node may go on without Redis.
struct Fallback {
    double share = 0;
    std::int64_t away = 3000;   ///< ms after which Redis keeps the share of a silent node free
    std::int64_t margin = 500;  ///< ms, for clocks that do not run alike
    std::int64_t longest = 86'400'000;  ///< ms
    bool connected = false;
    std::string epoch;                    ///< of the last contact
    std::map<std::string, Epoch> epochs;  ///< all that we have ever been in contact with
    std::int64_t since = 0;
    bool lost = false;
};

class SharedCounter {
  public:
    /// What the counter has done, by its own account. Before any other function.
    void report(const limit::LeaseRequest& request, const Moment& now);
    /// Redis has answered the call that reported this; the grant belongs to us from now on.
    void contact(const Contact& contact, std::int64_t asked_at);
    /// What may be granted without Redis beyond what is granted: at most `wanted`. While connected
    /// for those limits that Redis does not know yet, so that its own grant is not counted twice
    /// call this before contact() takes it.
    [[nodiscard]] limit::Usage room(limit::Usage wanted, double held_back, const Fallback& fallback,
                                    const Moment& now,
                                    const std::vector<Contact::Limit>* asked) const;
    void grant(const limit::Usage& more) { granted_ += more; }

    [[nodiscard]] const limit::Limits& limits() const noexcept { return limits_; }
    [[nodiscard]] const std::vector<SharedLimit>& shared() const noexcept { return shared_; }
    [[nodiscard]] const limit::Usage& granted() const noexcept { return granted_; }
    [[nodiscard]] const limit::Usage& taken() const noexcept { return taken_; }
    [[nodiscard]] const limit::Usage& used() const noexcept { return used_; }
    [[nodiscard]] const limit::Usage& returned() const noexcept { return returned_; }
    /// What this node itself has used in the window or period of a limit.
    [[nodiscard]] std::uint64_t own_use(const SharedLimit& limit, const Moment& now) const;

  private:
    struct Entry {
        std::int64_t first;
        std::int64_t last;
        std::uint64_t amount;
    };
    struct PeriodUse {
        Period period;
        std::uint64_t used = 0;
    };
    /// As it was at the last contact at which Redis knew all about the limit.
    struct Basis {
        std::string epoch;
        std::int64_t asked_at = 0;
        limit::Usage granted;
        limit::Usage returned;
        std::uint64_t promise = 0;
        std::int64_t period_end = 0;
    };

    void note_use(const limit::Usage& used, const Moment& now);
    [[nodiscard]] std::uint64_t room_of(const SharedLimit& limit, double held_back,
                                        const Fallback& fallback, const Moment& now) const;
    [[nodiscard]] std::int64_t kept_room(const SharedLimit& limit, const Basis& basis,
                                         std::int64_t share, const Moment& now) const;
    [[nodiscard]] std::int64_t share_room(const SharedLimit& limit, std::int64_t share,
                                          std::int64_t alone_from, const Moment& now) const;
    [[nodiscard]] bool known_by_now(const SharedLimit& limit, const Fallback& fallback,
                                    const Moment& now) const;
    [[nodiscard]] Period period(const SharedLimit& limit, std::int64_t server_time) const {
        return period_of(limits_, limit.calendar, server_time);
    }

    limit::Limits limits_;
    std::vector<SharedLimit> shared_;
    limit::Usage granted_, taken_, used_, returned_;
    std::map<std::string, std::deque<Entry>> windows_;
    std::map<std::string, PeriodUse> periods_;
    std::map<std::string, Basis> bases_;
};

}  // namespace outpost::store

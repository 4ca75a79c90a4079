#pragma once

#include <boost/container/static_vector.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "delivery/ways.hpp"
#include "limit/limiter.hpp"
#include "spool/queue.hpp"

/// What a message needs before it may go out: room in the limits of its upstream and of its account
/// (rate, and the quota of one that holds its mail), and the account's delivery hours.
namespace outpost::delivery {

/// How much of a message went out in an attempt.
struct SentPart {
    std::uint32_t recipients = 0;  ///< for whom it was handed to the upstream
    std::uint32_t first_time = 0;  ///< of these: for whom that was the first time
};

/// The right to send a message to some of its recipients; to be settled once.
struct Permit {
    std::uint32_t recipients = 0;
    std::uint64_t octets = 0;
    std::vector<limit::Limiter::Id> rates;    ///< counters of what goes out
    std::optional<limit::Limiter::Id> quota;  ///< counts each recipient once, however often tried
    std::uint32_t quota_recipients = 0;       ///< taken of it
    bool one_transaction = false;             ///< messages or octets are counted
};

/// Who has to wait, for what, until when.
struct Denial {
    enum class Whose : std::uint8_t { upstream, account, message };
    Whose whose = Whose::upstream;
    /// max(): `lease` says when to ask again; for a message that is too big nothing does.
    base::WallTime until = base::WallTime::max();
    std::optional<limit::Limiter::Id> lease;  ///< see Limiter::when_leased
    std::string reason;                       ///< `rate 14/s of upstream ses-eu`
    bool hours = false;         ///< nothing is used up: it is outside the account's delivery hours
    std::uint8_t kept_for = 0;  ///< the rest of it is for this priority and higher ones; 0: none
};

/// The limits of all accounts and upstreams, as delivery meets them. On one executor.
class Permits {
  public:
    class Accounts;

    Permits(limit::Limiter& limiter, const base::Clock& clock, const config::Config& config);
    /// The limits of accounts, with their counters defined: may block. On any thread.
    [[nodiscard]] static Accounts define(limit::Limiter& limiter,
                                         const std::map<std::string, config::Account>& accounts);
    /// In place of those that there were. Permits that were given stay good.
    void replace(Accounts accounts);

    /// Permission for as many recipients as may go now by this upstream, at least one. `account`
    /// is empty for our own reports, which are counted against no account.
    [[nodiscard]] std::expected<Permit, Denial> acquire(const spool::QueueEntry& entry,
                                                        std::string_view account, PortIndex port);
    /// What is used of an upstream's limits.
    [[nodiscard]] std::vector<limit::Level> levels(PortIndex port) const;
    /// What binds an upstream, and what is used of it.
    [[nodiscard]] std::vector<limit::LimitsInUse> limits(PortIndex port) const;
    struct AccountLimits {
        std::vector<limit::LimitsInUse> limits;
        std::optional<limit::DeliveryHours> hours;
    };
    /// Nothing if nothing binds the account.
    [[nodiscard]] std::optional<AccountLimits> limits(std::string_view account) const;
    /// The attempt is over.
    void settle(const Permit& permit, const SentPart& sent);

  private:
    /// A counter, and whether it counts each transaction (messages or octets).
    struct Counter {
        limit::Limiter::Id id;
        bool transactions = false;
    };
    struct Account {
        std::string name;
        std::optional<Counter> rate;
        std::optional<Counter> quota;
        std::optional<limit::DeliveryHours> hours;
    };
    struct Upstream {
        std::string name;
        std::optional<Counter> counter;
        std::optional<config::Reserve> reserve;
    };

    /// One counter that a message has to pass.
    struct Barrier {
        Counter counter;
        Denial::Whose whose;
        std::string_view name;
        double held_back = 0;
        std::uint8_t kept_for = 0;  ///< whom that is held back for
        bool once = false;          ///< counts those alone who were never tried
    };
    using Barriers = boost::container::static_vector<Barrier, 3>;

    [[nodiscard]] static std::optional<Counter> define(limit::Limiter& limiter,
                                                       const std::string& key,
                                                       const limit::Limits& limits);
    void add(std::vector<limit::LimitsInUse>& all, const std::optional<Counter>& counter) const;
    [[nodiscard]] std::optional<Denial> outside_hours(const Account& account) const;
    [[nodiscard]] Barriers barriers(const Account* account, const spool::QueueEntry& entry,
                                    PortIndex port) const;
    [[nodiscard]] Denial denial(const Barrier& barrier, const limit::Ask& ask,
                                const limit::Wait& wait) const;
    /// How many may go by all limits, of so many; else who has to wait.
    [[nodiscard]] std::expected<std::uint32_t, Denial> room(const Barriers& barriers,
                                                            const spool::QueueEntry& entry) const;
    [[nodiscard]] std::optional<Denial> take(const Barrier& barrier, std::uint32_t untried,
                                             Permit& permit);

    limit::Limiter& limiter_;
    const base::Clock& clock_;
    std::vector<Upstream> upstreams_;
    std::map<std::string, Account, std::less<>> accounts_;  ///< those that are limited
};

/// See Permits::define().
class Permits::Accounts {
    friend class Permits;
    std::map<std::string, Account, std::less<>> limited_;
};

}  // namespace outpost::delivery

#pragma once

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
};

/// Who has to wait, for what, until when.
struct Denial {
    enum class Whose : std::uint8_t { upstream, account, message };
    Whose whose = Whose::upstream;
    /// max(): `lease` says when to ask again; for a message that is too big nothing does.
    base::WallTime until = base::WallTime::max();
    std::optional<limit::Limiter::Id> lease;  ///< see Limiter::when_leased
    std::string reason;                       ///< `rate 14/s of upstream ses-eu`
};

/// The limits of all accounts and upstreams, as delivery meets them. On one executor.
class Permits {
  public:
    Permits(limit::Limiter& limiter, const base::Clock& clock, const config::Config& config);

    /// Permission for as many recipients as may go now, at least one. Upstreams are numbered in
    /// the order of Config::upstreams; `account` is empty for our own reports, which are counted
    /// against no account.
    [[nodiscard]] std::expected<Permit, Denial> acquire(const spool::QueueEntry& entry,
                                                        std::string_view account);
    /// The attempt is over.
    void settle(const Permit& permit, const SentPart& sent);

  private:
    struct Account {
        std::string name;
        std::optional<limit::Limiter::Id> rate;
        std::optional<limit::Limiter::Id> quota;
        std::optional<limit::DeliveryHours> hours;
    };
    struct Upstream {
        std::string name;
        std::optional<limit::Limiter::Id> counter;
        std::optional<config::Reserve> reserve;
    };

    /// One counter that a message has to pass.
    struct Barrier {
        limit::Limiter::Id counter;
        Denial::Whose whose;
        std::string_view name;
        double held_back = 0;
    };

    [[nodiscard]] std::optional<Denial> outside_hours(const Account& account) const;
    [[nodiscard]] Denial denial(const Barrier& barrier, const limit::Wait& wait) const;
    /// Lowers the permit to what the counter grants.
    [[nodiscard]] std::optional<Denial> pass(const Barrier& barrier, Permit& permit);
    [[nodiscard]] std::optional<Denial> pass_account(const Account& account, Permit& permit);
    [[nodiscard]] std::optional<Denial> pass_upstream(const Upstream& upstream,
                                                      std::uint8_t priority, Permit& permit);
    void give_back(const Permit& permit, const limit::Usage& unused);

    limit::Limiter& limiter_;
    const base::Clock& clock_;
    std::vector<Upstream> upstreams_;
    std::map<std::string, Account, std::less<>> accounts_;  ///< those that are limited
};

}  // namespace outpost::delivery

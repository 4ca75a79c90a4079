#pragma once

#include <chrono>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "config/network.hpp"
#include "config/types.hpp"

namespace outpost::account {

/// Counts failed sign-ins per client address (IPv6 by /64) and per account name, in sliding
/// windows. Nothing clears a count but time and, for an account, forget(). Bounded: when full, what
/// failed longest ago is forgotten. Thread-safe; the clock is the caller's.
class AuthThrottle {
  public:
    /// An address that signed in to an account within this time is not stopped by that account's
    /// count, so that an attacker cannot lock the owner out.
    static constexpr std::chrono::hours trust{24};
    static constexpr std::size_t max_keys = 50'000;  ///< of each kind

    AuthThrottle(config::CountPerPeriod per_address, config::CountPerPeriod per_account);

    [[nodiscard]] bool address_blocked(const config::IpAddress& client, base::MonoTime now);
    /// Whether `account` takes no sign-in from this client now, not even with the right password.
    [[nodiscard]] bool account_blocked(std::string_view account, const config::IpAddress& client,
                                       base::MonoTime now);
    /// Until when; nothing if it takes sign-ins.
    [[nodiscard]] std::optional<base::MonoTime> account_blocked_until(std::string_view account,
                                                                      base::MonoTime now);
    /// The failures of an account count no more.
    void forget(std::string_view account);
    void failed(std::string_view account, const config::IpAddress& client, base::MonoTime now);
    void succeeded(std::string_view account, const config::IpAddress& client, base::MonoTime now);

  private:
    /// The times of the last events of each key, least recently touched keys first to go.
    class Windows {
      public:
        Windows(std::size_t count, base::MonoTime::duration period)
            : count_(count), period_(period) {}
        /// At least `count` events in the period before `now`.
        [[nodiscard]] bool full(std::string_view key, base::MonoTime now) const;
        /// When full() ends; nothing if it does not hold.
        [[nodiscard]] std::optional<base::MonoTime> full_until(std::string_view key,
                                                               base::MonoTime now) const;
        void erase(std::string_view key);
        void add(std::string key, base::MonoTime now);

      private:
        struct Window {
            std::string key;
            std::vector<base::MonoTime> events;  ///< a ring of at most count_
            std::size_t next = 0;
        };
        std::size_t count_;
        base::MonoTime::duration period_;
        std::list<Window> by_age_;  ///< last touched last
        std::unordered_map<std::string_view, std::list<Window>::iterator> windows_;
    };

    std::mutex mutex_;
    Windows addresses_;
    Windows accounts_;
    Windows trusted_;  ///< account and address; one event, a success
};

}  // namespace outpost::account

#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"

namespace outpost::account {

/// Remembers for a minute that a password was right, so that a client that connects once a message
/// does not pay for PBKDF2 each time. Holds no password: the key of an entry is an HMAC-SHA-256,
/// under a key that lives as long as the process, of name, password and the account's stored value;
/// so a changed stored value finds nothing. Bounded; thread-safe.
class AuthCache {
  public:
    static constexpr std::chrono::seconds lifetime{60};
    static constexpr std::size_t max_entries = 10'000;

    AuthCache();

    struct Claim {
        std::string_view name;
        std::string_view password;
        std::string_view stored_key;  ///< of the account's ScramValue
    };
    [[nodiscard]] bool contains(const Claim& claim, base::MonoTime now);
    void insert(const Claim& claim, base::MonoTime now);

  private:
    using Digest = std::array<std::uint8_t, 32>;
    struct Hash {
        std::size_t operator()(const Digest& digest) const noexcept;
    };
    [[nodiscard]] Digest digest(const Claim& claim) const;

    std::string key_;
    std::mutex mutex_;
    std::unordered_map<Digest, base::MonoTime, Hash> expiry_;
    std::deque<std::pair<base::MonoTime, Digest>> order_;  ///< of insertion, oldest first
};

}  // namespace outpost::account

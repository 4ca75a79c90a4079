#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/network.hpp"
#include "config/scram_value.hpp"

namespace outpost::account {

/// The addresses that an account may send as, compiled for fast look-up.
class AuthorizedSenders {
  public:
    AuthorizedSenders() = default;
    /// `domains`: `example.com`, or `.example.com` for itself and its subdomains. `senders`:
    /// `local@domain`. Both as a loaded configuration holds them.
    AuthorizedSenders(const std::vector<std::string>& domains,
                      const std::vector<std::string>& senders);

    /// Domains compare without case, a U-label equal to its A-label; local parts without ASCII
    /// case.
    [[nodiscard]] bool permits(std::string_view local, std::string_view domain) const;

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>{}(text);
        }
    };
    using Set = std::unordered_set<std::string, Hash, std::equal_to<>>;

    Set domains_;       ///< canonical, exact
    Set domain_trees_;  ///< canonical, with all subdomains
    Set senders_;       ///< lower-case local part, canonical domain
};

/// An account as sessions use it. Immutable: a reload makes new ones, and a session that holds one
/// goes on with it.
struct Account {
    std::string name;
    bool active = true;
    config::ScramValue secret;
    AuthorizedSenders authorized;
    std::vector<config::Network> networks;  ///< empty: everywhere
    std::uint64_t max_message_size = 0;     ///< octets; no more than the server's
    std::uint32_t max_recipients = 0;       ///< a message; no more than the server's
    std::uint8_t priority = 3;
    std::uint8_t priority_cap = 1;
    bool provider_headers = false;  ///< may tell an email provider what to do: X-SES-* and others
    std::string route;              ///< an upstream

    /// Whether `allowed_networks` lets this client in.
    [[nodiscard]] bool admits(const config::IpAddress& client) const;
};

}  // namespace outpost::account

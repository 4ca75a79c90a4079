#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types.hpp"

/// Accounts that are made at run time: their settings are texts in the syntax of the
/// configuration, read by the code that reads that.
namespace outpost::config {

/// By option; what is not there is inherited from accounts.defaults.
using AccountSettings = std::map<std::string, std::string, std::less<>>;

struct AccountOption {
    std::string_view name;  ///< of the option: `priority-cap`
    std::string_view key;   ///< in the configuration: `priority_cap`, `quota.timezone`
    std::string_view help;
};
[[nodiscard]] std::span<const AccountOption> account_options();

/// What is wrong with an account's name; nothing if it can be used to sign in.
[[nodiscard]] std::optional<std::string> account_name_fault(std::string_view name);

/// Whether there is a way for every message of the account.
[[nodiscard]] bool has_route(const Account& account, const Config& config);

struct AccountReading {
    Account account;                  ///< without credentials; usable only if there is no fault
    std::vector<std::string> faults;  ///< `domains: "a@b.example" is an address; ...`
};
/// What these settings mean in a configuration that was loaded. Pure.
[[nodiscard]] AccountReading read_account(const std::string& name, const AccountSettings& settings,
                                          const Config& config);

}  // namespace outpost::config

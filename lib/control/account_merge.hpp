#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/types.hpp"
#include "store/account_store.hpp"

namespace outpost::control {

struct MergedAccounts {
    config::Config config;  ///< the file's, with all accounts
    /// Accounts of the database that do not fit the file any more, and why: inactive, or left out
    /// if their mail has no way.
    std::map<std::string, std::string, std::less<>> faults;
    std::vector<std::string> conflicts;  ///< names that are in both; nothing of this may be used
};

/// The accounts of a configuration file and those that were made at run time, as one. Pure.
[[nodiscard]] MergedAccounts merge_accounts(const config::Config& file,
                                            const store::StoredAccounts& stored);

}  // namespace outpost::control

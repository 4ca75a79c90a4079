#include "control/account_merge.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "config/account_settings.hpp"

namespace outpost::control {
namespace {

void add(MergedAccounts& merged, const config::Config& file, const store::StoredAccount& stored) {
    auto [account, faults] = config::read_account(stored.name, stored.settings, file);
    if (!faults.empty()) {
        account.active = false;
        merged.faults.emplace(stored.name, fmt::format("{}", fmt::join(faults, "; ")));
    }
    if (!config::has_route(account, file)) return;
    account.password_hash = stored.password_hash;
    account.removed = stored.removed.has_value();
    merged.config.accounts.emplace(stored.name, std::move(account));
}

}  // namespace

MergedAccounts merge_accounts(const config::Config& file, const store::StoredAccounts& stored) {
    MergedAccounts merged{.config = file, .faults = {}, .conflicts = {}};
    for (const auto& [name, account] : stored.accounts) {
        if (!file.accounts.contains(name)) {
            add(merged, file, account);
        } else if (!account.removed) {
            merged.conflicts.push_back(fmt::format(
                "{}: account {} was also made with `outpostctl account add`; remove it here or "
                "give it another name, or `outpostctl account remove` that one before you put it "
                "here",
                file.account_places.at(name), base::printable(name, 64)));
        }
    }
    for (const auto& [name, since] : stored.disabled) {
        const auto found = merged.config.accounts.find(name);
        if (found != merged.config.accounts.end()) found->second.active = false;
    }
    return merged;
}

}  // namespace outpost::control

#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "config/types.hpp"
#include "control/account_keeper.hpp"
#include "limit/counter.hpp"

/// Accounts as the control API shows them (docs/control-api.yaml). Nothing of a password but the
/// one that was just made. Pure.
namespace outpost::control {

/// `active`, `inactive` (by its settings), `disabled` (by an operator), `faulty` or `removed`.
[[nodiscard]] std::string_view state_of(const AccountKeeper::View& view);
/// How an account stands at the moment.
struct AccountUse {
    std::vector<limit::Level> limits{};  ///< what is used of them
    std::uint64_t queued = 0;            ///< its messages in the queue
    /// Too many logins have failed: even the right password is refused until then.
    std::optional<base::WallTime> locked_until{};
};
[[nodiscard]] boost::json::object to_json(const AccountKeeper::View& view, const AccountUse& use);
/// A new password with what a mail client has to be told.
[[nodiscard]] boost::json::object credentials(std::string_view name, const base::Secret& password,
                                              const config::Config& config);

}  // namespace outpost::control

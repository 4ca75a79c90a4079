#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "store/database.hpp"
#include "store/writer.hpp"

/// Accounts that are made at run time, in the database.
namespace outpost::store {

struct StoredAccount {
    std::string name;
    std::string password_hash;  ///< RFC 5803 form; empty once removed
    std::map<std::string, std::string, std::less<>> settings;  ///< config::AccountSettings
    base::WallTime created{};
    base::WallTime changed{};
    std::optional<base::WallTime> removed{};
};

struct StoredAccounts {
    std::map<std::string, StoredAccount, std::less<>> accounts;
    /// Those that an operator has disabled, and when; of the configuration's files too.
    std::map<std::string, base::WallTime, std::less<>> disabled;
};

/// What the database file holds, without changing anything; nothing if there is no file. The error
/// names the file.
[[nodiscard]] std::expected<StoredAccounts, std::string> read_accounts(
    const std::filesystem::path& file);

/// Every change is on stable storage when it returns, or did not happen; the error says why. All
/// members block.
class AccountStore {
  public:
    /// Both outlive it.
    AccountStore(const Database& database, Writer& writer) : database_(database), writer_(writer) {}

    /// Throws base::StartFailure.
    [[nodiscard]] StoredAccounts load() const;
    /// Stores an account in place of what there is under its name. One that is removed is not
    /// disabled any more.
    [[nodiscard]] std::expected<void, std::string> put(const StoredAccount& account);
    /// Disabled at this time, or enabled.
    [[nodiscard]] std::expected<void, std::string> set_disabled(const std::string& name,
                                                                std::optional<base::WallTime> at);

  private:
    const Database& database_;
    Writer& writer_;
};

}  // namespace outpost::store

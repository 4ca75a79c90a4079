#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "config/account_settings.hpp"
#include "config/types.hpp"
#include "store/account_store.hpp"

namespace outpost::control {

/// All accounts: those of the configuration's files, and those that are made and changed at run
/// time, in the database. A change is on stable storage and in effect when its call returns.
/// Members that change something block; all are thread-safe.
class AccountKeeper {
  public:
    /// Makes everything use the accounts of this configuration from now on.
    using Apply = std::function<void(const config::Config&)>;
    struct Failure {
        enum class Kind : std::uint8_t { invalid, unknown, broken };
        Kind kind = Kind::invalid;
        std::string text;
    };
    template <class T>
    using Result = std::expected<T, Failure>;

    /// Store and clock outlive it. `file`: as loaded; plain passwords are hashed with `key`, see
    /// account::hash_passwords. Throws base::StartFailure if a name is both in the file and in the
    /// database.
    AccountKeeper(store::AccountStore& store, const base::Clock& clock, config::Config file,
                  std::string key);

    /// The configuration with all accounts.
    [[nodiscard]] std::shared_ptr<const config::Config> config() const;
    /// Before the first change. What it refers to outlives the keeper's use.
    void on_change(Apply apply) { apply_ = std::move(apply); }
    /// Another configuration file, valid as a whole. `use` is called with it and all accounts, and
    /// makes it take effect; no account changes meanwhile. Should it throw, all stays as it was.
    /// Accounts that are gone from the file stay as removed until the next start, as their mail may
    /// still be there. The error lists names that are both in the file and in the database.
    [[nodiscard]] std::expected<void, std::vector<std::string>> reload(config::Config file,
                                                                       const Apply& use);

    /// An empty setting is what accounts inherit. The result: the generated password.
    Result<base::Secret> add(const std::string& name, config::AccountSettings settings);
    Result<void> set(const std::string& name, const config::AccountSettings& settings);
    Result<base::Secret> reset_password(const std::string& name);
    Result<void> remove(const std::string& name);
    /// Of the configuration's files too.
    Result<void> disable(const std::string& name);
    Result<void> enable(const std::string& name);

    struct View {
        config::Account account;
        std::string place;                        ///< in the configuration; empty: made at run time
        std::string fault;                        ///< why it does not fit the configuration
        std::optional<base::WallTime> disabled;   ///< by an operator
        std::optional<base::WallTime> created{};  ///< at run time
        std::optional<base::WallTime> changed{};
    };
    /// By name; removed ones too.
    [[nodiscard]] std::vector<View> list() const;
    [[nodiscard]] std::optional<View> find(std::string_view name) const;

  private:
    struct State {
        config::Config file;
        store::StoredAccounts stored;
        std::shared_ptr<const config::Config> config;  ///< both together
        std::map<std::string, std::string, std::less<>> faults;
    };

    [[nodiscard]] std::shared_ptr<const State> state() const;
    [[nodiscard]] static View view(const State& state, const config::Account& account);
    /// The stored account of this name that may be changed.
    [[nodiscard]] static Result<store::StoredAccount> changeable(const State& state,
                                                                 const std::string& name,
                                                                 std::string_view advice);
    [[nodiscard]] static Failure unknown(const State& state, std::string_view name);
    Result<void> put(const State& before, store::StoredAccount account);
    Result<void> set_disabled(const std::string& name, bool disabled);
    /// What is stored takes effect.
    Result<void> use(std::shared_ptr<State> next);
    void publish(std::shared_ptr<const State> next);

    store::AccountStore& store_;
    const base::Clock& clock_;
    std::string key_;
    Apply apply_;
    std::mutex changing_;  ///< one change at a time, from reading the state to its effect
    mutable std::mutex mutex_;
    std::shared_ptr<const State> state_;
};

}  // namespace outpost::control

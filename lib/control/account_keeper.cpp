#include "control/account_keeper.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sysexits.h>

#include "account/directory.hpp"
#include "account/password.hpp"
#include "account/scram.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "control/account_merge.hpp"

namespace outpost::control {
namespace {

using Failure = AccountKeeper::Failure;

Failure invalid(std::string text) {
    return {Failure::Kind::invalid, std::move(text)};
}

Failure broken(std::string text) {
    return {Failure::Kind::broken, std::move(text)};
}

std::string hash(const base::Secret& password) {
    return account::scram::make(password.reveal()).text();
}

/// What is wrong with settings, all of it.
std::optional<Failure> fault(const std::string& name, const config::AccountSettings& settings,
                             const config::Config& config) {
    const auto reading = config::read_account(name, settings, config);
    if (reading.faults.empty()) return std::nullopt;
    return invalid(fmt::format("{}", fmt::join(reading.faults, "; ")));
}

void log_faults(const std::map<std::string, std::string, std::less<>>& faults) {
    for (const auto& [name, why] : faults)
        base::log::error(
            "account does not fit the configuration",
            {{"account", name},
             {"reason", why},
             {"result", "not active; correct the configuration, or use outpostctl account set"}});
}

}  // namespace

AccountKeeper::AccountKeeper(store::AccountStore& store, const base::Clock& clock,
                             config::Config file, std::string key)
    : store_(store), clock_(clock), key_(std::move(key)) {
    account::hash_passwords(file, key_);
    State state{.file = std::move(file), .stored = store.load(), .config = {}, .faults = {}};
    MergedAccounts merged = merge_accounts(state.file, state.stored);
    if (!merged.conflicts.empty())
        throw base::StartFailure(EX_CONFIG,
                                 fmt::format("{}", fmt::join(merged.conflicts, "\noutpostd: ")));
    log_faults(merged.faults);
    state.config = std::make_shared<const config::Config>(std::move(merged.config));
    state.faults = std::move(merged.faults);
    state_ = std::make_shared<const State>(std::move(state));
}

std::shared_ptr<const AccountKeeper::State> AccountKeeper::state() const {
    const std::lock_guard lock(mutex_);
    return state_;
}

void AccountKeeper::publish(std::shared_ptr<const State> next) {
    const std::lock_guard lock(mutex_);
    state_ = std::move(next);
}

std::shared_ptr<const config::Config> AccountKeeper::config() const {
    return state()->config;
}

std::expected<void, std::vector<std::string>> AccountKeeper::reload(config::Config file,
                                                                    const Apply& use) {
    account::hash_passwords(file, key_);
    const std::lock_guard one(changing_);
    const auto before = state();
    auto next = std::make_shared<State>(State{std::move(file), before->stored, {}, {}});
    MergedAccounts merged = merge_accounts(next->file, next->stored);
    if (!merged.conflicts.empty()) return std::unexpected(std::move(merged.conflicts));
    log_faults(merged.faults);
    for (auto [name, account] : before->config->accounts) {
        const bool routed = account.route.empty() ? config::has_route(account, next->file)
                                                  : next->file.upstreams.contains(account.route) ||
                                                        next->file.groups.contains(account.route);
        if (merged.config.accounts.contains(name) || !routed) continue;
        account.removed = true;
        account.password_hash.clear();
        merged.config.accounts.emplace(name, std::move(account));
    }
    next->config = std::make_shared<const config::Config>(std::move(merged.config));
    next->faults = std::move(merged.faults);
    use(*next->config);
    publish(next);
    return {};
}

AccountKeeper::Result<base::Secret> AccountKeeper::add(const std::string& name,
                                                       config::AccountSettings settings) {
    if (auto wrong = config::account_name_fault(name)) return std::unexpected(invalid(*wrong));
    if (name == "defaults")
        return std::unexpected(
            invalid("\"defaults\" is what accounts inherit; choose another name"));
    const std::lock_guard one(changing_);
    const auto before = state();
    const std::string shown = base::printable(name, 64);
    if (before->file.accounts.contains(name))
        return std::unexpected(invalid(fmt::format(
            "account {} is in the configuration, at {}; choose another name, or change it there",
            shown, before->file.account_places.at(name))));
    const auto there = before->stored.accounts.find(name);
    if (there != before->stored.accounts.end() && !there->second.removed)
        return std::unexpected(invalid(
            fmt::format("account {} is there already; change it with `outpostctl account set`, or "
                        "give this one another name",
                        shown)));
    std::erase_if(settings, [](const auto& setting) { return setting.second.empty(); });
    if (auto wrong = fault(name, settings, before->file)) return std::unexpected(std::move(*wrong));
    auto password = account::random_password();
    const auto now = clock_.wall();
    auto done = put(*before, {.name = name,
                              .password_hash = hash(password),
                              .settings = std::move(settings),
                              .created = now,
                              .changed = now});
    if (!done) return std::unexpected(std::move(done.error()));
    return password;
}

AccountKeeper::Result<void> AccountKeeper::set(const std::string& name,
                                               const config::AccountSettings& settings) {
    const std::lock_guard one(changing_);
    const auto before = state();
    auto account = changeable(*before, name, "change it there");
    if (!account) return std::unexpected(std::move(account.error()));
    if (settings.empty())
        return std::unexpected(
            invalid("nothing is to be changed; name an option such as --quota 5000/day"));
    for (const auto& [option, value] : settings) {
        if (value.empty()) {
            account->settings.erase(option);
        } else {
            account->settings[option] = value;
        }
    }
    if (auto wrong = fault(name, account->settings, before->file))
        return std::unexpected(std::move(*wrong));
    return put(*before, std::move(*account));
}

AccountKeeper::Result<base::Secret> AccountKeeper::reset_password(const std::string& name) {
    const std::lock_guard one(changing_);
    const auto before = state();
    auto account = changeable(*before, name,
                              "make a hash with `outpostctl hash-password` and set password_hash "
                              "there");
    if (!account) return std::unexpected(std::move(account.error()));
    auto password = account::random_password();
    account->password_hash = hash(password);
    auto done = put(*before, std::move(*account));
    if (!done) return std::unexpected(std::move(done.error()));
    return password;
}

AccountKeeper::Result<void> AccountKeeper::remove(const std::string& name) {
    const std::lock_guard one(changing_);
    const auto before = state();
    auto account = changeable(*before, name, "remove it there, or disable it");
    if (!account) return std::unexpected(std::move(account.error()));
    account->password_hash.clear();
    account->removed = clock_.wall();
    return put(*before, std::move(*account));
}

AccountKeeper::Result<void> AccountKeeper::disable(const std::string& name) {
    return set_disabled(name, true);
}

AccountKeeper::Result<void> AccountKeeper::enable(const std::string& name) {
    return set_disabled(name, false);
}

AccountKeeper::Result<void> AccountKeeper::set_disabled(const std::string& name, bool disabled) {
    const std::lock_guard one(changing_);
    const auto before = state();
    const auto in_file = before->file.accounts.find(name);
    const auto stored = before->stored.accounts.find(name);
    if (in_file == before->file.accounts.end() &&
        (stored == before->stored.accounts.end() || stored->second.removed))
        return std::unexpected(unknown(*before, name));
    if (!disabled && in_file != before->file.accounts.end() && !in_file->second.active &&
        !before->stored.disabled.contains(name))
        return std::unexpected(invalid(fmt::format(
            "account {} is not active in the configuration, at {}; change `active` there",
            base::printable(name, 64), before->file.account_places.at(name))));
    const auto at = disabled ? std::optional(clock_.wall()) : std::nullopt;
    if (auto done = store_.set_disabled(name, at); !done)
        return std::unexpected(broken(std::move(done.error())));
    auto next = std::make_shared<State>(*before);
    next->stored.disabled.erase(name);
    if (at) next->stored.disabled.emplace(name, *at);
    return use(std::move(next));
}

AccountKeeper::Result<void> AccountKeeper::put(const State& before, store::StoredAccount account) {
    account.changed = clock_.wall();
    if (auto done = store_.put(account); !done)
        return std::unexpected(broken(std::move(done.error())));
    auto next = std::make_shared<State>(before);
    if (account.removed) next->stored.disabled.erase(account.name);
    next->stored.accounts[account.name] = std::move(account);
    return use(std::move(next));
}

AccountKeeper::Result<void> AccountKeeper::use(std::shared_ptr<State> next) {
    MergedAccounts merged = merge_accounts(next->file, next->stored);
    // What a reload has left as removed.
    for (const auto& [name, account] : next->config->accounts)
        if (account.removed) merged.config.accounts.emplace(name, account);
    next->config = std::make_shared<const config::Config>(std::move(merged.config));
    next->faults = std::move(merged.faults);
    publish(next);
    try {
        if (apply_) apply_(*next->config);
    } catch (const std::exception& e) {
        return std::unexpected(broken(fmt::format(
            "the change is stored, but takes effect at the next start only: {}; a password that "
            "was made is lost, make another with `outpostctl account reset-password`",
            e.what())));
    }
    return {};
}

AccountKeeper::Result<store::StoredAccount> AccountKeeper::changeable(const State& state,
                                                                      const std::string& name,
                                                                      std::string_view advice) {
    if (state.file.accounts.contains(name))
        return std::unexpected(invalid(fmt::format("account {} is in the configuration, at {}; {}",
                                                   base::printable(name, 64),
                                                   state.file.account_places.at(name), advice)));
    const auto found = state.stored.accounts.find(name);
    if (found == state.stored.accounts.end() || found->second.removed)
        return std::unexpected(unknown(state, name));
    return found->second;
}

AccountKeeper::Failure AccountKeeper::unknown(const State& state, std::string_view name) {
    std::vector<std::string_view> names;
    for (const auto& [each, account] : state.file.accounts) names.push_back(each);
    for (const auto& [each, account] : state.stored.accounts)
        if (!account.removed) names.push_back(each);
    const auto near = base::near_match(name, names);
    return {Failure::Kind::unknown,
            fmt::format("there is no account {}{}", base::printable(name, 64),
                        near ? fmt::format("; did you mean {}?", *near) : "")};
}

AccountKeeper::View AccountKeeper::view(const State& state, const config::Account& account) {
    View view{.account = account, .place = {}, .fault = {}, .disabled = {}};
    if (const auto found = state.file.account_places.find(account.name);
        found != state.file.account_places.end())
        view.place = found->second;
    if (const auto found = state.faults.find(account.name); found != state.faults.end())
        view.fault = found->second;
    if (const auto found = state.stored.disabled.find(account.name);
        found != state.stored.disabled.end())
        view.disabled = found->second;
    const auto stored = state.stored.accounts.find(account.name);
    if (stored == state.stored.accounts.end() || !view.place.empty()) return view;
    view.created = stored->second.created;
    view.changed = stored->second.changed;
    return view;
}

std::vector<AccountKeeper::View> AccountKeeper::list() const {
    const auto now = state();
    std::vector<View> views;
    for (const auto& [name, account] : now->config->accounts) views.push_back(view(*now, account));
    for (const auto& [name, why] : now->faults) {
        if (now->config->accounts.contains(name)) continue;
        config::Account account;
        account.name = name;
        account.active = false;
        account.removed = now->stored.accounts.at(name).removed.has_value();
        views.push_back(view(*now, account));
    }
    return views;
}

std::optional<AccountKeeper::View> AccountKeeper::find(std::string_view name) const {
    for (View& each : list())
        if (each.account.name == name) return std::move(each);
    return std::nullopt;
}

}  // namespace outpost::control

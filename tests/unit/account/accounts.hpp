#pragma once

#include <memory>
#include <string>
#include <variant>

#include "account/authenticator.hpp"
#include "account/scram.hpp"
#include "base/clock.hpp"

namespace outpost::account {

/// A clock that the test moves.
class FakeClock final : public base::Clock {
  public:
    [[nodiscard]] base::WallTime wall() const override { return base::WallTime{} + passed_; }
    [[nodiscard]] base::MonoTime mono() const override {
        return base::MonoTime{} + std::chrono::hours(1) + passed_;
    }
    void advance(std::chrono::milliseconds by) { passed_ += by; }

  private:
    std::chrono::milliseconds passed_{0};
};

inline config::Account account_named(const std::string& name, const std::string& password) {
    config::Account account;
    account.name = name;
    account.password = base::Secret(password);
    account.authorized_domains = {name + ".example"};
    account.route = "upstream";
    return account;
}

inline config::Config config_with(std::initializer_list<config::Account> accounts) {
    config::Config config;
    for (const config::Account& account : accounts) config.accounts[account.name] = account;
    return config;
}

inline std::shared_ptr<const Directory> directory_of(
    std::initializer_list<config::Account> accounts) {
    return Directory::build(config_with(accounts), "a key for tests");
}

inline config::IpAddress address(std::string_view text) {
    return config::IpAddress::parse(text).value();
}

/// An exchange where work() is called at once.
inline AuthStep finish(AuthExchange& exchange, AuthStep step) {
    return std::holds_alternative<AuthPending>(step) ? exchange.work() : step;
}

/// A whole AUTH PLAIN.
inline AuthStep sign_in(Authenticator& authenticator, const std::string& name,
                        const std::string& password, std::string_view from = "192.0.2.1") {
    const auto exchange = authenticator.exchange(address(from));
    std::string message;
    message += '\0';
    message += name;
    message += '\0';
    message += password;
    return finish(*exchange, exchange->start("PLAIN", message));
}

/// `ok NAME`, `challenge OCTETS`, `pending`, or the failure's name.
inline std::string shown(const AuthStep& step) {
    static constexpr const char* failures[] = {
        "credentials",       "mechanism",         "syntax",     "inactive", "network",
        "account_throttled", "address_throttled", "unavailable"};
    if (const auto* success = std::get_if<AuthSuccess>(&step))
        return "ok " + success->account->name;
    if (const auto* challenge = std::get_if<AuthChallenge>(&step)) {
        return "challenge " + challenge->octets;
    }
    if (const auto* refusal = std::get_if<AuthRefusal>(&step)) {
        return failures[static_cast<std::size_t>(refusal->failure)];
    }
    return "pending";
}

}  // namespace outpost::account

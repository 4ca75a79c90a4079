#include "account/authenticator.hpp"

#include "account/sasl_library.hpp"

namespace outpost::account {

Authenticator::Authenticator(std::shared_ptr<const Directory> directory,
                             const config::Submission& limits, const base::Clock& clock)
    : directory_(std::move(directory)),
      clock_(clock),
      throttle_(limits.auth_failures_per_address, limits.auth_failures_per_account) {
    prepare_sasl();
}

std::span<const std::string_view> Authenticator::mechanisms() {
    static constexpr std::string_view names[] = {"SCRAM-SHA-256", "PLAIN", "LOGIN"};
    return names;
}

std::shared_ptr<AuthExchange> Authenticator::exchange(const config::IpAddress& client) {
    return std::make_shared<AuthExchange>(*this, client);
}

std::optional<base::WallTime> Authenticator::locked_until(std::string_view account) {
    const base::MonoTime now = clock_.mono();
    const auto until = throttle_.account_blocked_until(account, now);
    if (!until) return std::nullopt;
    return clock_.wall() + std::chrono::duration_cast<std::chrono::milliseconds>(*until - now);
}

void Authenticator::unlock(std::string_view account) {
    throttle_.forget(account);
}

bool Authenticator::address_throttled(const config::IpAddress& client) {
    return throttle_.address_blocked(client, clock_.mono());
}

std::shared_ptr<const Directory> Authenticator::directory() const {
    const std::lock_guard lock(mutex_);
    return directory_;
}

void Authenticator::replace(std::shared_ptr<const Directory> directory) {
    const std::lock_guard lock(mutex_);
    directory_ = std::move(directory);
    generation_.fetch_add(1, std::memory_order_release);
}

}  // namespace outpost::account

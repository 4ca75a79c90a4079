#include "account/auth_throttle.hpp"

#include <fmt/format.h>

namespace outpost::account {
namespace {

std::string key_of(const config::IpAddress& client) {
    const config::IpAddress group = client.client_group();
    return {reinterpret_cast<const char*>(group.octets.data()), group.octets.size()};
}

std::string key_of(std::string_view account, const config::IpAddress& client) {
    return key_of(client).append(account);
}

}  // namespace

AuthThrottle::AuthThrottle(config::CountPerPeriod per_address, config::CountPerPeriod per_account)
    : addresses_(per_address.count, per_address.period),
      accounts_(per_account.count, per_account.period),
      trusted_(1, trust) {}

bool AuthThrottle::address_blocked(const config::IpAddress& client, base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    return addresses_.full(key_of(client), now);
}

bool AuthThrottle::account_blocked(std::string_view account, const config::IpAddress& client,
                                   base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    return accounts_.full(account, now) && !trusted_.full(key_of(account, client), now);
}

std::optional<base::MonoTime> AuthThrottle::account_blocked_until(std::string_view account,
                                                                  base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    return accounts_.full_until(account, now);
}

void AuthThrottle::forget(std::string_view account) {
    const std::lock_guard lock(mutex_);
    accounts_.erase(account);
}

void AuthThrottle::failed(std::string_view account, const config::IpAddress& client,
                          base::MonoTime now) {
    const std::lock_guard lock(mutex_);
    addresses_.add(key_of(client), now);
    accounts_.add(std::string(account), now);
}

void AuthThrottle::succeeded(std::string_view account, const config::IpAddress& client,
                             base::MonoTime now) {
    std::string key = key_of(account, client);
    const std::lock_guard lock(mutex_);
    trusted_.add(std::move(key), now);
}

bool AuthThrottle::Windows::full(std::string_view key, base::MonoTime now) const {
    return full_until(key, now).has_value();
}

std::optional<base::MonoTime> AuthThrottle::Windows::full_until(std::string_view key,
                                                                base::MonoTime now) const {
    const auto found = windows_.find(key);
    if (found == windows_.end()) return std::nullopt;
    const Window& window = *found->second;
    if (window.events.size() < count_) return std::nullopt;
    // The ring's next place holds its oldest event.
    const base::MonoTime end = window.events[window.next] + period_;
    return now < end ? std::optional(end) : std::nullopt;
}

void AuthThrottle::Windows::erase(std::string_view key) {
    const auto found = windows_.find(key);
    if (found == windows_.end()) return;
    const auto window = found->second;
    windows_.erase(found);
    by_age_.erase(window);
}

void AuthThrottle::Windows::add(std::string key, base::MonoTime now) {
    auto found = windows_.find(key);
    if (found == windows_.end()) {
        if (by_age_.size() >= max_keys) {
            windows_.erase(by_age_.front().key);
            by_age_.pop_front();
        }
        by_age_.push_back({std::move(key), {}, 0});
        found = windows_.emplace(by_age_.back().key, std::prev(by_age_.end())).first;
    } else {
        by_age_.splice(by_age_.end(), by_age_, found->second);
    }
    Window& window = *found->second;
    if (window.events.size() < count_) {
        window.events.push_back(now);
    } else {
        window.events[window.next] = now;
        window.next = (window.next + 1) % count_;
    }
}

}  // namespace outpost::account

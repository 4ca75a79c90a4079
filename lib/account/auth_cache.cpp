#include "account/auth_cache.hpp"

#include <algorithm>
#include <cstring>

#include "account/scram.hpp"
#include "base/random.hpp"

namespace outpost::account {

AuthCache::AuthCache() : key_(base::random_octets(32)) {}

std::size_t AuthCache::Hash::operator()(const Digest& digest) const noexcept {
    std::size_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

AuthCache::Digest AuthCache::digest(const Claim& claim) const {
    std::string octets;
    octets.reserve(claim.name.size() + claim.password.size() + claim.stored_key.size() + 16);
    for (const std::string_view part : {claim.name, claim.password, claim.stored_key}) {
        // With its length, so that no two claims make the same octets.
        const std::uint64_t size = part.size();
        octets.append(reinterpret_cast<const char*>(&size), sizeof size);
        octets.append(part);
    }
    const std::string mac = scram::hmac(key_, octets);
    std::ranges::fill(octets, '\0');
    Digest result{};
    std::memcpy(result.data(), mac.data(), result.size());
    return result;
}

bool AuthCache::contains(const Claim& claim, base::MonoTime now) {
    const Digest key = digest(claim);
    const std::lock_guard lock(mutex_);
    const auto found = expiry_.find(key);
    return found != expiry_.end() && now < found->second;
}

void AuthCache::insert(const Claim& claim, base::MonoTime now) {
    const Digest key = digest(claim);
    const std::lock_guard lock(mutex_);
    while (!order_.empty() && (order_.front().first <= now || order_.size() >= max_entries)) {
        expiry_.erase(order_.front().second);
        order_.pop_front();
    }
    if (expiry_.try_emplace(key, now + lifetime).second) order_.emplace_back(now + lifetime, key);
}

}  // namespace outpost::account

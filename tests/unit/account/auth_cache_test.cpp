#include "account/auth_cache.hpp"

#include <gtest/gtest.h>

#include <string>

namespace outpost::account {
namespace {

constexpr AuthCache::Claim claim{"alice", "secret", "stored key"};

TEST(AuthCache, RemembersASuccessForItsLifetime) {
    AuthCache cache;
    const base::MonoTime now{};
    EXPECT_FALSE(cache.contains(claim, now));
    cache.insert(claim, now);
    EXPECT_TRUE(cache.contains(claim, now));
    EXPECT_TRUE(cache.contains(claim, now + AuthCache::lifetime - std::chrono::nanoseconds(1)));
    EXPECT_FALSE(cache.contains(claim, now + AuthCache::lifetime));
}

TEST(AuthCache, KnowsNothingOfOtherClaims) {
    AuthCache cache;
    cache.insert(claim, {});
    EXPECT_FALSE(cache.contains({"alic", "esecret", "stored key"}, {}));
    EXPECT_FALSE(cache.contains({"alice", "secre", "tstored key"}, {}));
    EXPECT_FALSE(cache.contains({"alice", "secret", "another stored key"}, {}));
    EXPECT_FALSE(cache.contains({"alice", "Secret", "stored key"}, {}));
    EXPECT_FALSE(cache.contains({"bob", "secret", "stored key"}, {}));
}

TEST(AuthCache, CanBeFilledAnewAfterExpiry) {
    AuthCache cache;
    cache.insert(claim, {});
    const base::MonoTime later = base::MonoTime{} + AuthCache::lifetime;
    cache.insert(claim, later);
    EXPECT_TRUE(cache.contains(claim, later));
}

TEST(AuthCache, DropsTheOldestWhenFull) {
    AuthCache cache;
    cache.insert(claim, {});
    for (std::size_t i = 0; i < AuthCache::max_entries - 1; ++i) {
        cache.insert({"bob", std::to_string(i), "key"}, {});
    }
    EXPECT_TRUE(cache.contains(claim, {}));
    cache.insert({"bob", "one more", "key"}, {});
    EXPECT_FALSE(cache.contains(claim, {}));
    EXPECT_TRUE(cache.contains({"bob", "one more", "key"}, {}));
    EXPECT_TRUE(cache.contains({"bob", "0", "key"}, {}));
}

}  // namespace
}  // namespace outpost::account

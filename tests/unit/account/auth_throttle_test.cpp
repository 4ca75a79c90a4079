#include "account/auth_throttle.hpp"

#include <gtest/gtest.h>

#include "accounts.hpp"

namespace outpost::account {
namespace {

using namespace std::chrono_literals;

class AuthThrottleTest : public testing::Test {
  protected:
    void fail(std::string_view account, std::string_view from, unsigned times) {
        for (unsigned i = 0; i < times; ++i) throttle_.failed(account, address(from), now_);
    }
    bool account_blocked(std::string_view account, std::string_view from) {
        return throttle_.account_blocked(account, address(from), now_);
    }
    bool address_blocked(std::string_view from) {
        return throttle_.address_blocked(address(from), now_);
    }

    AuthThrottle throttle_{{5, 10min}, {3, 10min}};
    base::MonoTime now_ = base::MonoTime{} + 100h;
};

TEST_F(AuthThrottleTest, BlocksAnAddressAtItsLimit) {
    fail("alice", "192.0.2.1", 4);
    EXPECT_FALSE(address_blocked("192.0.2.1"));
    fail("bob", "192.0.2.1", 1);
    EXPECT_TRUE(address_blocked("192.0.2.1"));
    EXPECT_FALSE(address_blocked("192.0.2.2"));
}

TEST_F(AuthThrottleTest, CountsAnIpv6NetworkAsOne) {
    fail("alice", "2001:db8::1", 3);
    fail("bob", "2001:db8::ffff:2", 2);
    EXPECT_TRUE(address_blocked("2001:db8::3"));
    EXPECT_FALSE(address_blocked("2001:db8:0:1::1"));
}

TEST_F(AuthThrottleTest, CountsAnAccountOverAllAddresses) {
    fail("alice", "192.0.2.1", 2);
    fail("alice", "192.0.2.2", 1);
    EXPECT_TRUE(account_blocked("alice", "192.0.2.9"));
    EXPECT_FALSE(account_blocked("bob", "192.0.2.9"));
}

TEST_F(AuthThrottleTest, TheWindowSlides) {
    fail("alice", "192.0.2.1", 2);
    now_ += 9min;
    fail("alice", "192.0.2.1", 1);
    EXPECT_TRUE(account_blocked("alice", "192.0.2.1"));
    now_ += 1min;
    EXPECT_FALSE(account_blocked("alice", "192.0.2.1"));
    fail("alice", "192.0.2.1", 2);
    EXPECT_TRUE(account_blocked("alice", "192.0.2.1"));
    now_ += 10min;
    EXPECT_FALSE(account_blocked("alice", "192.0.2.1"));
}

TEST_F(AuthThrottleTest, LetsTheOwnersAddressInWhileOthersFail) {
    throttle_.succeeded("alice", address("198.51.100.7"), now_);
    fail("alice", "192.0.2.1", 3);
    EXPECT_TRUE(account_blocked("alice", "192.0.2.1"));
    EXPECT_FALSE(account_blocked("alice", "198.51.100.7"));
    now_ += AuthThrottle::trust;
    fail("alice", "192.0.2.1", 3);
    EXPECT_TRUE(account_blocked("alice", "198.51.100.7"));
}

TEST_F(AuthThrottleTest, ASuccessClearsNoCount) {
    fail("alice", "192.0.2.1", 3);
    fail("bob", "192.0.2.1", 2);
    throttle_.succeeded("bob", address("192.0.2.1"), now_);
    EXPECT_TRUE(address_blocked("192.0.2.1"));
    EXPECT_TRUE(account_blocked("alice", "192.0.2.1"));
    fail("bob", "192.0.2.1", 1);
    EXPECT_TRUE(account_blocked("bob", "192.0.2.2"));
}

TEST_F(AuthThrottleTest, SaysUntilWhenAnAccountIsLockedAndAnOperatorEndsIt) {
    fail("alice", "192.0.2.1", 2);
    EXPECT_EQ(throttle_.account_blocked_until("alice", now_), std::nullopt);
    now_ += 4min;
    fail("alice", "192.0.2.1", 1);
    EXPECT_EQ(throttle_.account_blocked_until("alice", now_), now_ + 6min);
    throttle_.forget("alice");
    throttle_.forget("nobody");
    EXPECT_EQ(throttle_.account_blocked_until("alice", now_), std::nullopt);
    EXPECT_FALSE(account_blocked("alice", "192.0.2.9"));
    fail("alice", "192.0.2.1", 2);
    EXPECT_FALSE(account_blocked("alice", "192.0.2.9")) << "counted from the beginning";
}

TEST_F(AuthThrottleTest, ForgetsWhoFailedLongestAgoWhenFull) {
    fail("first", "192.0.2.1", 3);
    fail("kept", "192.0.2.1", 2);
    for (std::size_t i = 0; i < AuthThrottle::max_keys - 2; ++i) {
        fail("filler" + std::to_string(i), "192.0.2.1", 1);
    }
    fail("kept", "192.0.2.1", 1);
    fail("one more", "192.0.2.1", 1);
    EXPECT_FALSE(account_blocked("first", "192.0.2.1"));
    EXPECT_TRUE(account_blocked("kept", "192.0.2.1"));
}

}  // namespace
}  // namespace outpost::account

#include "store/shared_counter.hpp"

#include <gtest/gtest.h>

namespace outpost::store {
namespace {

constexpr std::int64_t hour = 3'600'000;
// Half an hour into an hour of UTC, far from the local clock's zero.
constexpr std::int64_t server_start = 500'000 * hour + hour / 2;

/// A node whose server's clock shows `server_start` at local time 0, and which asks by itself.
struct SharedCounterTest : testing::Test {
    static Moment at(std::int64_t mono) {
        return {mono, server_start + mono, server_start + mono + 2};
    }
    void report(std::uint64_t taken, std::uint64_t used, std::uint64_t returned,
                std::int64_t mono) {
        limit::LeaseRequest request;
        request.limits = limits;
        request.taken.recipients = taken;
        request.used.recipients = used;
        request.returned.recipients = returned;
        counter.report(request, at(mono));
    }
    /// Redis grants; nothing it is asked for it does not know, unless said so.
    void contact(std::uint64_t grant, std::uint64_t promise, std::int64_t mono, bool known = true) {
        Contact contact;
        contact.server_time = server_start + mono;
        contact.epoch = fallback.epoch;
        contact.grant.recipients = grant;
        for (const auto& limit : counter.shared())
            contact.limits.push_back({limit.count ? promise : 0, known});
        fallback.epochs[contact.epoch] = {.silent_from = mono + 1000,
                                          .silent_server = server_start + mono + 1000,
                                          .since = fallback.since,
                                          .since_here = fallback.since - server_start,
                                          .whole = !fallback.lost};
        counter.contact(contact, mono);
    }
    [[nodiscard]] std::uint64_t room(std::int64_t mono, double held_back = 0) const {
        return counter.room({1'000'000, 0, 0}, held_back, fallback, at(mono), nullptr).recipients;
    }
    /// From when Redis surely keeps our share.
    [[nodiscard]] std::int64_t alone_from(std::int64_t contact_at) const {
        return contact_at + 1000 + fallback.away + fallback.margin;
    }

    limit::Limits limits;
    SharedCounter counter;
    Fallback fallback{
        .share = 0.5, .connected = false, .epoch = "e1", .epochs = {}, .since = 0, .lost = false};
};

struct AMinutesRate : SharedCounterTest {
    AMinutesRate() { limits.rates.push_back({100, std::chrono::minutes(1), {}}); }
    static constexpr std::int64_t period = 60'000;
};

TEST_F(AMinutesRate, HasNothingBeforeTheFirstContact) {
    report(0, 0, 0, 0);
    EXPECT_EQ(room(0), 0U);
    EXPECT_EQ(room(10 * hour), 0U);
}

TEST_F(AMinutesRate, GivesItsShareOnlyOnceWhatOthersUsedHasLeftTheWindow) {
    report(0, 0, 0, 0);
    contact(10, 0, 0);
    EXPECT_EQ(room(alone_from(0) + period), 0U);
    EXPECT_EQ(room(alone_from(0) + period + 1), 40U) << "50, but 10 are in hand";
}

TEST_F(AMinutesRate, CountsItsOwnUseForAWindow) {
    report(0, 0, 0, 0);
    contact(10, 0, 0);
    const std::int64_t later = 2 * period;
    counter.grant({40, 0, 0});
    report(50, 30, 0, later);  // 20 on the wire
    EXPECT_EQ(room(later), 0U);
    report(50, 50, 0, later + 5000);
    EXPECT_EQ(room(later + period), 0U);
    EXPECT_EQ(room(later + period + 1), 30U);
    EXPECT_EQ(room(later + 5000 + period + 1), 50U);
}

TEST_F(AMinutesRate, WhatComesBackUnusedCanBeUsedAgain) {
    report(0, 0, 0, 0);
    contact(10, 0, 0);
    report(10, 0, 4, 2 * period);
    EXPECT_EQ(room(2 * period), 44U);
}

TEST_F(AMinutesRate, LeavesFreeWhatIsHeldBackForOthers) {
    report(0, 0, 0, 0);
    contact(0, 0, 0);
    EXPECT_EQ(room(2 * period, 0.1), 45U);
}

TEST_F(AMinutesRate, EndsAfterADay) {
    report(0, 0, 0, 0);
    contact(0, 0, 0);
    EXPECT_EQ(room(fallback.longest), 50U);
    EXPECT_EQ(room(fallback.longest + 1), 0U);
}

TEST_F(AMinutesRate, ACallThatMayStillArrivePutsItsShareOff) {
    report(0, 0, 0, 0);
    contact(0, 0, 0);
    fallback.epochs["e1"].silent_from = 50'000;
    EXPECT_EQ(room(alone_from(0) + period + 1), 0U);
    EXPECT_EQ(room(alone_from(49'000) + period + 1), 50U);
}

TEST_F(AMinutesRate, AfterALossItGoesOnUntilRedisKnowsTheWholeWindow) {
    report(0, 0, 0, 0);
    contact(0, 0, 0);
    const std::int64_t back = 2 * period;
    fallback.connected = true;
    fallback.lost = true;
    fallback.epoch = "e2";
    fallback.since = server_start + back;
    fallback.epochs["e2"] = {.silent_from = back, .since_here = back};
    EXPECT_EQ(room(back + period - 3), 50U);
    EXPECT_EQ(room(back + period), 0U) << "Redis may grant now";
    // Cut off again: what others got until Redis missed us must leave the window first.
    fallback.connected = false;
    fallback.epochs["e2"].silent_from = back + period;
    EXPECT_EQ(room(alone_from(back + period - 1000) + period), 0U);
    EXPECT_EQ(room(alone_from(back + period - 1000) + period + 1), 50U);
}

TEST_F(AMinutesRate, ASecondLossDoesNotHideWhatRedisMayHaveGrantedAfterTheFirst) {
    const auto lose = [&](const char* epoch, std::int64_t mono) {
        fallback.lost = true;
        fallback.epoch = epoch;
        fallback.since = server_start + mono;
    };
    report(0, 0, 0, 0);
    contact(0, 0, 0);
    const std::int64_t first = 2 * period;
    lose("e2", first);
    contact(0, 0, first, false);
    EXPECT_EQ(room(first + 1), 50U);
    // A moment later Redis knows the whole minute, and still hears us.
    contact(0, 0, first + period, false);
    const std::int64_t second = first + period + 4000;
    lose("e3", second);
    contact(0, 0, second, false);
    EXPECT_EQ(room(second + 1), 0U) << "others may have had all of it just before";
    EXPECT_EQ(room(alone_from(first + period) + period), 0U);
    EXPECT_EQ(room(alone_from(first + period) + period + 1), 50U);
}

struct AnHoursQuota : SharedCounterTest {
    AnHoursQuota() { limits.quota.hourly = 1000; }
};

TEST_F(AnHoursQuota, GivesAtOnceWhatWasPromised) {
    report(0, 0, 0, 0);
    contact(10, 200, 0);
    EXPECT_EQ(room(1), 200U);
    counter.grant({150, 0, 0});
    EXPECT_EQ(room(2), 50U);
    report(160, 150, 10, 3);
    EXPECT_EQ(room(3), 60U) << "10 came back";
}

TEST_F(AnHoursQuota, APromiseEndsWithItsPeriodAndTheShareOfTheNextFollows) {
    report(0, 0, 0, 0);
    contact(0, 200, 0);
    EXPECT_EQ(room(hour / 2 - 3), 200U);
    EXPECT_EQ(room(hour / 2 + 1), 500U);
    counter.grant({500, 0, 0});
    report(500, 500, 0, hour / 2 + 10);
    EXPECT_EQ(room(hour / 2 + 20), 0U);
    EXPECT_EQ(room(hour / 2 + hour + 1), 500U);
}

TEST_F(AnHoursQuota, APeriodThatBeganBeforeRedisMissedUsIsLeftToTheOthers) {
    report(0, 0, 0, 0);
    contact(0, 200, hour / 2 - 2000);
    EXPECT_EQ(room(hour / 2 + 60'000), 0U);
    EXPECT_EQ(room(hour / 2 + hour + 1), 500U);
}

TEST_F(AnHoursQuota, WhatRedisDoesNotKnowAfterALossRestsOnTheOldPromise) {
    report(0, 0, 0, 0);
    contact(0, 200, 0);
    fallback.connected = true;
    fallback.lost = true;
    fallback.epoch = "e2";
    fallback.since = server_start + 5000;
    contact(30, 0, 6000, false);  // by other limits
    EXPECT_EQ(room(6000), 170U);
}

TEST_F(SharedCounterTest, TheTightestLimitDecides) {
    limits.rates.push_back({100, std::chrono::minutes(1), {}});
    limits.rates.push_back({400, std::chrono::minutes(10), {}});
    report(0, 0, 0, 0);
    contact(0, 30, 0);
    EXPECT_EQ(room(61'000 + 5000), 30U) << "of ten minutes only the promise";
    EXPECT_EQ(room(601'000 + 5000), 50U);
}

TEST_F(SharedCounterTest, UnitsThatNoLimitCountsAreFree) {
    limits.rates.push_back({100, std::chrono::minutes(1), limit::Unit::messages});
    report(0, 0, 0, 0);
    EXPECT_EQ(counter.room({7, 7, 7}, 0, fallback, at(1), nullptr), (limit::Usage{7, 0, 7}));
}

}  // namespace
}  // namespace outpost::store

#include "limit/lease_size.hpp"

#include <gtest/gtest.h>

namespace outpost::limit {
namespace {

using Count = std::optional<std::uint64_t>;

Quota quota(Count hourly, Count daily, Count monthly) {
    return {hourly, daily, monthly, TimeZone()};
}

LeaseSize sized(const std::vector<const char*>& rates, Quota quota = {}) {
    Limits limits;
    for (const char* rate : rates) limits.rates.push_back(parse_rate(rate).value());
    limits.quota = quota;
    return lease_size(limits);
}

TEST(LeaseSize, IsAHundredthOrASecondsWorth) {
    EXPECT_EQ(sized({"1200/h"}).block, (Usage{12, 0, 0}));
    EXPECT_EQ(sized({"14/s"}).block, (Usage{14, 0, 0}));
    EXPECT_EQ(sized({"600/m"}).block, (Usage{10, 0, 0}));
    EXPECT_EQ(sized({"601/m"}).block, (Usage{11, 0, 0}));
    EXPECT_EQ(sized({"10/d"}).block, (Usage{1, 0, 0}));
    EXPECT_EQ(sized({"500 messages/5m"}).block, (Usage{0, 5, 0}));
}

TEST(LeaseSize, IsThatOfTheStrictestLimitOfEachUnit) {
    EXPECT_EQ(sized({"14/s", "1200/h", "80MB/5m"}).block, (Usage{12, 0, ((80U << 20) + 99) / 100}));
    EXPECT_EQ(sized({"14/s"}, quota({}, 50000, {})).block, (Usage{14, 0, 0}));
    EXPECT_EQ(sized({"100/s"}, quota(500, {}, 200000)), (LeaseSize{{5, 0, 0}, {100, 0, 0}}));
    EXPECT_EQ(sized({}, quota(3, {}, {})), (LeaseSize{{1, 0, 0}, {3, 0, 0}}));
}

TEST(LeaseSize, IsNothingForWhatNothingCounts) {
    EXPECT_EQ(sized({}), LeaseSize{});
}

}  // namespace
}  // namespace outpost::limit

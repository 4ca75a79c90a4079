#include "message/priority.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace outpost::message {
namespace {

TEST(Priority, MapsMtPriority) {
    for (const auto& [mt, priority] : {std::pair{9, 1},
                                       {6, 1},
                                       {5, 2},
                                       {2, 2},
                                       {1, 3},
                                       {0, 3},
                                       {-1, 3},
                                       {-2, 4},
                                       {-5, 4},
                                       {-6, 5},
                                       {-9, 5}})
        EXPECT_EQ(priority_from_mt(mt), priority) << mt;
}

struct Case {
    std::string name;
    std::string fields;
    std::optional<std::uint8_t> priority;
};

class HeaderPriority : public testing::TestWithParam<Case> {};

TEST_P(HeaderPriority, IsRead) {
    EXPECT_EQ(priority_from_header(read_header(GetParam().fields + "\r\n")), GetParam().priority);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, HeaderPriority,
    testing::Values(Case{"None", "Subject: x\r\n", std::nullopt},
                    Case{"Number", "X-Priority: 1\r\n", 1},
                    Case{"NumberLowest", "X-Priority: 5\r\n", 5},
                    Case{"NumberAndWord", "X-Priority: 1 (Highest)\r\n", 1},
                    Case{"NumberAndWordTogether", "X-Priority: 2(High)\r\n", 2},
                    Case{"NumberFolded", "X-Priority:\r\n 2\r\n", 2},
                    Case{"NumberTooBig", "X-Priority: 6\r\n", std::nullopt},
                    Case{"NumberTwoDigits", "X-Priority: 10\r\n", std::nullopt},
                    Case{"NumberZero", "X-Priority: 0\r\n", std::nullopt},
                    Case{"WordInXPriority", "X-Priority: High\r\n", 2},
                    Case{"ImportanceHigh", "Importance: high\r\n", 2},
                    Case{"ImportanceCase", "IMPORTANCE: HIGH\r\n", 2},
                    Case{"ImportanceNormal", "Importance: Normal\r\n", 3},
                    Case{"ImportanceLow", "Importance: low\r\n", 4},
                    Case{"PriorityUrgent", "Priority: urgent\r\n", 2},
                    Case{"PriorityNonUrgent", "Priority: non-urgent\r\n", 4},
                    Case{"MsMail", "X-MSMail-Priority: High\r\n", 2},
                    Case{"UnknownWord", "Importance: extreme\r\n", std::nullopt},
                    Case{"Empty", "Importance:\r\nX-Priority: \r\n", std::nullopt},
                    Case{"XPriorityBeforeWords", "Importance: Low\r\nX-Priority: 5 (Lowest)\r\n",
                         5},
                    Case{"HighestWord", "Priority: normal\r\nX-MSMail-Priority: High\r\n", 2}),
    [](const auto& info) { return info.param.name; });

TEST(Priority, TakesTheHigherOfAccountAndMessage) {
    EXPECT_EQ(effective_priority({.priority = 3, .cap = 1}, std::nullopt, std::nullopt), 3);
    EXPECT_EQ(effective_priority({.priority = 3, .cap = 1}, std::nullopt, 1), 1);
    EXPECT_EQ(effective_priority({.priority = 3, .cap = 1}, std::nullopt, 5), 3);
    EXPECT_EQ(effective_priority({.priority = 5, .cap = 1}, std::nullopt, 4), 4);
}

TEST(Priority, CapsWhatTheMessageAsksForOnly) {
    EXPECT_EQ(effective_priority({.priority = 3, .cap = 2}, std::nullopt, 1), 2);
    EXPECT_EQ(effective_priority({.priority = 1, .cap = 2}, std::nullopt, 5), 1);
    EXPECT_EQ(effective_priority({.priority = 4, .cap = 5}, 9, std::nullopt), 4);
}

TEST(Priority, TakesMtPriorityBeforeTheHeader) {
    EXPECT_EQ(effective_priority({.priority = 5, .cap = 1}, -4, 1), 4);
    EXPECT_EQ(effective_priority({.priority = 3, .cap = 1}, 9, 5), 1);
}

}  // namespace
}  // namespace outpost::message

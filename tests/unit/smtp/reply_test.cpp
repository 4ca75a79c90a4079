#include "smtp/reply.hpp"

#include <gtest/gtest.h>

namespace outpost::smtp {
namespace {

struct Case {
    std::string_view name;
    Reply reply;
    std::string_view wire;
    std::string_view text;
};

TEST(Reply, GoesOnTheWireAndIntoTheLog) {
    const Case cases[] = {
        {"one line", {250, {2, 0, 0}, {"Ok"}}, "250 2.0.0 Ok\r\n", "250 2.0.0 Ok"},
        {"no enhanced status", {354, {}, {"Go ahead"}}, "354 Go ahead\r\n", "354 Go ahead"},
        {"status on every line",
         {550, {5, 7, 1}, {"first", "second", "third"}},
         "550-5.7.1 first\r\n550-5.7.1 second\r\n550 5.7.1 third\r\n",
         "550 5.7.1 first second third"},
        {"several lines without status",
         {250, {}, {"relay.example.com", "PIPELINING"}},
         "250-relay.example.com\r\n250 PIPELINING\r\n",
         "250 relay.example.com PIPELINING"},
        {"empty challenge keeps its space", {334, {}, {""}}, "334 \r\n", "334"},
        {"empty text after a status", {250, {2, 1, 5}, {""}}, "250 2.1.5\r\n", "250 2.1.5"},
        {"no lines at all", {421, {4, 3, 2}, {}}, "421 4.3.2\r\n", "421 4.3.2"},
        {"large detail", {550, {5, 7, 999}, {"x"}}, "550 5.7.999 x\r\n", "550 5.7.999 x"},
    };
    for (const auto& [name, reply, wire, text] : cases) {
        SCOPED_TRACE(name);
        EXPECT_EQ(reply.wire(), wire);
        EXPECT_EQ(reply.text(), text);
    }
}

TEST(Reply, CannotBeMadeToForgeALine) {
    const Reply reply{550, {5, 1, 1}, {"no\r\n250 2.0.0 Ok", std::string("a\0b\x7F", 4)}};
    EXPECT_EQ(reply.wire(), "550-5.1.1 no??250 2.0.0 Ok\r\n550 5.1.1 a?b?\r\n");
    EXPECT_EQ(reply.text(), "550 5.1.1 no??250 2.0.0 Ok a?b?");
}

TEST(EnhancedStatus, IsEmptyTextWhereThereIsNone) {
    EXPECT_EQ(EnhancedStatus{}.text(), "");
    EXPECT_FALSE(EnhancedStatus{}.present());
    EXPECT_EQ((EnhancedStatus{4, 3, 1}.text()), "4.3.1");
}

}  // namespace
}  // namespace outpost::smtp

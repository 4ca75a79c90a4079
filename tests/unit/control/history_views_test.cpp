#include "control/history_views.hpp"

#include <gmock/gmock.h>

#include <map>
#include <vector>

namespace outpost::control {
namespace {

using namespace std::chrono_literals;
using history::Result;
using history::Row;
using testing::HasSubstr;

const base::WallTime noon = *base::parse_rfc3339("2026-11-21T12:00:00Z");

Request request(std::map<std::string, std::string, std::less<>> query) {
    return {.method = "GET", .path = "/v1/history", .query = std::move(query), .body = {}};
}

Row row(const std::string& recipient, Result result, const std::string& reply) {
    Row made;
    made.recipient = recipient;
    made.event.at = noon;
    made.event.result = result;
    made.event.upstream = "out";
    made.event.reply = reply;
    return made;
}

TEST(HistoryQuery, ReadsTimesInThreeForms) {
    EXPECT_EQ(read_history_query(request({{"since", "2h"}}), noon)->since, noon - 2h);
    EXPECT_EQ(read_history_query(request({{"since", "2026-11-20"}}), noon)->since, noon - 36h);
    EXPECT_EQ(read_history_query(request({{"until", "2026-11-21T12:30:00Z"}}), noon)->until,
              noon + 30min);
}

TEST(HistoryQuery, SaysWhatCannotBeRead) {
    const auto error = [](const char* key, const char* value) {
        const auto read = read_history_query(request({{key, value}}), noon);
        return read ? std::string("taken") : read.error();
    };
    EXPECT_THAT(error("since", "teatime"), HasSubstr("since: \"teatime\" is no time"));
    EXPECT_THAT(error("id", "x"), HasSubstr("is not a message id"));
    EXPECT_THAT(error("result", "eaten"), HasSubstr("result is one of delivered, deferred"));
    EXPECT_THAT(error("limit", "many"), HasSubstr("limit: "));
}

TEST(HistoryQuery, APageIsBounded) {
    EXPECT_EQ(read_history_query(request({}), noon)->limit, 100U);
    EXPECT_EQ(read_history_query(request({{"limit", "5000000"}}), noon)->limit, 1000U);
}

TEST(WhatBecame, TellsTheEndOfEachRecipientOnce) {
    const std::vector<Row> rows{row("b@x.net", Result::delivered, "250 Ok"),
                                row("a@x.net", Result::delivered, "250 Ok"),
                                row("c@x.net", Result::bounced, "550 No"),
                                row("a@x.net", Result::deferred, "450 Later"),
                                row("b@x.net", Result::deferred, "450 Later"),
                                row("", Result::held, "")};
    EXPECT_EQ(what_became(rows),
              "has left the queue: delivered to a@x.net, b@x.net at 2026-11-21T12:00:00Z by "
              "upstream out after 2 attempts: 250 Ok; bounced for c@x.net at "
              "2026-11-21T12:00:00Z by upstream out: 550 No");
}

TEST(WhatBecame, NamesAFewOfMany) {
    std::vector<Row> rows;
    for (const char name : {'a', 'b', 'c', 'd', 'e'})
        rows.push_back(row(std::string(1, name) + "@x.net", Result::delivered, "250 Ok"));
    EXPECT_THAT(what_became(rows), HasSubstr("to a@x.net, b@x.net, c@x.net and 2 more at"));
}

TEST(WhatBecame, SaysIfTheEndIsNotKnown) {
    const std::vector<Row> rows{row("a@x.net", Result::deferred, "450 Later")};
    EXPECT_THAT(what_became(rows), HasSubstr("its end was not written down"));
    Row again = row("a@x.net", Result::uncertain, "no answer");
    again.event.next_attempt = noon + 1min;
    EXPECT_THAT(what_became({&again, 1}), HasSubstr("its end was not written down"));
    again.event.next_attempt.reset();
    EXPECT_THAT(what_became({&again, 1}), HasSubstr("has left the queue: uncertain for a@x.net"));
}

TEST(WhatBecame, SaysNothingOfWhatItDoesNotKnow) {
    EXPECT_EQ(what_became({}), "");
    const Row held = row("", Result::held, "");
    EXPECT_EQ(what_became({&held, 1}), "");
    const Row damaged = row("", Result::damaged, "checksum");
    EXPECT_THAT(what_became({&damaged, 1}), HasSubstr("set aside: checksum"));
}

}  // namespace
}  // namespace outpost::control

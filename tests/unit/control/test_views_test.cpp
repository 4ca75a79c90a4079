#include "control/test_views.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace outpost::control {
namespace {

using ::testing::HasSubstr;

Request request(std::map<std::string, std::string, std::less<>> query) {
    return {.method = "POST",
            .path = "/v1/upstreams/office/send-test",
            .query = std::move(query),
            .body = {}};
}

TEST(TestViews, ReadsWhatIsToBeSent) {
    const auto read = read_test(
        request({{"to", "ann@example.org"}, {"from", "bob@example.com"}, {"subject", "Hi"}}));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->to, "ann@example.org");
    EXPECT_EQ(read->from, "bob@example.com");
    EXPECT_EQ(read->subject, "Hi");
    EXPECT_EQ(read_test(request({{"to", "ann@example.org"}}))->from, "");
}

TEST(TestViews, AnErrorNamesTheParameterAndItsValue) {
    EXPECT_EQ(read_test(request({{"to", "ann"}})).error(),
              "to: \"ann\" is no address; write local@domain");
    EXPECT_EQ(read_test(request({})).error(), "to: \"\" is no address; write local@domain");
    EXPECT_THAT(read_test(request({{"to", "a@example.org>\r\nRCPT TO:<b@example.org"}})).error(),
                HasSubstr("to: \"a@example.org>??RCPT TO:<b@example.org\" is no address"));
    EXPECT_THAT(read_test(request({{"to", "ann@example.org"}, {"from", "@example.com"}})).error(),
                HasSubstr("from: \"@example.com\""));
    EXPECT_THAT(read_test(request({{"to", "ann@example.org"}, {"subject", "a\r\nb"}})).error(),
                HasSubstr("subject \"a??b\""));
}

TEST(TestViews, AReplyIsShownLineByLine) {
    delivery::TestReport report;
    report.upstream.name = "office";
    report.upstream.state = "paused";
    auto& outcome = report.outcome.emplace();
    outcome.verdict = upstream::Verdict::failed;
    outcome.reply = {.code = 550, .status = {5, 1, 1}, .lines = {"No such user", "See our site"}};
    report.took = std::chrono::milliseconds(12);
    const auto object = to_json(report);
    EXPECT_EQ(boost::json::serialize(object.at("reply")),
              R"(["550-5.1.1 No such user","550 5.1.1 See our site"])");
    EXPECT_EQ(object.at("result"), "refused");
    EXPECT_EQ(object.at("state"), "paused");
    EXPECT_EQ(object.at("latency").at("total"), 0.012);
}

TEST(TestViews, OurOwnWordsHaveNoCode) {
    delivery::TestReport report;
    report.outcome.emplace().reply = {.code = 0, .status = {}, .lines = {"connection refused"}};
    EXPECT_EQ(boost::json::serialize(to_json(report).at("reply")), R"(["connection refused"])");
    EXPECT_EQ(result_of(report), "deferred");
}

TEST(TestViews, WhatWasNotSentHasAReasonAndATime) {
    delivery::TestReport report;
    report.not_sent = "nothing is left of rate 1/h of upstream office";
    report.until = base::WallTime(std::chrono::milliseconds(1'800'000'000'000));
    const auto object = to_json(report);
    EXPECT_EQ(object.at("result"), "not sent");
    EXPECT_EQ(object.at("reason").as_string(), report.not_sent);
    EXPECT_EQ(object.at("until"), "2027-01-15T08:00:00.000Z");
    EXPECT_TRUE(object.at("reply").as_array().empty());
}

}  // namespace
}  // namespace outpost::control

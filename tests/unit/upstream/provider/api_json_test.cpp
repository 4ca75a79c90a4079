#include "upstream/provider/api_json.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>

namespace outpost::upstream::api {
namespace {

net::HttpResponse answer(std::string body, std::string type = "application/json") {
    return {.status = 400, .headers = {{"content-type", std::move(type)}}, .body = std::move(body)};
}

TEST(ApiJson, ParsesAWholeBodyOnly) {
    EXPECT_TRUE(parse_body(answer(R"({"a":1})")));
    for (const char* body : {"", "{", R"({"a":1)", R"({"a":1}x)", "<html>", "Forbidden", "{'a':1}"})
        EXPECT_FALSE(parse_body(answer(body))) << body;
    auto cut = answer(R"({"a":1})");
    cut.truncated = true;
    EXPECT_FALSE(parse_body(cut));
}

TEST(ApiJson, RefusesDeepNesting) {
    EXPECT_FALSE(parse_body(answer(std::string(500000, '['))));
    EXPECT_FALSE(parse_body(answer(std::string(100, '[') + std::string(100, ']'))));
    EXPECT_TRUE(parse_body(answer(std::string(10, '[') + std::string(10, ']'))));
}

TEST(ApiJson, ReadsTextAndIntegersAtAPointer) {
    const auto value = boost::json::parse(
        R"({"errors":[{"message":"no","code":"2101"}],"id":1152921504606846977,"n":1.5,"b":true})");
    EXPECT_EQ(text_at(value, "/errors/0/message"), "no");
    EXPECT_EQ(text_at(value, "/id"), "1152921504606846977");
    EXPECT_EQ(text_at(value, "/errors/1/message"), "");
    EXPECT_EQ(text_at(value, "/errors"), "");
    EXPECT_EQ(text_at(value, "/n"), "");
    EXPECT_EQ(text_at(value, "no pointer"), "");
    EXPECT_EQ(text_at(boost::json::value("text"), "/a"), "");
    EXPECT_EQ(integer_at(value, "/errors/0/code"), 2101);
    EXPECT_EQ(integer_at(value, "/id"), 1152921504606846977);
    EXPECT_EQ(integer_at(value, "/errors/0/message"), std::nullopt);
    EXPECT_EQ(integer_at(value, "/b"), std::nullopt);
}

TEST(ApiJson, TakesTheFirstWordsThatAreThere) {
    const auto answered = answer(R"({"Message":"no","error":{"text":"why"}})");
    const auto value = *parse_body(answered);
    EXPECT_EQ(words_at(answered, value, {"/message", "/Message", "/error/text"}), "no");
    EXPECT_EQ(words_at(answered, value, {"/none"}), answered.body);
}

TEST(ApiJson, SaysWhatAForeignBodyIs) {
    EXPECT_EQ(words_of(answer(" Forbidden ", "text/plain")), "Forbidden");
    EXPECT_EQ(words_of(answer("<html><head><TITLE lang=en> 502 Bad Gateway</Title></head>", "")),
              "an HTML page: 502 Bad Gateway");
    EXPECT_EQ(words_of(answer("oops", "text/html; charset=utf-8")), "an HTML page");
    EXPECT_EQ(words_of(answer("<title>never ends", "text/html")), "an HTML page");
    EXPECT_EQ(words_of(answer(std::string(5000, 'x'), "text/plain")).size(), 1000U);
    EXPECT_EQ(words_of(answer("")), "");
}

TEST(ApiJson, MentionsInAnyCase) {
    EXPECT_TRUE(mentions("Daily message QUOTA exceeded", {"nothing", "quota"}));
    EXPECT_FALSE(mentions("Daily", {"quota"}));
}

}  // namespace
}  // namespace outpost::upstream::api

#include "upstream/provider/provider_cases.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "base/text.hpp"
#include "upstream/provider/api_outcome.hpp"

namespace outpost::upstream::test {

const base::WallTime answered_at{std::chrono::seconds(1640032401)};

const std::vector<std::string> three_recipients{"bob@example.net", "carol@example.net",
                                                "hidden@example.org"};

ApiMessage raw_message(std::string_view raw, const std::vector<std::string>& recipients) {
    ApiMessage message;
    message.id = "01HZX0ABCD";
    message.reverse_path = "sender@example.com";
    message.recipients = recipients;
    message.raw = raw;
    message.idempotency_key = "6f2c6c0e-6a5b-5c0b-9f0e-0a8b1c2d3e4f";
    return message;
}

Class class_of(const Outcome& outcome) {
    if (api::wants_single_calls(outcome)) return Class::single;
    switch (outcome.verdict) {
        case Verdict::delivered: return Class::ok;
        case Verdict::failed:
            return outcome.scope == Scope::recipient ? Class::recipient : Class::message;
        case Verdict::misconfigured: return Class::account;
        case Verdict::uncertain: return Class::unclear;
        case Verdict::deferred: break;
    }
    if (outcome.scope == Scope::sender) return Class::sender;
    if (outcome.alert) return Class::mistake;
    return outcome.reply.status.text() == "4.4.5" ? Class::throttle : Class::temporary;
}

void check_answers(const Provider& provider, const std::vector<AnswerCase>& cases,
                   const std::vector<std::string>& recipients) {
    const auto message = raw_message("Subject: x\r\n\r\n", recipients);
    for (const auto& each : cases) {
        SCOPED_TRACE(fmt::format("{} {}", each.status, each.body));
        const net::HttpResponse answer{
            .status = each.status, .headers = each.headers, .body = std::string(each.body)};
        const auto outcomes = provider.outcomes(answer, message, answered_at);
        ASSERT_EQ(outcomes.size(), recipients.size());
        for (const auto& outcome : outcomes) {
            EXPECT_EQ(static_cast<int>(class_of(outcome)), static_cast<int>(each.wanted))
                << outcome.reply.text();
            EXPECT_EQ(outcome.http_status, each.status);
            if (each.wanted != Class::sender) {
                EXPECT_EQ(outcome.retry_after, each.wait);
            }
        }
    }
}

void check_foreign_answers(const Provider& provider, const std::vector<std::string_view>& own) {
    std::vector<std::string_view> bodies{
        "",
        "null",
        "[]",
        "{}",
        "[[]]",
        "\"OK\"",
        "{\"id\":",
        "{\"message\":{\"message\":[]},\"errors\":{},\"data\":[],\"results\":\"\",\"name\":{}}",
        "{\"errors\":[null],\"Messages\":[1],\"results\":[],\"code\":{},\"Errors\":\"\"}",
        "{\"unknown\":\"thing\"}",
        "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>",
        "Service Unavailable",
        "\xFF\xFE\x00\x01",
        "{\"a\":\"\xFF\"}",
    };
    bodies.insert(bodies.end(), own.begin(), own.end());
    const auto message = raw_message("Subject: x\r\n\r\n");
    for (const int status : {100, 200, 201, 202, 204, 301, 302, 307, 400, 401, 402, 403, 404,
                             405, 408, 409, 418, 420, 422, 429, 500, 502, 503, 504, 520, 599}) {
        for (const auto body : bodies) {
            for (const bool cut : {false, true}) {
                SCOPED_TRACE(fmt::format("{} {} {}", status, body, cut));
                const net::HttpResponse answer{.status = status,
                                               .headers = {{"location", "https://example.com/"}},
                                               .body = std::string(body),
                                               .truncated = cut};
                const auto outcomes = provider.outcomes(answer, message, answered_at);
                ASSERT_EQ(outcomes.size(), message.recipients.size());
                for (const auto& outcome : outcomes) {
                    EXPECT_NE(outcome.verdict, Verdict::failed);
                    EXPECT_NE(outcome.verdict, Verdict::delivered);
                }
            }
        }
    }
}

void check_cut_answer(const Provider& provider, int status, std::string_view body) {
    const auto message = raw_message("Subject: x\r\n\r\n");
    const auto judged = [&](std::size_t size, bool truncated) {
        return provider
            .outcomes({.status = status,
                       .headers = {},
                       .body = std::string(body.substr(0, size)),
                       .truncated = truncated},
                      message, answered_at)
            .at(0)
            .verdict;
    };
    EXPECT_EQ(judged(body.size(), false), Verdict::delivered);
    EXPECT_EQ(judged(body.size(), true), Verdict::uncertain);
    for (std::size_t size = 0; size < body.size(); ++size)
        EXPECT_EQ(judged(size, false), Verdict::uncertain) << body.substr(0, size);
}

boost::json::value parsed_body(const net::HttpRequest& request) {
    boost::json::error_code error;
    auto value = boost::json::parse(request.body, error);
    EXPECT_FALSE(error) << error.message();
    return value;
}

std::string header_of(const net::HttpRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers)
        if (base::iequals(key, name)) return value;
    for (const auto& [key, value] : request.secret_headers)
        if (base::iequals(key, name)) return std::string(value.reveal());
    return {};
}

}  // namespace outpost::upstream::test

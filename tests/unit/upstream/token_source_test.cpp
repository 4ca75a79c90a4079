#include "upstream/token_source.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <string>
#include <vector>

#include "net/http_server.hpp"
#include "upstream/smtp_fixture.hpp"

namespace outpost::upstream {
namespace {

using outpost::test::http_answer;
using outpost::test::HttpServer;
using outpost::test::SeenRequest;
using namespace std::chrono_literals;

class TestClock final : public base::Clock {
  public:
    [[nodiscard]] base::WallTime wall() const override { return {}; }
    [[nodiscard]] base::MonoTime mono() const override { return now; }
    base::MonoTime now{1000h};
};

class TokenSourceTest : public ::testing::Test {
  protected:
    using Result = std::expected<base::Secret, Outcome>;

    TokenSource& source() {
        if (!source_) {
            config::OAuth2 settings{.token_url = server_.url() + "/token",
                                    .client_id = "id",
                                    .client_secret = base::Secret("secret"),
                                    .grant = config::OAuth2::Grant::refresh_token,
                                    .refresh_token = base::Secret("r0"),
                                    .scope = {}};
            source_ = std::make_unique<TokenSource>(loop_.context, std::move(settings), clock_);
        }
        return *source_;
    }
    std::string token() {
        const auto result = loop_.run(source().token());
        return result ? std::string(result->reveal()) : result.error().reply.text();
    }
    /// `t1`, `t2`, ... each good for ten minutes.
    std::optional<std::string> answer(const SeenRequest&) {
        if (silent_) return std::nullopt;
        const auto number = std::to_string(server_.seen().size());
        return http_answer(status_, R"({"access_token":"t)" + number +
                                        R"(","expires_in":600,"token_type":"Bearer")" + more_ +
                                        "}");
    }
    boost::asio::awaitable<void> ask(std::vector<Result>& results) {
        results.push_back(co_await source().token());
    }

    test::Loop loop_;
    TestClock clock_;
    int status_ = 200;
    std::string more_;
    bool silent_ = false;
    HttpServer server_{loop_.context,
                       [this](const SeenRequest& request) { return answer(request); }};
    std::unique_ptr<TokenSource> source_;
};

TEST_F(TokenSourceTest, KeepsATokenUntilShortlyBeforeItExpires) {
    EXPECT_EQ(token(), "t1");
    clock_.now += 539s;
    EXPECT_EQ(token(), "t1");
    clock_.now += 1s;
    EXPECT_EQ(token(), "t2");
    EXPECT_EQ(server_.seen().size(), 2U);
}

TEST_F(TokenSourceTest, RenewsOnceForAllWhoAsk) {
    std::vector<Result> results;
    for (int i = 0; i < 5; ++i) net::spawn(loop_.context.get_executor(), ask(results), "test");
    loop_.run_until([&] { return results.size() == 5; });
    for (const auto& each : results) {
        ASSERT_TRUE(each);
        EXPECT_EQ(each->reveal(), "t1");
    }
    EXPECT_EQ(server_.seen().size(), 1U);
}

TEST_F(TokenSourceTest, TellsAFailureToAllWhoWaitAndAsksAgainForTheNext) {
    status_ = 503;
    std::vector<Result> results;
    for (int i = 0; i < 5; ++i) net::spawn(loop_.context.get_executor(), ask(results), "test");
    loop_.run_until([&] { return results.size() == 5; });
    for (const auto& each : results) {
        ASSERT_FALSE(each);
        EXPECT_EQ(each.error().verdict, Verdict::deferred);
        EXPECT_NE(each.error().remote.find("127.0.0.1"), std::string::npos);
    }
    EXPECT_EQ(server_.seen().size(), 1U);
    status_ = 200;
    EXPECT_EQ(token(), "t2");
}

TEST_F(TokenSourceTest, GetsAnotherForATokenThatWasRefused) {
    EXPECT_EQ(token(), "t1");
    source().refused(base::Secret("t1"));
    EXPECT_EQ(token(), "t2");
    // The refusal of an old one says nothing about the new one.
    source().refused(base::Secret("t1"));
    EXPECT_EQ(token(), "t2");
    EXPECT_EQ(server_.seen().size(), 2U);
}

TEST_F(TokenSourceTest, GoesOnWithTheRefreshTokenThatItIsGiven) {
    more_ = R"(,"refresh_token":"r1")";
    EXPECT_EQ(token(), "t1");
    source().refused(base::Secret("t1"));
    more_.clear();
    EXPECT_EQ(token(), "t2");
    source().refused(base::Secret("t2"));
    EXPECT_EQ(token(), "t3");
    const auto& seen = server_.seen();
    ASSERT_EQ(seen.size(), 3U);
    EXPECT_TRUE(seen[0].body.ends_with("&refresh_token=r0"));
    EXPECT_TRUE(seen[1].body.ends_with("&refresh_token=r1"));
    EXPECT_TRUE(seen[2].body.ends_with("&refresh_token=r1"));
}

TEST_F(TokenSourceTest, UsesATokenThatIsAlreadyOver) {
    more_ = R"(,"expires_in":1)";
    EXPECT_EQ(token(), "t1");
    clock_.now += 1s;
    EXPECT_EQ(token(), "t2");
}

TEST_F(TokenSourceTest, LetsAnotherAskWhenTheFirstIsCancelled) {
    silent_ = true;
    boost::asio::cancellation_signal signal;
    bool cancelled = false;
    std::vector<Result> first;
    boost::asio::co_spawn(loop_.context, ask(first),
                          boost::asio::bind_cancellation_slot(
                              signal.slot(), [&](std::exception_ptr) { cancelled = true; }));
    loop_.run_until([&] { return server_.seen().size() == 1; });
    std::vector<Result> second;
    net::spawn(loop_.context.get_executor(), ask(second), "test");
    loop_.context.poll();
    silent_ = false;
    signal.emit(boost::asio::cancellation_type::terminal);
    loop_.run_until([&] { return cancelled && second.size() == 1; });
    ASSERT_TRUE(second.front());
    EXPECT_EQ(second.front()->reveal(), "t2");
}

/// As when the daemon ends: the source goes first, the calls under way with the io_context.
TEST(TokenSourceEnd, OutlivesTheSourceInCallsUnderWay) {
    const TestClock clock;
    const auto kept = std::make_shared<int>();
    {
        test::Loop loop;
        HttpServer server(loop.context, [](const SeenRequest&) { return std::nullopt; });
        auto source = std::make_unique<TokenSource>(
            loop.context,
            config::OAuth2{.token_url = server.url() + "/token",
                           .client_id = "id",
                           .client_secret = base::Secret("secret"),
                           .grant = config::OAuth2::Grant::client_credentials,
                           .refresh_token = {},
                           .scope = {}},
            clock);
        const auto ask = [](TokenSource& of) -> boost::asio::awaitable<void> {
            (void)co_await of.token();
        };
        for (int i = 0; i < 2; ++i)
            boost::asio::co_spawn(loop.context, ask(*source), [kept](std::exception_ptr) {});
        loop.run_until([&] { return server.seen().size() == 1; });
        source.reset();
        loop.context.poll();
        EXPECT_GT(kept.use_count(), 1);
    }
    EXPECT_EQ(kept.use_count(), 1);
}

TEST_F(TokenSourceTest, DefersWithoutATokenServer) {
    (void)source();
    server_.stop();
    const auto result = loop_.run(source().token());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().verdict, Verdict::deferred);
    EXPECT_EQ(result.error().scope, Scope::upstream);
}

}  // namespace
}  // namespace outpost::upstream

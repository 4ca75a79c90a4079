#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "net/offload.hpp"
#include "net/resolver.hpp"
#include "net/spawn.hpp"
#include "upstream/factory.hpp"
#include "upstream/fake_upstream.hpp"

namespace outpost::upstream::test {

/// A body in memory, handed out in pieces of any size.
class FakeBody final : public spool::BodySource {
  public:
    explicit FakeBody(std::string octets, std::size_t piece = SIZE_MAX)
        : octets_(std::move(octets)), piece_(piece) {}
    /// The piece that begins at or after this octet cannot be read.
    void fail_at(std::size_t at) { fail_at_ = at; }
    /// What size() says, if not the truth.
    void claim(std::uint64_t size) { claimed_ = size; }

    [[nodiscard]] std::uint64_t size() const noexcept override {
        return claimed_.value_or(octets_.size());
    }
    boost::asio::awaitable<std::expected<std::string_view, std::string>> next() override {
        if (at_ >= fail_at_) co_return std::unexpected("segment 3: checksum mismatch");
        const auto piece = std::string_view(octets_).substr(at_, piece_);
        at_ += piece.size();
        co_return piece;
    }
    void rewind() noexcept override { at_ = 0; }

  private:
    std::string octets_;
    std::size_t piece_;
    std::size_t at_ = 0;
    std::size_t fail_at_ = SIZE_MAX;
    std::optional<std::uint64_t> claimed_;
};

/// Runs what is started on it until the coroutine at hand has ended.
class Loop {
  public:
    boost::asio::io_context context;

    template <class T>
    T run(boost::asio::awaitable<T> work) {
        std::optional<T> result;
        net::spawn(context.get_executor(), store(std::move(work), result), "test");
        while (!result) turn();
        return std::move(*result);
    }
    void run(boost::asio::awaitable<void> work) {
        bool done = false;
        net::spawn(context.get_executor(), flag(std::move(work), done), "test");
        while (!done) turn();
    }
    /// Until `condition` holds.
    template <class Condition>
    void run_until(Condition condition) {
        while (!condition()) turn();
    }

  private:
    void turn() {
        context.restart();
        if (context.run_one_for(std::chrono::seconds(20)) == 0)
            throw std::runtime_error("nothing happened for 20 s");
    }
    template <class T>
    static boost::asio::awaitable<void> store(boost::asio::awaitable<T> work,
                                              std::optional<T>& result) {
        result.emplace(co_await std::move(work));
    }
    static boost::asio::awaitable<void> flag(boost::asio::awaitable<void> work, bool& done) {
        co_await std::move(work);
        done = true;
    }
};

class SmtpTest : public ::testing::Test {
  protected:
    SmtpTest() : resolver_(pool_), certificate_(make_self_signed()) {
        server_ = std::make_unique<FakeUpstream>(loop_.context, certificate_.server);
        smtp_.host = "127.0.0.1";
        smtp_.bracketed = true;
        smtp_.encryption = config::Encryption::none;
        smtp_.verify.mode = config::Verify::Mode::none;
        envelope_.reverse_path = "a@test";
        limits_.quit = std::chrono::seconds(1);
    }
    ~SmtpTest() override {
        EXPECT_EQ(server_->problems(), "");
        if (transport_) loop_.run(transport_->close());
    }

    Transport& transport() {
        if (!transport_) {
            if (smtp_.port == 25) smtp_.port = server_->port();
            config::Upstream upstream;
            upstream.name = "office";
            upstream.kind = smtp_;
            auto made = make_transport(upstream, {.context = loop_.context,
                                                  .resolver = resolver_,
                                                  .pool = pool_,
                                                  .clock = clock_,
                                                  .sasl = sasl_,
                                                  .hostname = "relay.test",
                                                  .limits = limits_});
            if (!made) throw std::runtime_error(made.error());
            transport_ = std::move(*made);
        }
        return *transport_;
    }
    SendReport send(spool::BodySource& body, std::size_t recipients = 1) {
        while (envelope_.recipients.size() < recipients)
            envelope_.recipients.push_back(
                {.address = "r" + std::to_string(envelope_.recipients.size()) + "@test",
                 .notify = {},
                 .orcpt = {}});
        std::vector<std::uint32_t> indices(recipients);
        std::iota(indices.begin(), indices.end(), 0U);
        return loop_.run(transport().send({{1}, envelope_, indices, body}));
    }
    SendReport send(std::string text = "Subject: x\r\n\r\nhello\r\n", std::size_t recipients = 1) {
        FakeBody body(std::move(text));
        return send(body, recipients);
    }
    /// Banner and EHLO with these extensions, then the rest.
    static Script session(const std::vector<std::string>& extensions, const Script& rest) {
        Script script{"S: 220 mx.test", "C: EHLO relay.test"};
        for (const auto& each : extensions) script.push_back("S: 250-" + each);
        script.emplace_back("S: 250 HELP");
        script.insert(script.begin() + 2, "S: 250-mx.test");
        script.insert(script.end(), rest.begin(), rest.end());
        return script;
    }
    static Script joined(Script first, const Script& second) {
        first.insert(first.end(), second.begin(), second.end());
        return first;
    }

    Loop loop_;
    net::OffloadPool pool_{1, 100};
    net::Resolver resolver_;
    base::SystemClock clock_;
    SelfSigned certificate_;
    std::unique_ptr<FakeUpstream> server_;
    config::SmtpUpstream smtp_;
    smtp::ClientLimits limits_;
    smtp::SaslClientFactory sasl_ = nullptr;
    smtp::Envelope envelope_;
    std::unique_ptr<Transport> transport_;
};

}  // namespace outpost::upstream::test

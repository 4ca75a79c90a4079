#pragma once

#include <gtest/gtest.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "delivery/dispatcher.hpp"
#include "fake_spool.hpp"
#include "fake_transport.hpp"
#include "fake_world.hpp"
#include "limit/limiter.hpp"
#include "limit/memory_store.hpp"

namespace outpost::delivery::testing {

/// Keeps what is written down.
struct FakeHistory final : history::Sink {
    void put(history::Entry entry) override { entries.push_back(std::move(entry)); }
    std::vector<history::Entry> entries;
};

/// A dispatcher whose spool, upstreams and time belong to the test. One account, `shop`, with the
/// upstream `office`, unless the test configures more before start().
class DispatcherTest : public ::testing::Test {
  protected:
    DispatcherTest() {
        base::log::configure(base::log::Level::error, base::log::Format::text);
        config.hostname = "relay.example.com";
        config.retry = {.first = std::chrono::minutes(1), .jitter = 0};
        add_upstream("office");
        add_account("shop", "office");
    }

    void add_upstream(const std::string& name) {
        config::Upstream upstream;
        upstream.name = name;
        upstream.concurrency = 5;
        config.upstreams[name] = upstream;
        auto transport = std::make_unique<FakeTransport>(io.get_executor());
        transports[name] = transport.get();
        owned_[name] = std::move(transport);
    }
    void add_account(const std::string& name, const std::string& route) {
        config::Account account;
        account.name = name;
        account.route = route;
        config.accounts[name] = account;
    }
    FakeTransport& at(const std::string& name) { return *transports.at(name); }
    static config::Route route(const std::string& via, std::vector<std::string> domains = {}) {
        config::Route result;
        result.recipient_domains = std::move(domains);
        result.via = via;
        return result;
    }
    FakeTransport& office() { return *transports.at("office"); }
    config::SmtpUpstream& office_config() {
        return std::get<config::SmtpUpstream>(config.upstreams["office"].kind);
    }

    void start() {
        auto made = std::make_unique<FakeAlarm>(clock);
        alarm = made.get();
        dispatcher = std::make_unique<Dispatcher>(
            Dispatcher::Parts{io.get_executor(), spool, clock, limiter, std::move(made), 1,
                              &history, test_patience},
            config, std::move(owned_));
        dispatcher->pause(std::move(paused));
        dispatcher->start();
        run();
    }
    /// Another dispatcher of what `config` says now takes its place; `same` upstreams have the
    /// settings that they had. The transports of the one before are in `before`.
    void reload(const std::set<std::string>& same = {}) {
        begin_reload(same);
        run();
    }
    void begin_reload(const std::set<std::string>& same = {}) {
        before = transports;
        const config::Config changed = config;
        Dispatcher::Transports made;
        for (const auto& [name, upstream] : changed.upstreams) {
            auto transport = std::make_unique<FakeTransport>(io.get_executor());
            transports[name] = transport.get();
            made[name] = std::move(transport);
        }
        auto ringer = std::make_unique<FakeAlarm>(clock);
        alarm = ringer.get();
        const auto heir = std::make_shared<Dispatcher>(
            Dispatcher::Parts{io.get_executor(), spool, clock, limiter, std::move(ringer), 2},
            changed, std::move(made));
        earlier.push_back(std::exchange(dispatcher, heir));
        boost::asio::co_spawn(io, heir->succeed(*earlier.back(), same), rethrow);
    }
    static void rethrow(const std::exception_ptr& error) {
        if (error) std::rethrow_exception(error);
    }
    /// Everything that can happen without time passing.
    void run() {
        do {
            io.restart();
            io.poll();
        } while (limit_store.run() > 0);
        io.restart();
        io.poll();
    }
    /// The result of a coroutine that needs no time to pass.
    template <class T>
    T wait(boost::asio::awaitable<T> task) {
        std::optional<T> result;
        boost::asio::co_spawn(
            io, [&]() -> boost::asio::awaitable<void> { result.emplace(co_await std::move(task)); },
            rethrow);
        run();
        EXPECT_TRUE(result);
        return std::move(*result);
    }
    /// Lets time pass, and the alarm ring when it should.
    void advance(std::chrono::milliseconds by) {
        const base::MonoTime end = clock.mono() + by;
        while (alarm->at() && *alarm->at() <= end) {
            ASSERT_LT(++rings, 100'000) << "the alarm rings all the time";
            const auto until = *alarm->at() - clock.mono();
            clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(
                std::max(until, base::MonoTime::duration(0))));
            alarm->ring();
            run();
        }
        clock.advance(std::chrono::duration_cast<std::chrono::milliseconds>(end - clock.mono()));
        run();
    }

    [[nodiscard]] smtp::Envelope envelope(std::vector<std::string> recipients = {"a@example.org"},
                                          std::string account = "shop") const {
        smtp::Envelope result;
        result.account = std::move(account);
        result.reverse_path = "sender@example.com";
        for (auto& address : recipients) {
            smtp::Recipient recipient;
            recipient.address = std::move(address);
            result.recipients.push_back(std::move(recipient));
        }
        result.received = clock.wall();
        return result;
    }
    base::MessageId submit(smtp::Envelope message) {
        const base::MessageId id = spool.submit(std::move(message));
        run();
        return id;
    }
    base::MessageId submit() { return submit(envelope()); }
    [[nodiscard]] spool::RecipientStatus status(base::MessageId id, std::size_t index = 0) {
        return spool.recipient(id, index).status;
    }
    /// The reports stored so far.
    [[nodiscard]] std::vector<FakeSpool::Message> reports() {
        std::vector<FakeSpool::Message> result;
        for (const auto id : spool.appended) result.push_back(spool.messages.at(id));
        return result;
    }

    boost::asio::io_context io;
    FakeClock clock;
    FakeHistory history;
    FakeSpool spool;
    limit::MemoryStore limit_store;
    limit::Limiter limiter{limit_store, clock, {}};
    config::Config config;
    Pauses paused;  ///< before the start
    std::map<std::string, FakeTransport*> transports;
    std::map<std::string, FakeTransport*> before;  ///< the last reload
    FakeAlarm* alarm = nullptr;
    int rings = 0;  ///< of the alarm
    std::chrono::milliseconds test_patience = std::chrono::seconds(30);

  private:
    Dispatcher::Transports owned_;

  protected:
    std::shared_ptr<Dispatcher> dispatcher;
    std::vector<std::shared_ptr<Dispatcher>> earlier;
};

}  // namespace outpost::delivery::testing

#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "account/authenticator.hpp"
#include "account/directory.hpp"
#include "base/base64.hpp"
#include "config/types.hpp"
#include "limit/limiter.hpp"
#include "net/io_threads.hpp"
#include "net/listener.hpp"
#include "net/loopback.hpp"
#include "submission/account_limits.hpp"
#include "submission/answering_store.hpp"
#include "submission/fake_spool.hpp"
#include "submission/server.hpp"
#include "submission/test_client.hpp"

namespace outpost::test {

inline const std::string greeting = "220 relay.example.com ESMTP Outpost";
inline const std::string wrong_password =
    "535 5.7.8 Authentication failed: check user name and password in your mail settings";

inline std::string plain(std::string_view user, std::string_view password) {
    return "AUTH PLAIN " + base::base64_encode(std::string(1, '\0') + std::string(user) +
                                               std::string(1, '\0') + std::string(password));
}

/// A whole submission server on the loopback interface with a spool in memory. Accounts: `shop`
/// (password `secret`, may send as example.com), `sleeper` (not active), `office` (elsewhere only).
class Harness {
  public:
    Harness() {
        auto& shop = add_account("shop");
        shop.authorized_domains = {"example.com"};
        shop.priority_cap = 2;
        add_account("sleeper").active = false;
        add_account("office").allowed_networks = {"192.0.2.0/24"};
        limits.idle_timeout = std::chrono::seconds(20);
    }
    ~Harness() { stop(); }

    config::Account& add_account(const std::string& name) {
        auto& account = config.accounts[name];
        account.name = name;
        account.password = base::Secret("secret");
        return account;
    }
    /// Listens on a port of its own, which is returned.
    std::uint16_t start(submission::ListenerRules rules) {
        config.submission = limits;
        authenticator_.emplace(account::Directory::build(config, "key"), limits, clock);
        limiter.emplace(counters, clock, limit::Limiter::Events{});
        account_limits_.emplace(*limiter, config.accounts);
        pool.emplace(sasl_threads, sasl_waiting);
        submission::Services services{.hostname = "relay.example.com",
                                      .limits = limits,
                                      .large_message = large_message,
                                      .authenticator = *authenticator_,
                                      .account_limits = *account_limits_,
                                      .spool = real_spool != nullptr ? *real_spool : spool,
                                      .offload = *pool,
                                      .clock = clock,
                                      .tls = tls(),
                                      .admission = submission::Admission::make(
                                          {.connections = limits.max_connections,
                                           .per_address = limits.max_connections_per_ip}),
                                      .auth_failure_delay = std::chrono::milliseconds(1),
                                      .lease_patience = lease_patience};
        threads.emplace(2, "test");
        server.emplace(std::move(services), *threads);
        auto socket = net::listen((*threads)[0], boost::asio::ip::address_v4::loopback(), 0);
        const auto port = socket->local_endpoint().port();
        server->add(std::move(*socket), std::move(rules));
        server->start();
        return port;
    }
    /// What the test has changed in config.accounts takes effect.
    void change_accounts() {
        account_limits_->replace(account_limits_->define(config.accounts));
        authenticator_->replace(account::Directory::build(config, "key"));
        server->accounts_changed();
    }
    [[nodiscard]] const submission::AccountLimits& account_limits() const {
        return *account_limits_;
    }
    /// Encrypted, AUTH needed.
    std::uint16_t start() { return start({}); }
    /// In the clear, no AUTH: every client is `shop`.
    std::uint16_t start_trusted() {
        return start(
            {.tls = config::ListenerTls::none, .require_tls = false, .trusted_account = "shop"});
    }
    /// In the clear, AUTH needed.
    std::uint16_t start_clear() {
        return start({.tls = config::ListenerTls::none, .require_tls = false});
    }
    void stop() {
        if (server) server->stop(std::chrono::seconds(5));
        if (threads) threads->stop();
        server.reset();
        pool.reset();  // its threads may still let go of an executor of `threads`
        threads.reset();
    }
    std::shared_ptr<net::TlsServer> tls() {
        make_certificate(directory.path(), "localhost");
        const auto file = (directory.path() / "localhost").string();
        const net::CertificateFiles files[] = {{file + ".pem", file + ".key"}};
        return net::TlsServer::load(files, false).value();
    }

    config::Config config;
    config::Submission limits;
    std::uint64_t large_message = 256 << 10;
    std::chrono::milliseconds lease_patience{10'000};
    std::size_t sasl_threads = 1;
    std::size_t sasl_waiting = 10;
    base::SystemClock clock;
    TempDirectory directory;
    FakeSpool spool;
    spool::Spool* real_spool = nullptr;
    AnsweringStore counters;
    std::optional<limit::Limiter> limiter;
    std::optional<net::OffloadPool> pool;
    std::optional<net::IoThreads> threads;
    std::optional<submission::Server> server;

  private:
    std::optional<account::Authenticator> authenticator_;
    std::optional<submission::AccountLimits> account_limits_;
};

/// Plays a conversation: `S: ` is a reply line expected (`...` at its end stands for anything),
/// `C: ` a line sent.
inline void play(TestClient& client, std::string_view script) {
    while (!script.empty()) {
        const auto end = std::min(script.find('\n'), script.size());
        std::string_view line = script.substr(0, end);
        script.remove_prefix(std::min(end + 1, script.size()));
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        if (line.starts_with("C: ")) {
            client.send_line(line.substr(3));
        } else if (line.starts_with("S: ")) {
            const std::string got = client.read_line();
            const auto expected = line.substr(3);
            if (expected.ends_with("...")) {
                EXPECT_EQ(got.substr(0, expected.size() - 3),
                          expected.substr(0, expected.size() - 3))
                    << "whole line: " << got;
            } else {
                EXPECT_EQ(got, expected);
            }
        }
    }
}

}  // namespace outpost::test

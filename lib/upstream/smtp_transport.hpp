#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "net/resolver.hpp"
#include "upstream/pool.hpp"
#include "upstream/smtp_connection.hpp"
#include "upstream/smtp_settings.hpp"
#include "upstream/transport.hpp"

namespace outpost::upstream {

/// Sends through an SMTP server, over connections that are kept and reused. The certificate must
/// name the server connected to, which for a bare host name with MX records is the MX host: who
/// cannot trust his DNS writes `[host]`.
class SmtpTransport final : public Transport {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    struct Reuse {
        std::uint32_t messages_per_connection = 100;
        std::size_t most_idle = 20;
        std::chrono::steady_clock::duration idle = std::chrono::seconds(30);
    };

    SmtpTransport(std::shared_ptr<const SmtpSettings> settings, Reuse reuse,
                  net::Resolver& resolver, const base::Clock& clock);
    ~SmtpTransport() override;

    awaitable<SendReport> send(Delivery delivery) override;
    awaitable<std::expected<void, std::string>> probe() override;
    [[nodiscard]] std::optional<std::size_t> idle_connections() const override {
        return idle_->pool.size();
    }
    awaitable<void> close() override;

  private:
    using Connection = std::unique_ptr<SmtpConnection>;
    struct Attempt;
    /// What the task that ends idle connections shares with the transport.
    struct Idle {
        IdlePool<SmtpConnection> pool;
        boost::asio::steady_timer timer;
        bool watched = false;
    };

    /// The connections that are being ended, for close() to wait for.
    struct Ending {
        boost::asio::steady_timer none_left;
        std::size_t count = 0;
    };

    awaitable<std::expected<Connection, Outcome>> open(Stages& stages);
    awaitable<std::expected<Connection, Outcome>> open_one(const Target& target, Stages& stages);
    awaitable<std::expected<Connection, smtp::ClientFailure>> sign_in(const Target& target,
                                                                      base::Secret token,
                                                                      Stages& stages);
    awaitable<bool> obtain(Attempt& attempt);
    awaitable<bool> prepare(Attempt& attempt);
    awaitable<void> transact(Attempt& attempt);
    [[nodiscard]] Connection take_idle();
    void settle(Attempt& attempt, std::span<const std::uint32_t> batch, Transacted transacted);
    void release(Connection connection);
    void end(Connection connection);
    static awaitable<void> quit(Connection connection, std::shared_ptr<Ending> ending);
    static awaitable<void> end_idle(std::shared_ptr<Idle> idle, const base::Clock& clock);

    std::shared_ptr<const SmtpSettings> settings_;
    Reuse reuse_;
    net::Resolver& resolver_;
    const base::Clock& clock_;
    std::minstd_rand random_;
    std::shared_ptr<Idle> idle_;
    std::shared_ptr<Ending> ending_;
    bool closed_ = false;
};

}  // namespace outpost::upstream

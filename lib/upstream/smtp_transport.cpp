#include "upstream/smtp_transport.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "net/spawn.hpp"
#include "upstream/classify.hpp"
#include "upstream/deliver_by.hpp"

namespace outpost::upstream {

namespace {

namespace asio = boost::asio;
using smtp::ClientFault;
using smtp::ClientStage;
using std::chrono::duration_cast;
using std::chrono::microseconds;

/// Whether another server of the same upstream may do better. What is wrong with us (password,
/// encryption) is the same everywhere, and a password must not be tried on all of them.
bool worth_trying_the_next(const Outcome& outcome) {
    return outcome.verdict == Verdict::deferred;
}

/// A recipient that the server put off only because the transaction was full (RFC 5321 section
/// 4.5.3.1.10).
bool was_one_too_many(const smtp::RecipientResult& result) {
    if (result.stage != ClientStage::rcpt || result.fault != ClientFault::refused) return false;
    const auto& reply = result.reply;
    if (reply.code == 452) return !reply.status.present() || reply.status.subject == 5;
    return reply.code == 552 && reply.status.subject == 5;
}

bool refuses_a_token(const smtp::ClientFailure& failure) {
    return failure.stage == ClientStage::auth && failure.fault == ClientFault::refused &&
           failure.reply.permanent();
}

}  // namespace

/// One send: the recipients that wait for an outcome, by their place in the report.
struct SmtpTransport::Attempt {
    Delivery delivery;
    OutgoingMessage message;
    SendReport report;
    std::vector<std::uint32_t> pending;  ///< indices into envelope.recipients
    Connection connection;
    bool idle_before = false;  ///< the connection was in use before this send
    bool prepared = false;     ///< the message, for this connection
    std::optional<std::chrono::seconds> deliver_within;

    Attempt(const Delivery& what, net::OffloadPool& pool) : delivery(what), message(what, pool) {
        report.outcomes.resize(what.recipients.size());
        pending.assign(what.recipients.begin(), what.recipients.end());
    }
    void settle(std::uint32_t index, Outcome outcome) {
        const auto place = std::ranges::find(delivery.recipients, index);
        if (outcome.remote.empty() && connection) outcome.remote = connection->remote();
        report.outcomes[static_cast<std::size_t>(place - delivery.recipients.begin())] =
            std::move(outcome);
    }
    void settle_all(const Outcome& outcome) {
        for (const auto index : pending) settle(index, outcome);
        pending.clear();
    }
};

SmtpTransport::SmtpTransport(std::shared_ptr<const SmtpSettings> settings, Reuse reuse,
                             net::Resolver& resolver, const base::Clock& clock)
    : settings_(std::move(settings)),
      reuse_(reuse),
      resolver_(resolver),
      clock_(clock),
      random_(std::random_device{}()),
      idle_(std::make_shared<Idle>(
          IdlePool<SmtpConnection>({.most = reuse.most_idle, .idle = reuse.idle}),
          asio::steady_timer(settings_->context))),
      ending_(std::make_shared<Ending>(asio::steady_timer(settings_->context))) {}

SmtpTransport::~SmtpTransport() {
    idle_->timer.cancel();
}

asio::awaitable<SendReport> SmtpTransport::send(Delivery delivery) {
    Attempt attempt(delivery, settings_->pool);
    attempt.connection = take_idle();
    attempt.idle_before = attempt.report.reused = attempt.connection != nullptr;
    while (!attempt.pending.empty()) {
        if (const bool connected = co_await obtain(attempt); !connected) break;
        if (const bool fits = co_await prepare(attempt); !fits) break;
        co_await transact(attempt);
    }
    if (attempt.connection) release(std::move(attempt.connection));
    co_return std::move(attempt.report);
}

SmtpTransport::Connection SmtpTransport::take_idle() {
    while (auto connection = idle_->pool.take(clock_.mono()))
        if (connection->idle_and_healthy()) return connection;
    return nullptr;
}

/// A connection for what is pending; false if none can be had, and then all has its outcome.
asio::awaitable<bool> SmtpTransport::obtain(Attempt& attempt) {
    if (attempt.connection && attempt.connection->usable()) co_return true;
    if (attempt.connection) end(std::move(attempt.connection));
    attempt.prepared = attempt.idle_before = attempt.report.reused = false;
    auto opened = co_await open(attempt.report.stages);
    if (!opened) {
        attempt.settle_all(opened.error());
        co_return false;
    }
    attempt.connection = std::move(*opened);
    co_return true;
}

/// Fits the message to the connection; false if the server cannot take it.
asio::awaitable<bool> SmtpTransport::prepare(Attempt& attempt) {
    const auto& offered = attempt.connection->offered();
    const auto within =
        deliver_within(attempt.delivery.envelope.deliver_by, offered.deliver_by, clock_.wall());
    if (!within) {
        attempt.settle_all(within.error());
        co_return false;
    }
    attempt.deliver_within = *within;
    if (attempt.prepared) co_return true;
    auto prepared = co_await attempt.message.prepare(offered);
    if (!prepared) {
        attempt.settle_all(prepared.error());
        co_return false;
    }
    attempt.prepared = true;
    attempt.report.dsn_relayed = offered.dsn;
    attempt.report.deliver_by_relayed = offered.deliver_by.has_value();
    co_return true;
}

asio::awaitable<void> SmtpTransport::transact(Attempt& attempt) {
    const auto& envelope = attempt.delivery.envelope;
    const auto batch = attempt.connection->batch(envelope, attempt.pending);
    if (batch.empty()) {
        // All recipient domains that this connection may see are used up (LIMITS).
        end(std::move(attempt.connection));
        co_return;
    }
    const auto start = clock_.mono();
    auto transacted = co_await attempt.connection->transact(envelope, batch, attempt.message,
                                                            attempt.deliver_within);
    attempt.report.stages.transfer += duration_cast<microseconds>(clock_.mono() - start);
    if (transacted.untouched && std::exchange(attempt.idle_before, false)) {
        // The server had hung up while the connection was idle: that is not the message's concern.
        attempt.connection.reset();
        co_return;
    }
    settle(attempt, batch, std::move(transacted));
    attempt.idle_before = true;
}

void SmtpTransport::settle(Attempt& attempt, std::span<const std::uint32_t> batch,
                           Transacted transacted) {
    auto& results = transacted.results;
    const bool progress = std::ranges::any_of(
        results, [](const auto& result) { return result.fault == ClientFault::none; });
    std::optional<Outcome> stop;
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (progress && was_one_too_many(results[i])) continue;
        std::erase(attempt.pending, batch[i]);
        auto outcome = classify(std::move(results[i]));
        if (!stop) stop = for_the_rest(outcome);
        attempt.settle(batch[i], std::move(outcome));
    }
    if (!stop && attempt.delivery.one_transaction) {
        Outcome untried;
        untried.untried = true;
        attempt.settle_all(untried);
    }
    if (stop && !attempt.pending.empty()) attempt.settle_all(*stop);
}

asio::awaitable<std::expected<SmtpTransport::Connection, Outcome>> SmtpTransport::open(
    Stages& stages) {
    const auto start = clock_.mono();
    auto targets = co_await find_targets(*settings_, resolver_, random_);
    stages.connect += duration_cast<microseconds>(clock_.mono() - start);
    if (!targets) co_return std::unexpected(std::move(targets.error()));
    Outcome last;
    for (const auto& target : *targets) {
        auto opened = co_await open_one(target, stages);
        if (opened) co_return opened;
        last = std::move(opened.error());
        if (!worth_trying_the_next(last)) break;
    }
    co_return std::unexpected(std::move(last));
}

asio::awaitable<std::expected<SmtpTransport::Connection, Outcome>> SmtpTransport::open_one(
    const Target& target, Stages& stages) {
    for (bool renewed = false;; renewed = true) {
        base::Secret token;
        if (settings_->tokens) {
            auto got = co_await settings_->tokens->token();
            if (!got) co_return std::unexpected(std::move(got.error()));
            token = std::move(*got);
        }
        auto opened = co_await sign_in(target, token, stages);
        if (opened) co_return std::move(*opened);
        if (settings_->tokens && refuses_a_token(opened.error())) {
            // It may have been revoked, or the server's clock is ahead: one new one is worth a try.
            settings_->tokens->refused(token);
            if (!renewed) continue;
        }
        auto outcome = classify(std::move(opened.error()));
        outcome.remote = target.text();
        co_return std::unexpected(std::move(outcome));
    }
}

asio::awaitable<std::expected<SmtpTransport::Connection, smtp::ClientFailure>>
SmtpTransport::sign_in(const Target& target, base::Secret token, Stages& stages) {
    auto connection = std::make_unique<SmtpConnection>(settings_, target, std::move(token));
    const auto start = clock_.mono();
    auto done = co_await connection->connect();
    const auto connected = clock_.mono();
    stages.connect += duration_cast<microseconds>(connected - start);
    if (done) {
        done = co_await connection->greet();
        stages.greeting += duration_cast<microseconds>(clock_.mono() - connected);
    }
    if (done) co_return connection;
    end(std::move(connection));
    co_return std::unexpected(std::move(done.error()));
}

/// Keeps a connection for the next message, or ends it.
void SmtpTransport::release(Connection connection) {
    if (!closed_ && connection->usable() && connection->messages() < reuse_.messages_per_connection)
        connection = idle_->pool.put(std::move(connection), clock_.mono());
    if (connection) end(std::move(connection));
    if (idle_->watched || idle_->pool.size() == 0) return;
    idle_->watched = true;
    net::spawn(settings_->context.get_executor(), end_idle(idle_, clock_), "idle connections");
}

void SmtpTransport::end(Connection connection) {
    net::spawn(settings_->context.get_executor(), quit(std::move(connection), ending_), "QUIT");
}

asio::awaitable<void> SmtpTransport::quit(Connection connection, std::shared_ptr<Ending> ending) {
    ++ending->count;
    co_await connection->quit();
    if (--ending->count == 0) ending->none_left.cancel();
}

asio::awaitable<void> SmtpTransport::end_idle(std::shared_ptr<Idle> idle,
                                              const base::Clock& clock) {
    while (const auto due = idle->pool.next_expiry()) {
        idle->timer.expires_after(*due - clock.mono() + std::chrono::milliseconds(1));
        const auto [error] = co_await idle->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (error) break;
        for (auto& connection : idle->pool.expired(clock.mono())) co_await connection->quit();
    }
    idle->watched = false;
}

asio::awaitable<std::expected<void, std::string>> SmtpTransport::probe() {
    Stages stages;
    auto opened = co_await open(stages);
    if (!opened) {
        const auto& outcome = opened.error();
        const auto& reply = outcome.reply;
        const auto words = reply.code == 0 ? reply.lines.front() : reply.text();
        co_return std::unexpected(outcome.remote.empty() ? words : outcome.remote + ": " + words);
    }
    co_await (*opened)->quit();
    co_return std::expected<void, std::string>{};
}

asio::awaitable<void> SmtpTransport::close() {
    closed_ = true;
    idle_->timer.cancel();
    const auto ending = ending_;
    ending->none_left.expires_after(settings_->client.limits.quit);
    for (auto& connection : idle_->pool.drain()) end(std::move(connection));
    // What was spawned has begun by the time that this resumes.
    co_await asio::post(settings_->context, asio::use_awaitable);
    if (ending->count > 0)
        co_await ending->none_left.async_wait(asio::as_tuple(asio::use_awaitable));
}

}  // namespace outpost::upstream

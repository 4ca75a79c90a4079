#include "upstream/smtp_connection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "smtp/sasl_oauth.hpp"

namespace outpost::upstream {

namespace {

using smtp::ClientBroken;
using smtp::ClientFailure;
using smtp::ClientFault;
using smtp::ClientStage;
using std::chrono::seconds;

ClientBroken to_broken(net::Failure failure, std::string_view what, seconds limit) {
    switch (failure.kind) {
        case net::Failure::Kind::timed_out:
            return {ClientFault::timed_out,
                    fmt::format("{} timed out after {} s", what, limit.count())};
        case net::Failure::Kind::certificate:
            return {ClientFault::certificate,
                    "the server's certificate was not accepted: " + failure.text};
        default: return {ClientFault::disconnected, std::move(failure.text)};
    }
}

}  // namespace

SmtpConnection::SmtpConnection(std::shared_ptr<const SmtpSettings> settings, Target target,
                               base::Secret token)
    : settings_(std::move(settings)),
      target_(std::move(target)),
      token_(std::move(token)),
      redaction_(settings_->redaction),
      stream_(settings_->context),
      session_(settings_->client),
      remote_(target_.text()) {}

SmtpConnection::awaitable<std::expected<void, ClientFailure>> SmtpConnection::connect() {
    const auto limit = settings_->client.limits.connect;
    stream_.expires_after(limit);
    auto connected = co_await stream_.connect(target_.endpoint);
    if (connected) co_return std::expected<void, ClientFailure>{};
    auto broken = to_broken(std::move(connected.error()), "connecting", limit);
    co_return std::unexpected(ClientFailure{ClientStage::connect, broken.fault,
                                            smtp::own_words(std::move(broken.words))});
}

SmtpConnection::awaitable<std::expected<void, ClientFailure>> SmtpConnection::greet() {
    auto action = session_.start();
    while (action.kind != smtp::ClientAction::Kind::ready) {
        if (action.kind == smtp::ClientAction::Kind::failed) {
            may_quit_ = session_.may_quit();
            co_return std::unexpected(session_.failure());
        }
        auto event = co_await perform(std::move(action));
        action = session_.step(std::move(event));
    }
    sasl_.reset();
    may_quit_ = reusable_ = true;
    co_return std::expected<void, ClientFailure>{};
}

SmtpConnection::awaitable<smtp::ClientEvent> SmtpConnection::perform(smtp::ClientAction action) {
    using ActionKind = smtp::ClientAction::Kind;
    if (!action.output.empty()) {
        const std::string_view piece = action.output;
        auto written = co_await write({&piece, 1}, action.limit);
        if (!written) co_return std::move(written.error());
    }
    switch (action.kind) {
        case ActionKind::handshake: co_return co_await handshake(action.limit);
        case ActionKind::sasl_start: co_return co_await start_sasl();
        case ActionKind::sasl_step: co_return co_await step_sasl(std::move(action.challenge));
        default: break;
    }
    auto reply = co_await read_reply(action.limit);
    if (!reply) co_return std::move(reply.error());
    co_return std::move(*reply);
}

SmtpConnection::awaitable<smtp::ClientEvent> SmtpConnection::handshake(seconds limit) {
    // What came in the clear after the reply to STARTTLS is not the server's (command injection).
    unread_ = {};
    parser_.reset();
    stream_.expires_after(limit);
    auto done = co_await stream_.handshake(settings_->tls, target_.host);
    if (!done) co_return to_broken(std::move(done.error()), "the TLS handshake", limit);
    co_return smtp::TlsStarted{};
}

std::unique_ptr<smtp::SaslClient> SmtpConnection::sasl_client() {
    // `encryption: none` with a password is the operator's decision, made in so many words.
    const bool may_be_plain = settings_->client.tls == smtp::ClientSettings::Tls::none;
    const bool encrypted = stream_.encrypted() || may_be_plain;
    if (settings_->tokens)
        return smtp::make_bearer_client({.username = settings_->username,
                                         .token = token_,
                                         .host = target_.host,
                                         .port = settings_->port,
                                         .encrypted = encrypted});
    if (settings_->sasl == nullptr) return nullptr;
    return settings_->sasl(settings_->username, settings_->password, target_.host, encrypted);
}

SmtpConnection::awaitable<smtp::ClientEvent> SmtpConnection::start_sasl() {
    sasl_ = sasl_client();
    if (!sasl_) co_return smtp::SaslError{"no SASL client for the username is available"};
    auto start = sasl_->start(offered().auth);
    if (!start) co_return smtp::SaslError{std::move(start.error())};
    if (settings_->tokens) {
        redaction_.add(token_);
        redaction_.add(base::Secret(start->initial_response.value_or("")));
    }
    co_return std::move(*start);
}

SmtpConnection::awaitable<smtp::ClientEvent> SmtpConnection::step_sasl(std::string challenge) {
    auto work = [sasl = sasl_, text = std::move(challenge)] { return sasl->step(text); };
    auto ran = co_await settings_->pool.run(std::move(work));
    if (!ran)
        co_return ClientBroken{ClientFault::disconnected, "too many logins wait for a thread"};
    auto& answer = *ran;
    if (!answer) co_return smtp::SaslError{std::move(answer.error())};
    co_return smtp::SaslAnswer{std::move(*answer)};
}

std::expected<std::optional<smtp::Reply>, ClientBroken> SmtpConnection::buffered_reply() {
    auto reply = parser_.take(unread_);
    if (!reply)
        return std::unexpected(
            ClientBroken{ClientFault::protocol,
                         fmt::format("the server sent {}", smtp::describe(reply.error()))});
    if (*reply && !(*reply)->positive()) redaction_.apply(**reply);
    return std::move(*reply);
}

SmtpConnection::awaitable<std::expected<smtp::Reply, ClientBroken>> SmtpConnection::read_reply(
    seconds limit) {
    for (;;) {
        auto reply = buffered_reply();
        if (!reply) co_return std::unexpected(std::move(reply.error()));
        if (auto& whole = *reply; whole) co_return std::move(*whole);
        stream_.expires_after(limit);
        auto count = co_await stream_.read_some(input_);
        if (!count)
            co_return std::unexpected(
                to_broken(std::move(count.error()), "waiting for a reply", limit));
        unread_ = {input_.data(), *count};
    }
}

SmtpConnection::awaitable<SmtpConnection::Written> SmtpConnection::write(
    std::span<const std::string_view> pieces, seconds limit) {
    stream_.expires_after(limit);
    auto written = pieces.size() == 1 ? co_await stream_.write(pieces.front())
                                      : co_await stream_.write(pieces);
    if (!written)
        co_return std::unexpected(to_broken(std::move(written.error()), "writing", limit));
    co_return Written{};
}

SmtpConnection::awaitable<Transacted> SmtpConnection::transact(
    const smtp::Envelope& envelope, std::span<const std::uint32_t> recipients,
    OutgoingMessage& message, std::optional<seconds> deliver_within) {
    ++messages_;
    smtp::TransactionMachine machine({.offered = offered(),
                                      .envelope = envelope,
                                      .recipients = recipients,
                                      .size = message.size(),
                                      .body = message.body(),
                                      .smtputf8 = message.needs_smtputf8(),
                                      .rset_first = needs_rset_,
                                      .body_along = settings_->body_along &&
                                                    message.memory().has_value() &&
                                                    message.size() <= OutgoingMessage::small,
                                      .deliver_within = deliver_within,
                                      .limits = settings_->client.limits});
    output_.clear();
    auto action = machine.start(output_);
    while (action.kind != Kind::done) {
        if (action.kind == Kind::read) {
            auto written = Written{};
            if (!output_.empty()) written = co_await write_output(action.limit);
            if (!written) {
                action = machine.broken(std::move(written.error()));
                continue;
            }
            // Most replies of a pipelined transaction come together: those need no suspension.
            auto ready = buffered_reply();
            if (ready && *ready) {
                action = machine.step(std::move(**ready), output_);
                continue;
            }
            auto reply = ready ? co_await read_reply(action.limit)
                               : std::unexpected(std::move(ready.error()));
            action = reply ? machine.step(std::move(*reply), output_)
                           : machine.broken(std::move(reply.error()));
        } else {
            auto written = co_await write_body(message, action.kind == Kind::send_data);
            output_.clear();
            if (written) {
                action = machine.body_sent();
            } else if (written.error().fault == ClientFault::local) {
                action = machine.broken(std::move(written.error()));
            } else {
                action = machine.body_interrupted(std::move(written.error()));
            }
        }
    }
    // Octets that answer nothing mean that replies and commands are out of step.
    reusable_ = machine.reusable() && unread_.empty() && !parser_.midway();
    may_quit_ = reusable_;
    needs_rset_ = machine.needs_rset();
    co_return Transacted{std::move(machine.results()), machine.untouched()};
}

SmtpConnection::awaitable<void> SmtpConnection::quit() {
    const auto limit = settings_->client.limits.quit;
    if (std::exchange(may_quit_, false) && stream_.is_open()) {
        constexpr std::string_view command = "QUIT\r\n";
        auto written = co_await write({&command, 1}, limit);
        if (written) {
            auto reply = co_await read_reply(limit);
            if (reply) co_await stream_.shutdown();
        }
    }
    reusable_ = false;
    stream_.close();
}

bool SmtpConnection::usable() const noexcept {
    return reusable_ && messages_ < offered().mail_max.value_or(UINT32_MAX);
}

bool SmtpConnection::idle_and_healthy() noexcept {
    return usable() && stream_.idle_and_healthy();
}

std::vector<std::uint32_t> SmtpConnection::batch(const smtp::Envelope& envelope,
                                                 std::span<const std::uint32_t> wanted) {
    const auto& limits = offered();
    const std::size_t most = std::max(1U, limits.rcpt_max.value_or(UINT32_MAX));
    std::vector<std::uint32_t> chosen;
    if (!limits.rcpt_domain_max) {
        chosen.assign(wanted.begin(),
                      wanted.begin() + static_cast<std::ptrdiff_t>(std::min(most, wanted.size())));
        return chosen;
    }
    for (const auto index : wanted) {
        if (chosen.size() == most) break;
        const std::string_view address = envelope.recipients[index].address;
        auto domain = base::to_lower(address.substr(address.rfind('@') + 1));
        const bool known = domains_.contains(domain);
        if (!known && domains_.size() >= std::max(1U, *limits.rcpt_domain_max)) continue;
        if (!known) domains_.insert(std::move(domain));
        chosen.push_back(index);
    }
    return chosen;
}

}  // namespace outpost::upstream

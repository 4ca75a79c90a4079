#include "submission/transaction.hpp"

#include <algorithm>

#include "account/sender_policy.hpp"
#include "base/log.hpp"
#include "submission/lease_wait.hpp"
#include "submission/limit_reply.hpp"
#include "submission/schedule.hpp"
#include "submission/wording.hpp"

namespace outpost::submission {

namespace asio = boost::asio;

namespace {

/// Read at once while a message comes in.
constexpr std::size_t data_room = 16 << 10;
/// And once it is known to be no small one.
constexpr std::size_t large_data_room = 64 << 10;

std::size_t room(const DataSink& sink, std::uint64_t received) {
    return sink.refused() || received < large_data_room ? data_room : large_data_room;
}

}  // namespace

Transaction::Transaction(const Services& services, const Client& client)
    : services_(services),
      client_(client),
      counters_(services.account_limits.of(client.account->name)),
      permits_(services.account_limits.limiter(), counters_) {}

Transaction::Verdict Transaction::mail(const smtp::MailCommand& command) {
    if (const auto health = services_.spool.health(); !health.accepting) {
        base::log::debug("sender refused: the spool does not accept mail",
                         {{"client", client_.address_text}, {"reason", health.reason}});
        counts::refused(counts::Refused::storage);
        return {.reply = std::string(wording::cannot_store)};
    }
    const account::Account& account = *client_.account;
    if (!account.active) {
        counts::refused(counts::Refused::inactive_account);
        return {.reply = std::string(wording::account_inactive)};
    }
    envelope_.reverse_path = command.reverse_path ? command.reverse_path->address() : "";
    const auto verdict = account::check_envelope(account, envelope_.reverse_path);
    if (const auto* refusal = std::get_if<account::Refuse>(&verdict)) {
        counts::refused(counts::Refused::sender);
        base::log::info("sender refused", {{"client", client_.address_text},
                                           {"account", account.name},
                                           {"from", envelope_.reverse_path},
                                           {"reply", refusal->reply.text()}});
        std::string reply = refusal->reply.wire();
        reply.resize(reply.size() - 2);
        return {.reply = std::move(reply)};
    }
    if (auto scheduled = schedule(command, services_.clock.wall(), envelope_); !scheduled) {
        counts::refused(counts::Refused::schedule);
        return {.reply = std::move(scheduled).error()};
    }
    began_ = services_.clock.mono();
    announced_ = command.size.value_or(0);
    envelope_.account = account.name;
    envelope_.envid = command.envid;
    envelope_.ret = command.ret;
    envelope_.body = command.body;
    envelope_.smtputf8 = command.smtputf8;
    envelope_.mt_priority = command.mt_priority;
    return {.accepted = true, .reply = std::string(wording::sender_ok)};
}

std::optional<Transaction::Verdict> Transaction::rcpt(const smtp::RcptCommand& command) {
    denial_ = permits_.take_one();
    if (denial_ && denial_->undecided()) return std::nullopt;
    if (denial_) return refuse_recipient(command, *denial_);
    auto& recipient = envelope_.recipients.emplace_back();
    // RFC 5321 section 4.5.1: postmaster without a domain is ours.
    recipient.address = command.is_postmaster() ? "postmaster@" + services_.hostname
                                                : command.forward_path.address();
    recipient.notify = command.notify;
    recipient.orcpt = command.orcpt;
    return Verdict{.accepted = true, .reply = std::string(wording::recipient_ok)};
}

Transaction::awaitable<Transaction::Verdict> Transaction::rcpt_patiently(
    const smtp::RcptCommand& command) {
    const auto deadline = std::chrono::steady_clock::now() + services_.lease_patience;
    for (bool answered = true; answered;) {
        if (auto verdict = rcpt(command)) co_return std::move(*verdict);
        const base::WallTime again = denial_->wait.until;
        answered = again == base::WallTime::max()
                       ? co_await wait_for_lease(services_.account_limits.limiter(),
                                                 denial_->counter, deadline)
                       : co_await pause_for(again - services_.clock.wall(), deadline);
    }
    co_return refuse_recipient(command, *denial_);
}

Transaction::Verdict Transaction::refuse_recipient(const smtp::RcptCommand& command,
                                                   const RecipientPermits::Denial& denial) {
    const bool rate = denial.by == RecipientPermits::Denial::By::submit_rate;
    counts::refused(denial.undecided() ? counts::Refused::storage
                    : rate             ? counts::Refused::submit_rate
                                       : counts::Refused::quota);
    std::string reply = limit_reply(denial, services_.account_limits.limiter(), counters_.zone,
                                    services_.clock.wall());
    base::log::info("recipient refused", {{"client", client_.address_text},
                                          {"account", envelope_.account},
                                          {"from", envelope_.reverse_path},
                                          {"to", command.forward_path.address()},
                                          {"reply", reply}});
    return {.reply = std::move(reply)};
}

smtp::BodyRules Transaction::rules() const {
    return {.max_size = client_.account->max_message_size,
            .newlines = services_.limits.bare_newlines == config::BareNewlines::normalize
                            ? smtp::BareNewlinePolicy::normalize
                            : smtp::BareNewlinePolicy::reject};
}

void Transaction::begin_message() {
    account_ = client_.account;
    id_ = services_.spool.next_id();
    envelope_.received = services_.clock.wall();
    envelope_.client = "[" + client_.address_text + "]";
    const DataSink::Facts facts{
        .account = *account_,
        .trace = {.hostname = services_.hostname,
                  .client_address = client_.address_text,
                  .client_name = {},
                  .helo = client_.helo,
                  .esmtp = client_.esmtp,
                  .tls = client_.tls,
                  .authenticated = client_.authenticated,
                  .smtputf8 = envelope_.smtputf8,
                  .provider_headers = client_.account->provider_headers,
                  .tls_text = client_.tls_text,
                  // A login name is half of what a thief needs, and recipients read this.
                  .account = {},
                  .recipient = envelope_.recipients.size() == 1
                                   ? std::string_view(envelope_.recipients.front().address)
                                   : std::string_view(),
                  .id = id_,
                  .now = envelope_.received,
                  .random = {}},
        .mt_priority = envelope_.mt_priority,
        .large_message = services_.large_message,
        .spool = services_.spool};
    incoming_.emplace(facts, announced_);
    incoming_->deadline = services_.clock.mono() + services_.limits.data_timeout;
}

Transaction::awaitable<net::Result<void>> Transaction::read_data(Conversation& wire) {
    begin_message();
    auto& decoder = incoming_->data.emplace(rules());
    DataSink& sink = incoming_->sink;
    wire.stream().expires_after(services_.limits.data_timeout);
    for (;;) {
        const auto progress = decoder.feed(wire.input().data(), sink.buffer());
        wire.input().consume(progress.consumed);
        if (decoder.fault() != smtp::BodyFault::none)
            sink.refuse(counts::reason(decoder.fault()), wording::body_fault(decoder.fault()));
        if (progress.complete) break;
        if (sink.wants_drain()) co_await sink.drain();
        auto filled = co_await wire.fill(room(sink, decoder.size()));
        if (!filled) co_return filled;
    }
    co_return net::Result<void>{};
}

Transaction::awaitable<net::Result<void>> Transaction::read_chunk(Conversation& wire,
                                                                  std::uint64_t octets, bool last) {
    if (!incoming_) {
        begin_message();
        incoming_->chunks.emplace(rules());
    }
    auto& decoder = *incoming_->chunks;
    DataSink& sink = incoming_->sink;
    wire.stream().expires_after(incoming_->deadline - services_.clock.mono());
    decoder.begin_chunk(octets, last);
    for (;;) {
        const auto progress = decoder.feed(wire.input().data(), sink.buffer());
        wire.input().consume(progress.consumed);
        if (decoder.fault() != smtp::BodyFault::none)
            sink.refuse(counts::reason(decoder.fault()), wording::body_fault(decoder.fault()));
        if (sink.wants_drain()) co_await sink.drain();
        if (progress.chunk_complete) break;
        auto filled = co_await wire.fill(room(sink, decoder.size()));
        if (!filled) co_return filled;
    }
    co_return net::Result<void>{};
}

std::optional<std::string> Transaction::refusal() const {
    if (!incoming_ || !incoming_->sink.refused()) return std::nullopt;
    return incoming_->sink.refusal();
}

Transaction::awaitable<std::string> Transaction::store() {
    auto body = co_await incoming_->sink.finish();
    if (!body) {
        base::log::info("message refused", {{"client", client_.address_text},
                                            {"account", envelope_.account},
                                            {"from", envelope_.reverse_path},
                                            {"reply", body.error()}});
        co_return std::move(body).error();
    }
    envelope_.priority = incoming_->sink.priority();
    if (envelope_.hold_for)  // counts from the message's acceptance
        envelope_.release_at = services_.clock.wall() + *envelope_.hold_for;
    const QueuedFacts facts{
        .from = envelope_.reverse_path,
        .recipients = envelope_.recipients.size(),
        .size = std::visit([](const auto& value) { return value.size(); }, *body),
        .priority = envelope_.priority};
    spool::NewMessage message{
        .id = id_, .envelope = std::move(envelope_), .body = std::move(*body)};
    auto stored = co_await services_.spool.append(std::move(message));
    if (!stored) {
        counts::refused(counts::Refused::storage);
        base::log::warning("message not stored",
                           {{"id", id_.text()}, {"reason", stored.error().reason}});
        co_return std::string(wording::cannot_store);
    }
    permits_.used();
    counts::accepted(facts.recipients, facts.size);
    log_queued(facts);
    co_return wording::queued(id_);
}

void Transaction::log_queued(const QueuedFacts& facts) const {
    if (!base::log::enabled(base::log::Level::info)) return;
    const std::chrono::duration<double> delay = services_.clock.mono() - began_;
    base::log::info("queued", {{"id", id_.text()},
                               {"account", client_.account->name},
                               {"from", facts.from},
                               {"recipients", facts.recipients},
                               {"size", facts.size},
                               {"priority", facts.priority},
                               {"client", client_.address_text},
                               {"tls", client_.tls},
                               {"delay", delay.count()}});
}

asio::awaitable<net::Result<void>> discard(Conversation& wire, std::uint64_t octets) {
    for (;;) {
        const auto taken = std::min<std::uint64_t>(octets, wire.input().size());
        wire.input().consume(taken);
        octets -= taken;
        if (octets == 0) co_return net::Result<void>{};
        auto filled = co_await wire.fill(data_room);
        if (!filled) co_return filled;
    }
}

}  // namespace outpost::submission

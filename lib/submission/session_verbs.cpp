#include "base/log.hpp"
#include "submission/auth_dialog.hpp"
#include "submission/session.hpp"
#include "submission/wording.hpp"

namespace outpost::submission {

using smtp::Action;
using smtp::ServerEvent;

void Session::greet() {
    forget_transaction();
    client_.esmtp = machine_.extended();
    if (client_.esmtp) {
        client_.helo = std::get<smtp::EhloCommand>(command_).domain;
        const bool auth = machine_.offers_auth() && !machine_.signed_in();
        wire_.say_wire(environment_.terms->greeting.ehlo(machine_.offers_starttls(), auth,
                                                         services_.clock.wall()));
    } else {
        client_.helo = std::get<smtp::HeloCommand>(command_).domain;
        wire_.say(environment_.terms->greeting.helo());
    }
}

void Session::mail() {
    transaction_.emplace(services_, client_);
    const auto verdict = transaction_->mail(std::get<smtp::MailCommand>(command_));
    wire_.say(verdict.reply);
    if (!verdict.accepted) forget_transaction();
    (void)machine_.step(verdict.accepted ? ServerEvent::sender_accepted
                                         : ServerEvent::sender_refused);
}

void Session::rcpt() {
    const auto verdict = transaction_->rcpt(std::get<smtp::RcptCommand>(command_));
    unleased_ = !verdict;
    if (verdict) recipient_judged(*verdict);
}

Session::awaitable<void> Session::rcpt_patiently() {
    unleased_ = false;
    recipient_judged(co_await transaction_->rcpt_patiently(std::get<smtp::RcptCommand>(command_)));
}

void Session::recipient_judged(const Transaction::Verdict& verdict) {
    wire_.say(verdict.reply);
    (void)machine_.step(verdict.accepted ? ServerEvent::recipient_accepted
                                         : ServerEvent::recipient_refused);
}

Session::awaitable<void> Session::start_tls() {
    // Octets behind STARTTLS may be an injected command (RFC 3207 section 6, CVE-2011-0411).
    if (!wire_.input().empty()) {
        base::log::warning("octets behind STARTTLS: connection dropped",
                           {{"client", client_.address_text}});
        turn_away(wording::early_octets);
        co_return;
    }
    wire_.say(wording::ready_for_tls);
    wire_.stream().expires_after(services_.limits.idle_timeout);
    auto sent = co_await wire_.flush();
    if (!sent) {
        lost(sent.error(), wording::idle);
        co_return;
    }
    if (const bool encrypted = co_await encrypt(); !encrypted) {
        ending_ = true;
        co_return;
    }
    client_.helo.clear();
    if (client_.authenticated) {
        client_.account.reset();
        client_.authenticated = false;
        machine_.set_limits(services_.limits.max_message_size, services_.limits.max_recipients);
    }
    (void)machine_.step(ServerEvent::tls_established);
}

Session::awaitable<void> Session::authenticate() {
    const auto command = std::get<smtp::AuthCommand>(std::move(command_));
    accounts_ = services_.authenticator.generation();
    auto outcome = co_await run_auth(wire_, services_, client_, command, auth_failures_);
    if (!outcome) {
        lost(outcome.error(), wording::idle);
        co_return;
    }
    if (outcome->failed) ++auth_failures_;
    if (outcome->close) ending_ = linger_ = true;
    if (!outcome->account) co_return;
    client_.account = std::move(outcome->account);
    client_.authenticated = true;
    machine_.set_limits(client_.account->max_message_size, client_.account->max_recipients);
    (void)machine_.step(ServerEvent::authenticated);
}

Session::awaitable<void> Session::data() {
    wire_.say(wording::go_ahead);
    auto read = co_await transaction_->read_data(wire_);
    if (!read) {
        lost(read.error(), wording::data_timeout);
        co_return;
    }
    co_await finish_message();
}

Session::awaitable<void> Session::chunk(std::uint64_t octets) {
    const bool last = std::get<smtp::BdatCommand>(command_).last;
    auto read = co_await transaction_->read_chunk(wire_, octets, last);
    if (!read) {
        lost(read.error(), wording::data_timeout);
        co_return;
    }
    if (const auto refusal = transaction_->refusal()) {
        wire_.say(*refusal);
        forget_transaction();
        (void)machine_.step(ServerEvent::chunk_failed);
        co_return;
    }
    const Action next = machine_.step(ServerEvent::chunk_taken);
    if (next.kind == Action::Kind::finish_message) {
        co_await finish_message();
    } else {
        perform(next);
    }
}

Session::awaitable<void> Session::discard_chunk(Action action) {
    wire_.stream().expires_after(services_.limits.data_timeout);
    auto read = co_await discard(wire_, action.octets);
    if (!read) {
        lost(read.error(), wording::data_timeout);
        co_return;
    }
    counts::refused(counts::reason(action.refusal));
    wire_.say(wording::refusal(action.refusal));
}

Session::awaitable<void> Session::finish_message() {
    const std::string reply = co_await transaction_->store();
    wire_.say(reply);
    forget_transaction();
    (void)machine_.step(ServerEvent::message_done);
}

}  // namespace outpost::submission

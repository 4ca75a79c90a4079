#include "smtp/client_transaction.hpp"

#include <fmt/format.h>

#include <utility>

#include "smtp/client_commands.hpp"

namespace outpost::smtp {

namespace {

using Kind = TransactionAction::Kind;

bool is_completion(const Reply& reply) noexcept {
    return reply.code >= 200 && reply.code < 300;
}

}  // namespace

TransactionMachine::TransactionMachine(const TransactionPlan& plan)
    : plan_(plan),
      chunked_(plan.offered.chunking),
      results_(plan.recipients.size()),
      settled_(plan.recipients.size()) {}

ClientStage TransactionMachine::stage() const noexcept {
    if (answered_ <= mail_position) return ClientStage::mail;
    if (answered_ < data_position()) return ClientStage::rcpt;
    return answered_ == verdict_position() && body_out_ ? ClientStage::verdict : ClientStage::data;
}

TransactionAction TransactionMachine::start(std::string& output) {
    sent_ = answered_ = plan_.rset_first ? rset_position : mail_position;
    return send_batch(output);
}

TransactionAction TransactionMachine::send_batch(std::string& output) {
    std::size_t room = plan_.offered.pipelining ? max_batch : 1;
    for (; room > 0 && sent_ < data_position(); --room, ++sent_) {
        if (sent_ == rset_position) {
            output += "RSET\r\n";
        } else if (sent_ == mail_position) {
            append_mail(output, plan_);
        } else {
            const auto index = plan_.recipients[sent_ - first_rcpt];
            append_rcpt(output, plan_.envelope.recipients[index], plan_.offered.dsn);
        }
    }
    if (room == 0 || sent_ < data_position()) return read_next();
    if (!chunked_) {
        output += "DATA\r\n";
        ++sent_;
    } else if (plan_.body_along) {
        return send_bdat(output);
    }
    return read_next();
}

TransactionAction TransactionMachine::send_bdat(std::string& output) {
    output += fmt::format("BDAT {} LAST\r\n", plan_.size);
    return {.kind = Kind::send_chunk, .limit = plan_.limits.block};
}

TransactionAction TransactionMachine::read_next() const {
    if (answered_ < data_position()) return {.kind = Kind::read, .limit = plan_.limits.command};
    if (answered_ < verdict_position()) return {.kind = Kind::read, .limit = plan_.limits.data};
    return {.kind = Kind::read, .limit = plan_.limits.verdict};
}

TransactionAction TransactionMachine::finish() {
    return {.kind = Kind::done, .limit = {}};
}

TransactionAction TransactionMachine::step(Reply reply, std::string& output) {
    if (answered_ == sent_) return out_of_step(reply);
    if (reply.code == 421) return close_with(ClientFault::refused, std::move(reply));
    if (answered_ == rset_position) return on_rset(std::move(reply), output);
    if (answered_ == mail_position) return on_mail(std::move(reply), output);
    if (answered_ < data_position()) return on_rcpt(std::move(reply), output);
    if (answered_ < verdict_position()) return on_data(std::move(reply), output);
    return on_verdict(std::move(reply));
}

/// What to do once a reply has been dealt with.
TransactionAction TransactionMachine::proceed(std::string& output) {
    if (answered_ < sent_) return read_next();
    if (mail_refused_) return finish();
    if (sent_ < data_position()) return send_batch(output);
    if (accepted_ == 0) return finish();
    if (chunked_) return send_bdat(output);
    output += "DATA\r\n";
    ++sent_;
    return read_next();
}

TransactionAction TransactionMachine::on_rset(Reply reply, std::string& output) {
    if (!is_completion(reply)) return close_with(ClientFault::refused, std::move(reply));
    ++answered_;
    return proceed(output);
}

TransactionAction TransactionMachine::on_mail(Reply reply, std::string& output) {
    if (reply.code >= 300 && reply.code < 400) return out_of_step(reply);
    if (reply.positive()) {
        mail_open_ = true;
    } else {
        mail_refused_ = true;
        settle_rest(ClientFault::refused, reply);
    }
    ++answered_;
    return proceed(output);
}

TransactionAction TransactionMachine::on_rcpt(Reply reply, std::string& output) {
    // After a refused MAIL the replies to RCPT say nothing new.
    if (!mail_refused_) {
        if (reply.code >= 300 && reply.code < 400) return out_of_step(reply);
        if (reply.positive()) {
            ++accepted_;
        } else {
            settle(answered_ - first_rcpt, ClientFault::refused, std::move(reply));
        }
    }
    ++answered_;
    return proceed(output);
}

TransactionAction TransactionMachine::on_data(Reply reply, std::string& output) {
    if (reply.code == 354) {
        ++answered_;
        if (accepted_ > 0) return {.kind = Kind::send_data, .limit = plan_.limits.block};
        // The server waits for a message that has no recipient left: an empty one ends that (RFC
        // 2920 section 3.1). What it says to it concerns nobody.
        output += ".\r\n";
        ++sent_;
        return read_next();
    }
    if (reply.positive()) return out_of_step(reply);
    if (accepted_ > 0) settle_rest(ClientFault::refused, reply);
    ++answered_;
    return finish();
}

TransactionAction TransactionMachine::on_verdict(Reply reply) {
    if (interrupted_ && reply.positive()) return broken(*interrupted_);
    if (reply.code >= 300 && reply.code < 400) return out_of_step(reply);
    // After a BDAT that failed only RSET brings a known state (RFC 3030 section 2).
    mail_open_ = chunked_ && !reply.positive();
    if (accepted_ > 0)
        settle_rest(reply.positive() ? ClientFault::none : ClientFault::refused, reply);
    ++answered_;
    if (interrupted_) closing_ = true;
    return finish();
}

TransactionAction TransactionMachine::body_sent() {
    body_out_ = true;
    sent_ = verdict_position() + 1;
    return read_next();
}

TransactionAction TransactionMachine::body_interrupted(ClientBroken why) {
    interrupted_ = std::move(why);
    sent_ = verdict_position() + 1;
    return {.kind = Kind::read, .limit = plan_.limits.quit};
}

TransactionAction TransactionMachine::broken(ClientBroken why) {
    if (interrupted_) why = *interrupted_;
    return close_with(why.fault, own_words(std::move(why.words)));
}

TransactionAction TransactionMachine::out_of_step(const Reply& reply) {
    return close_with(ClientFault::protocol,
                      own_words("a reply that does not answer the command: " + reply.text()));
}

TransactionAction TransactionMachine::close_with(ClientFault fault, Reply reply) {
    closing_ = true;
    const bool refused = fault == ClientFault::refused;
    // Silence until the time is up, after the body, may mean that the server is at work on it.
    untouched_ = answered_ <= mail_position && (refused || fault == ClientFault::disconnected ||
                                                (fault == ClientFault::timed_out && !body_out_));
    if (body_out_ && !refused) fault = ClientFault::uncertain;
    settle_rest(fault, reply);
    return finish();
}

void TransactionMachine::settle(std::size_t recipient, ClientFault fault, Reply reply) {
    settled_[recipient] = true;
    results_[recipient] = {stage(), fault, std::move(reply)};
}

void TransactionMachine::settle_rest(ClientFault fault, const Reply& reply) {
    for (std::size_t i = 0; i < results_.size(); ++i)
        if (!settled_[i]) settle(i, fault, reply);
}

}  // namespace outpost::smtp

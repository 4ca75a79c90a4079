#include "smtp/client_machine.hpp"

#include <utility>

#include "base/base64.hpp"

namespace outpost::smtp {

namespace {

using Kind = ClientAction::Kind;

/// An AUTH line up to here fits the command line of RFC 5321 section 4.5.3.1.4; a longer initial
/// response waits for the first challenge (RFC 4954 section 4).
constexpr std::size_t longest_auth_line = 510;

ClientAction act(Kind kind, std::chrono::seconds limit, std::string output = {},
                 std::string challenge = {}) {
    return {kind, std::move(output), std::move(challenge), limit};
}

bool is_421(const Reply& reply) noexcept {
    return reply.code == 421;
}

}  // namespace

Reply own_words(std::string words) {
    Reply reply;
    reply.lines.push_back(std::move(words));
    return reply;
}

ClientStage ClientMachine::stage() const noexcept {
    switch (state_) {
        case State::banner: return ClientStage::banner;
        case State::ehlo:
        case State::helo: return ClientStage::ehlo;
        case State::starttls: return ClientStage::starttls;
        case State::handshake: return ClientStage::handshake;
        case State::sasl_start:
        case State::auth:
        case State::sasl_step:
        case State::auth_cancelled: return ClientStage::auth;
        case State::ended: break;
    }
    return failure_.stage;
}

ClientAction ClientMachine::fail(ClientFault fault, Reply reply) {
    if (failure_.fault == ClientFault::none) {
        failure_ = {stage(), fault, std::move(reply)};
        may_quit_ = fault == ClientFault::not_offered || fault == ClientFault::sasl ||
                    (fault == ClientFault::refused && !is_421(failure_.reply));
    } else if (fault != ClientFault::refused) {
        may_quit_ = false;
    }
    state_ = State::ended;
    return act(Kind::failed, settings_.limits.quit);
}

ClientAction ClientMachine::start() {
    if (settings_.tls == ClientSettings::Tls::implicit) return start_handshake();
    state_ = State::banner;
    return act(Kind::read, settings_.limits.banner);
}

ClientAction ClientMachine::start_handshake() {
    state_ = State::handshake;
    return act(Kind::handshake, settings_.limits.handshake);
}

ClientAction ClientMachine::step(ClientEvent event) {
    if (auto* broken = std::get_if<ClientBroken>(&event))
        return fail(broken->fault, own_words(std::move(broken->words)));
    if (auto* reply = std::get_if<Reply>(&event)) return on_reply(std::move(*reply));
    if (std::holds_alternative<TlsStarted>(event)) {
        encrypted_ = true;
        if (settings_.tls == ClientSettings::Tls::starttls) return send_ehlo();
        state_ = State::banner;
        return act(Kind::read, settings_.limits.banner);
    }
    if (auto* error = std::get_if<SaslError>(&event)) {
        // Nothing is under way on the wire yet where the very start failed.
        if (state_ == State::sasl_start)
            return fail(ClientFault::sasl, own_words(std::move(error->words)));
        return cancel_auth(ClientFault::sasl, std::move(error->words));
    }
    if (auto* begin = std::get_if<SaslClient::Start>(&event))
        return on_sasl_start(std::move(*begin));
    state_ = State::auth;
    return act(Kind::read, settings_.limits.command,
               base::base64_encode(std::get<SaslAnswer>(event).octets) + "\r\n");
}

ClientAction ClientMachine::on_reply(Reply reply) {
    switch (state_) {
        case State::banner: return on_banner(std::move(reply));
        case State::ehlo:
        case State::helo: return on_ehlo(std::move(reply));
        case State::starttls: return on_starttls(std::move(reply));
        case State::auth: return on_auth(std::move(reply));
        case State::auth_cancelled:
            if (is_421(reply)) may_quit_ = false;
            return fail(ClientFault::refused, std::move(reply));
        case State::handshake:
        case State::sasl_start:
        case State::sasl_step:
        case State::ended: break;
    }
    return fail(ClientFault::protocol, own_words("a reply that answers no command"));
}

ClientAction ClientMachine::on_banner(Reply reply) {
    if (reply.code == 220) return send_ehlo();
    if (reply.positive())
        return fail(ClientFault::protocol, own_words("a greeting other than 220: " + reply.text()));
    return fail(ClientFault::refused, std::move(reply));
}

ClientAction ClientMachine::send_ehlo() {
    state_ = State::ehlo;
    extensions_ = {};
    return act(Kind::read, settings_.limits.command, "EHLO " + settings_.hostname + "\r\n");
}

ClientAction ClientMachine::on_ehlo(Reply reply) {
    if (reply.code >= 200 && reply.code < 300) {
        if (state_ == State::ehlo) extensions_ = parse_extensions(reply.lines);
        return after_hello();
    }
    if (state_ == State::ehlo && (reply.code == 500 || reply.code == 502)) {
        state_ = State::helo;
        return act(Kind::read, settings_.limits.command, "HELO " + settings_.hostname + "\r\n");
    }
    if (reply.positive())
        return fail(ClientFault::protocol, own_words("a strange reply to EHLO: " + reply.text()));
    return fail(ClientFault::refused, std::move(reply));
}

ClientAction ClientMachine::after_hello() {
    if (settings_.tls == ClientSettings::Tls::starttls && !encrypted_) {
        state_ = State::starttls;
        if (!extensions_.starttls)
            return fail(ClientFault::not_offered,
                        own_words("STARTTLS is not offered, but encryption is set to starttls"));
        return act(Kind::read, settings_.limits.command, "STARTTLS\r\n");
    }
    if (settings_.authenticate) {
        state_ = State::sasl_start;
        if (extensions_.auth.empty())
            return fail(ClientFault::not_offered,
                        own_words("AUTH is not offered, but a username is set"));
        return act(Kind::sasl_start, settings_.limits.command);
    }
    state_ = State::ended;
    return act(Kind::ready, settings_.limits.command);
}

ClientAction ClientMachine::on_starttls(Reply reply) {
    if (reply.code == 220) return start_handshake();
    if (reply.positive())
        return fail(ClientFault::protocol,
                    own_words("a strange reply to STARTTLS: " + reply.text()));
    return fail(ClientFault::refused, std::move(reply));
}

ClientAction ClientMachine::on_sasl_start(SaslClient::Start start) {
    state_ = State::auth;
    initial_response_waits_ = false;
    std::string line = "AUTH " + start.mechanism;
    if (start.initial_response) {
        const std::string encoded = start.initial_response->empty()
                                        ? std::string("=")
                                        : base::base64_encode(*start.initial_response);
        if (line.size() + 1 + encoded.size() <= longest_auth_line) {
            line += ' ';
            line += encoded;
        } else {
            initial_response_ = encoded;
            initial_response_waits_ = true;
        }
    }
    return act(Kind::read, settings_.limits.command, line + "\r\n");
}

ClientAction ClientMachine::on_auth(Reply reply) {
    if (reply.code == 235) {
        state_ = State::ended;
        return act(Kind::ready, settings_.limits.command);
    }
    if (reply.code == 334) {
        if (std::exchange(initial_response_waits_, false))
            return act(Kind::read, settings_.limits.command,
                       std::exchange(initial_response_, {}) + "\r\n");
        auto challenge = base::base64_decode(reply.lines.front());
        if (!challenge)
            return cancel_auth(ClientFault::protocol, "an AUTH challenge that is not base64");
        state_ = State::sasl_step;
        return act(Kind::sasl_step, settings_.limits.command, {}, std::move(*challenge));
    }
    if (reply.positive())
        return fail(ClientFault::protocol, own_words("a strange reply to AUTH: " + reply.text()));
    return fail(ClientFault::refused, std::move(reply));
}

ClientAction ClientMachine::cancel_auth(ClientFault fault, std::string words) {
    failure_ = {ClientStage::auth, fault, own_words(std::move(words))};
    may_quit_ = true;
    state_ = State::auth_cancelled;
    return act(Kind::read, settings_.limits.command, "*\r\n");
}

}  // namespace outpost::smtp

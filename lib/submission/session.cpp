#include "submission/session.hpp"

#include "base/log.hpp"
#include "base/text.hpp"
#include "smtp/command_parser.hpp"
#include "submission/wording.hpp"

namespace outpost::submission {

namespace asio = boost::asio;
using smtp::Action;
using smtp::ServerEvent;

namespace {

smtp::ServerRules machine_rules(const Services& services, const ListenerRules& listener) {
    return {.starttls = listener.tls == config::ListenerTls::starttls,
            .require_tls = listener.require_tls && !listener.trusted_account,
            .encrypted = listener.tls == config::ListenerTls::implicit,
            .trusted = listener.trusted_account.has_value(),
            .max_message_size = services.limits.max_message_size,
            .max_recipients = services.limits.max_recipients};
}

bool suspends(Action::Kind kind) noexcept {
    using enum Action::Kind;
    return kind == start_tls || kind == authenticate || kind == read_data || kind == read_chunk ||
           kind == discard_chunk || kind == finish_message;
}

/// A wrong address is a fact about a mailing list, not a client that cannot speak SMTP.
bool blames_client(smtp::CommandFault fault) noexcept {
    using enum smtp::CommandFault;
    return fault != bad_reverse_path && fault != bad_forward_path &&
           fault != non_ascii_reverse_path && fault != non_ascii_forward_path;
}

}  // namespace

Session::Session(Environment environment, asio::io_context& context, asio::ip::tcp::socket socket)
    : environment_(std::move(environment)),
      services_(environment_.terms->services),
      wire_(context, std::move(socket)),
      machine_(machine_rules(services_, *environment_.listener)) {
    environment_.listener->sessions.all->add();
    environment_.listener->sessions.open->add(1);
}

Session::~Session() {
    environment_.listener->sessions.open->add(-1);
}

Session::awaitable<void> Session::run() {
    if (co_await open()) co_await converse();
    forget_transaction();
    if (broken_) {
        wire_.stream().close();
    } else {
        co_await wire_.close(linger_);
    }
}

void Session::stop() {
    stopping_ = true;
    if (waiting_ && !machine_.in_transaction()) wire_.stream().expires_after({});
}

void Session::stop_now() {
    stopping_ = true;
    wire_.stream().expires_after({});
}

void Session::accounts_changed() {
    if (waiting_ && !may_stay()) wire_.stream().expires_after({});
}

/// Takes over what has changed of the account; false if the client may not use it any more.
bool Session::may_stay() {
    const account::Authenticator& authenticator = services_.authenticator;
    const std::uint64_t now = authenticator.generation();
    if (!signed_out_.empty() || !client_.account || now == accounts_) return signed_out_.empty();
    accounts_ = now;
    auto account = authenticator.directory()->find(client_.account->name);
    if (!account || !account->active) {
        signed_out_ = wording::account_gone;
    } else if (client_.authenticated &&
               (!account->admits(client_.address) || account->secret != client_.account->secret)) {
        signed_out_ = wording::account_changed;
    }
    if (!signed_out_.empty()) {
        base::log::info("session ended: its account was changed",
                        {{"client", client_.address_text}, {"account", client_.account->name}});
        return false;
    }
    client_.account = std::move(account);
    machine_.set_limits(client_.account->max_message_size, client_.account->max_recipients);
    return true;
}

bool Session::leaving() const noexcept {
    return stopping_ && !machine_.in_transaction();
}

Session::awaitable<void> Session::converse() {
    while (!ending_) {
        if (leaving()) {
            turn_away(wording::shutting_down);
            break;
        }
        if (!may_stay()) {
            turn_away(signed_out_);
            break;
        }
        const auto event = wire_.next_line();
        if (std::holds_alternative<smtp::NeedMore>(event)) {
            wire_.stream().expires_after(services_.limits.idle_timeout);
            waiting_ = true;
            auto filled = co_await wire_.fill(Conversation::command_room);
            waiting_ = false;
            if (!filled) lost(filled.error(), signed_out_.empty() ? wording::idle : signed_out_);
            continue;
        }
        const auto* line = std::get_if<smtp::Line>(&event);
        const Action action = line ? take(line->text) : take(std::get<smtp::BadLine>(event));
        if (suspends(action.kind)) {
            co_await perform_waiting(action);
        } else {
            perform(action);
            if (unleased_) co_await rcpt_patiently();
        }
    }
}

Action Session::take(std::string_view line) {
    auto command = smtp::parse_command(line, transaction_ && transaction_->smtputf8());
    if (command) {
        command_ = std::move(*command);
        return machine_.step(command_);
    }
    const auto action =
        blames_client(command.error().fault) ? machine_.step(ServerEvent::bad_line) : Action{};
    if (action.kind != Action::Kind::proceed) return action;
    counts::refused(counts::Refused::protocol);
    wire_.say(smtp::reply_to(command.error()));
    // Without its size a chunk cannot be told from commands.
    if (base::iequals(line.substr(0, 4), "BDAT")) ending_ = linger_ = true;
    return action;
}

Action Session::take(smtp::BadLine bad) {
    const auto action = machine_.step(ServerEvent::bad_line);
    if (action.kind == Action::Kind::proceed) {
        counts::refused(counts::Refused::protocol);
        wire_.say(wording::line_fault(bad.fault));
    }
    return action;
}

void Session::perform(Action action) {
    using enum Action::Kind;
    switch (action.kind) {
        case refuse:
            counts::refused(counts::reason(action.refusal));
            wire_.say(wording::refusal(action.refusal));
            break;
        case refuse_and_close:
            counts::refused(counts::reason(action.refusal));
            turn_away(wording::refusal(action.refusal));
            break;
        case greet: return this->greet();
        case check_sender: return mail();
        case check_recipient: return rcpt();
        case acknowledge_chunk:
            wire_.say(wording::chunk_ok(std::get<smtp::BdatCommand>(command_).size));
            break;
        case reset:
            forget_transaction();
            wire_.say(wording::ok);
            break;
        case acknowledge: wire_.say(wording::ok); break;
        case verify: wire_.say(wording::cannot_verify); break;
        case help: wire_.say(wording::help); break;
        case quit:
            wire_.say(wording::bye);
            ending_ = true;
            break;
        default: break;
    }
}

Session::awaitable<void> Session::perform_waiting(Action action) {
    using enum Action::Kind;
    switch (action.kind) {
        case start_tls: return this->start_tls();
        case authenticate: return this->authenticate();
        case read_data: return data();
        case read_chunk: return chunk(action.octets);
        case discard_chunk: return this->discard_chunk(action);
        default: return this->finish_message();
    }
}

void Session::lost(const net::Failure& failure, std::string_view timeout_reply) {
    ending_ = true;
    if (failure.kind == net::Failure::Kind::timed_out) {
        wire_.say(stopping_ ? wording::shutting_down : timeout_reply);
    } else {
        broken_ = true;
        base::log::debug("connection lost",
                         {{"client", client_.address_text}, {"reason", failure.text}});
    }
}

void Session::turn_away(std::string_view reply) {
    wire_.say(reply);
    ending_ = linger_ = true;
}

}  // namespace outpost::submission

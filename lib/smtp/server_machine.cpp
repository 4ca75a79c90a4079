#include "smtp/server_machine.hpp"

#include <algorithm>
#include <array>

namespace outpost::smtp {

using Kind = Action::Kind;

namespace {

/// One for each phase.
using Refusals = std::array<Refusal, 6>;
constexpr Refusals always(Refusal why) {
    return {why, why, why, why, why, why};
}

}  // namespace

/// Which command may come when: one row a verb, in the order of Command's alternatives, one column
/// a phase. What depends on more than the phase is judged by judge_mail() and its sisters, before
/// the table.
struct ServerMachine::Table {
    using enum Refusal;
    struct Row {
        Kind action;
        Refusals refusal;
    };
    // clang-format off
    static constexpr std::array<Row, std::variant_size_v<Command>> rows{{
        {Kind::greet,           always(none)},             // EHLO
        {Kind::greet,           always(none)},             // HELO
        // fresh      greeted     mail             recipients      chunks          failed
        {Kind::start_tls,                                  // STARTTLS
         {ehlo_first, none,       in_transaction,  in_transaction, in_transaction, in_transaction}},
        {Kind::authenticate,                               // AUTH
         {ehlo_first, none,       in_transaction,  in_transaction, in_transaction, in_transaction}},
        {Kind::check_sender,                               // MAIL
         {ehlo_first, none,       nested_mail,     nested_mail,    bdat_begun,     none}},
        {Kind::check_recipient,                            // RCPT
         {mail_first, mail_first, none,            none,           bdat_begun,     after_failure}},
        {Kind::read_data,                                  // DATA
         {mail_first, mail_first, recipient_first, none,           bdat_begun,     after_failure}},
        {Kind::read_chunk,                                 // BDAT
         {mail_first, mail_first, recipient_first, none,           none,           after_failure}},
        {Kind::reset,           always(none)},             // RSET
        {Kind::acknowledge,     always(none)},             // NOOP
        {Kind::verify,          always(none)},             // VRFY
        {Kind::refuse,          always(expn)},             // EXPN
        {Kind::help,            always(none)},             // HELP
        {Kind::quit,            always(none)},             // QUIT
        {Kind::refuse,          always(unknown_command)},  // any other
    }};
    // clang-format on
    static_assert(std::variant_size_v<Command> == 15, "a verb without a row");
};

Action ServerMachine::step(const Command& command) {
    const Refusal why = judge(command);
    return why == Refusal::none ? perform(command) : refuse(command, why);
}

Refusal ServerMachine::judge(const Command& command) const noexcept {
    auto why = Refusal::none;
    if (const auto* mail = std::get_if<MailCommand>(&command)) {
        why = judge_mail(*mail);
    } else if (std::holds_alternative<AuthCommand>(command)) {
        why = judge_auth();
    } else if (std::holds_alternative<StartTlsCommand>(command)) {
        why = judge_starttls();
    } else if (phase_ == Phase::recipients && std::holds_alternative<RcptCommand>(command) &&
               recipients_ >= rules_.max_recipients) {
        return Refusal::too_many_recipients;
    }
    if (why != Refusal::none) return why;
    why = Table::rows[command.index()].refusal[static_cast<std::size_t>(phase_)];
    if (why == Refusal::recipient_first && recipient_refused_) return Refusal::no_valid_recipients;
    return why;
}

Refusal ServerMachine::judge_mail(const MailCommand& mail) const noexcept {
    if (rules_.require_tls && !encrypted_) return Refusal::starttls_first;
    if (phase_ != Phase::fresh && !signed_in_) return Refusal::authentication_first;
    if (phase_ != Phase::greeted && phase_ != Phase::failed) return Refusal::none;
    if (mail.size && *mail.size > rules_.max_message_size) return Refusal::message_too_big;
    if (mail.body == BodyType::binary_mime) return Refusal::binary_mime;
    return Refusal::none;
}

Refusal ServerMachine::judge_auth() const noexcept {
    if (signed_in_) return Refusal::authenticated_already;
    if (rules_.require_tls && !encrypted_) return Refusal::auth_in_clear;
    if (phase_ != Phase::fresh && !extended_) return Refusal::auth_needs_ehlo;
    return Refusal::none;
}

Refusal ServerMachine::judge_starttls() const noexcept {
    if (encrypted_) return Refusal::tls_active;
    if (!rules_.starttls) return Refusal::tls_not_offered;
    return Refusal::none;
}

Action ServerMachine::refuse(const Command& command, Refusal why) {
    Action action{.kind = Kind::refuse, .refusal = why};
    if (const auto* bdat = std::get_if<BdatCommand>(&command)) {
        // The octets follow whatever the reply will be (RFC 3030 section 2).
        action.kind = Kind::discard_chunk;
        action.octets = bdat->size;
        if (phase_ == Phase::failed && bdat->last) enter(Phase::greeted);
    }
    if (std::holds_alternative<MailCommand>(command) && phase_ <= Phase::greeted) aftermath_ = true;
    return is_no_fault(command, why) ? action : count_bad(action);
}

bool ServerMachine::is_no_fault(const Command& command, Refusal why) const noexcept {
    using enum Refusal;
    if (why == too_many_recipients || why == message_too_big || why == after_failure ||
        why == no_valid_recipients)
        return true;
    return aftermath_ && (std::holds_alternative<RcptCommand>(command) ||
                          std::holds_alternative<DataCommand>(command) ||
                          std::holds_alternative<BdatCommand>(command));
}

Action ServerMachine::count_bad(Action otherwise) noexcept {
    if (++bad_commands_ < max_bad_commands) return otherwise;
    return {.kind = Kind::refuse_and_close, .refusal = Refusal::too_many_errors};
}

Action ServerMachine::perform(const Command& command) {
    Action action{.kind = Table::rows[command.index()].action};
    switch (action.kind) {
        case Kind::greet:
            extended_ = std::holds_alternative<EhloCommand>(command);
            enter(Phase::greeted);
            break;
        case Kind::reset: enter(phase_ == Phase::fresh ? Phase::fresh : Phase::greeted); break;
        case Kind::check_sender: enter(Phase::greeted); break;
        case Kind::read_chunk: {
            const auto& bdat = std::get<BdatCommand>(command);
            enter(Phase::chunks);
            action.octets = bdat.size;
            last_chunk_ = bdat.last;
            break;
        }
        default: break;
    }
    return action;
}

Action ServerMachine::step(ServerEvent event) {
    switch (event) {
        case ServerEvent::tls_established:
            // RFC 3207 section 4.2: all that the client said in the clear is forgotten.
            encrypted_ = true;
            signed_in_ = rules_.trusted;
            extended_ = false;
            enter(Phase::fresh);
            break;
        case ServerEvent::authenticated: signed_in_ = true; break;
        case ServerEvent::sender_accepted: enter(Phase::mail); break;
        case ServerEvent::sender_refused: aftermath_ = true; break;
        case ServerEvent::recipient_accepted:
            ++recipients_;
            phase_ = Phase::recipients;
            break;
        case ServerEvent::recipient_refused: recipient_refused_ = true; break;
        case ServerEvent::message_done: enter(Phase::greeted); break;
        case ServerEvent::chunk_taken:
            return {.kind = last_chunk_ ? Kind::finish_message : Kind::acknowledge_chunk};
        case ServerEvent::chunk_failed: enter(last_chunk_ ? Phase::greeted : Phase::failed); break;
        case ServerEvent::bad_line: return count_bad({});
    }
    return {};
}

void ServerMachine::enter(Phase phase) noexcept {
    phase_ = phase;
    if (phase == Phase::chunks) return;
    aftermath_ = false;
    recipient_refused_ = false;
    recipients_ = 0;
}

void ServerMachine::set_limits(std::uint64_t max_message_size,
                               std::uint32_t max_recipients) noexcept {
    rules_.max_message_size = max_message_size;
    rules_.max_recipients = max_recipients;
}

}  // namespace outpost::smtp

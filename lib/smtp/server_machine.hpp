#pragma once

#include <cstdint>

#include "smtp/command.hpp"

/// The server side of an SMTP session without its input and output: which command may come when
/// (RFC 5321 section 4.1.4 and the extensions offered), what the session has to do next, and when
/// patience ends. It knows nothing of sockets, accounts or message octets: the session feeds it
/// commands and what became of the actions it asked for.
namespace outpost::smtp {

/// Why the machine refuses. The words stand in submission/wording.
enum class Refusal : std::uint8_t {
    none,
    starttls_first,        ///< 530 5.7.0
    authentication_first,  ///< 530 5.7.0
    auth_in_clear,         ///< 538 5.7.11
    ehlo_first,
    auth_needs_ehlo,  ///< the client said HELO
    tls_active,
    tls_not_offered,
    authenticated_already,
    in_transaction,  ///< STARTTLS or AUTH between MAIL and the end of the message
    nested_mail,
    mail_first,
    recipient_first,
    no_valid_recipients,  ///< RCPT came, but none was accepted
    bdat_begun,           ///< DATA, MAIL or RCPT between chunks
    after_failure,        ///< the message failed with an earlier chunk
    too_many_recipients,  ///< 452 4.5.3
    message_too_big,      ///< 552 5.3.4, from SIZE=
    binary_mime,          ///< BODY=BINARYMIME, which is not offered
    expn,                 ///< 502 5.5.1
    unknown_command,      ///< 500 5.5.1
    too_many_errors,      ///< 421 4.7.0
};

/// What happened outside.
enum class ServerEvent : std::uint8_t {
    tls_established,
    authenticated,
    sender_accepted,
    sender_refused,
    recipient_accepted,
    recipient_refused,
    message_done,  ///< after read_data or finish_message: stored or refused, and answered
    chunk_taken,   ///< after read_chunk: its octets are part of the message
    chunk_failed,  ///< after read_chunk: read, but the message is refused, and answered
    bad_line,      ///< no command could be read from a line; answered
};

/// What the session does next.
struct Action {
    enum class Kind : std::uint8_t {
        proceed,  ///< nothing: take the next command
        refuse,   ///< reply with `refusal`
        refuse_and_close,
        greet,            ///< the reply to EHLO or HELO, see extended()
        start_tls,        ///< 220, handshake, then tls_established
        authenticate,     ///< run the exchange; `authenticated` if it succeeds
        check_sender,     ///< reply, then sender_accepted or sender_refused
        check_recipient,  ///< reply, then recipient_accepted or recipient_refused
        read_data,        ///< 354, read to the end, store, reply, then message_done
        read_chunk,       ///< read `octets`, then chunk_taken, or reply and chunk_failed
        discard_chunk,    ///< read `octets` and throw them away, then reply with `refusal`
        acknowledge_chunk,
        finish_message,  ///< the last chunk is there: store, reply, then message_done
        reset,           ///< forget the transaction, 250
        acknowledge,     ///< 250 (NOOP)
        verify,          ///< 252
        help,            ///< 214
        quit,            ///< 221, close
    };
    Kind kind = Kind::proceed;
    Refusal refusal = Refusal::none;
    std::uint64_t octets = 0;

    bool operator==(const Action&) const = default;
};

struct ServerRules {
    bool starttls = true;     ///< STARTTLS is offered while in the clear
    bool require_tls = true;  ///< AUTH and MAIL only once encrypted
    bool encrypted = false;   ///< from the first octet on
    bool trusted = false;     ///< signed in from the start; AUTH is not offered
    std::uint64_t max_message_size = 25ULL << 20;
    std::uint32_t max_recipients = 1000;
};

class ServerMachine {
  public:
    /// The bad command with this number ends the session.
    static constexpr unsigned max_bad_commands = 20;

    explicit ServerMachine(const ServerRules& rules) noexcept
        : rules_(rules), encrypted_(rules.encrypted), signed_in_(rules.trusted) {}

    [[nodiscard]] Action step(const Command& command);
    [[nodiscard]] Action step(ServerEvent event);

    /// From now on; for the account that has signed in.
    void set_limits(std::uint64_t max_message_size, std::uint32_t max_recipients) noexcept;

    [[nodiscard]] bool extended() const noexcept { return extended_; }
    [[nodiscard]] bool encrypted() const noexcept { return encrypted_; }
    [[nodiscard]] bool signed_in() const noexcept { return signed_in_; }
    [[nodiscard]] bool offers_starttls() const noexcept { return rules_.starttls && !encrypted_; }
    /// AUTH is possible and of use now.
    [[nodiscard]] bool offers_auth() const noexcept {
        return !rules_.trusted && (encrypted_ || !rules_.require_tls);
    }
    /// Between MAIL and the end of its message.
    [[nodiscard]] bool in_transaction() const noexcept { return phase_ >= Phase::mail; }
    [[nodiscard]] std::uint64_t max_message_size() const noexcept {
        return rules_.max_message_size;
    }

  private:
    /// Where the session stands; the columns of the table in server_machine.cpp.
    enum class Phase : std::uint8_t { fresh, greeted, mail, recipients, chunks, failed };
    struct Table;

    [[nodiscard]] Refusal judge(const Command& command) const noexcept;
    [[nodiscard]] Refusal judge_mail(const MailCommand& mail) const noexcept;
    [[nodiscard]] Refusal judge_auth() const noexcept;
    [[nodiscard]] Refusal judge_starttls() const noexcept;
    [[nodiscard]] Action refuse(const Command& command, Refusal why);
    /// A refusal that is no sign of a client that cannot speak SMTP.
    [[nodiscard]] bool is_no_fault(const Command& command, Refusal why) const noexcept;
    [[nodiscard]] Action perform(const Command& command);
    [[nodiscard]] Action count_bad(Action otherwise) noexcept;
    void enter(Phase phase) noexcept;

    ServerRules rules_;
    Phase phase_ = Phase::fresh;
    bool encrypted_;
    bool signed_in_;
    bool extended_ = false;
    bool last_chunk_ = false;
    /// MAIL was refused: what a pipelining client had sent behind it is no fault of its own.
    bool aftermath_ = false;
    bool recipient_refused_ = false;
    std::uint32_t recipients_ = 0;
    unsigned bad_commands_ = 0;
};

}  // namespace outpost::smtp

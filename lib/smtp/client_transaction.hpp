#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "smtp/client_machine.hpp"
#include "smtp/envelope.hpp"
#include "smtp/extensions.hpp"
#include "smtp/reply.hpp"

/// One mail transaction on an open session, from the client's side and without I/O. With
/// PIPELINING (RFC 2920) the whole envelope and DATA leave in one write; with CHUNKING as well
/// (RFC 3030) a small body goes along. Replies are paired with commands by their order; one too
/// many or one of the wrong kind ends the session, for it cannot be known what it answers.
namespace outpost::smtp {

/// What is to be sent. All references outlive the machine.
struct TransactionPlan {
    const Extensions& offered;
    const Envelope& envelope;
    std::span<const std::uint32_t> recipients;  ///< indices into envelope.recipients, not empty
    std::uint64_t size = 0;                     ///< octets of the message
    BodyType body = BodyType::seven_bit;
    bool smtputf8 = false;    ///< the message needs SMTPUTF8
    bool rset_first = false;  ///< the transaction before this one was left unfinished
    /// The body may leave before the replies to the envelope, where CHUNKING and PIPELINING allow.
    bool body_along = false;
    /// BY (RFC 2852): the seconds that are left, where the server offers DELIVERBY.
    std::optional<std::chrono::seconds> deliver_within{};
    ClientLimits limits;
};

/// What became of one recipient: fault none stands for delivered, with the reply that says so.
using RecipientResult = ClientFailure;

struct TransactionAction {
    enum class Kind : std::uint8_t {
        read,        ///< bring the next reply
        send_data,   ///< the body dot-stuffed and its end mark, then body_sent()
        send_chunk,  ///< the body as it is, right after the output, then body_sent()
        done,        ///< see results()
    };
    Kind kind = Kind::read;
    std::chrono::seconds limit{0};  ///< for what `kind` asks

    bool operator==(const TransactionAction&) const = default;
};

class TransactionMachine {
  public:
    /// Commands in one write at most, so that their replies fit the buffers on the way (RFC 2920
    /// section 3.1 asks to mind the window).
    static constexpr std::size_t max_batch = 100;

    explicit TransactionMachine(const TransactionPlan& plan);

    /// The first action. What has to be written before it is appended to `output`, here and below.
    [[nodiscard]] TransactionAction start(std::string& output);
    [[nodiscard]] TransactionAction step(Reply reply, std::string& output);
    /// Every octet of the body and its end mark were handed to the network.
    [[nodiscard]] TransactionAction body_sent();
    /// The body could not be written to its end; perhaps the server has said why before it closed.
    [[nodiscard]] TransactionAction body_interrupted(ClientBroken why);
    /// Nothing more will come: always leads to `done`. Fault `local`: our body could not be read.
    [[nodiscard]] TransactionAction broken(ClientBroken why);

    /// One entry a recipient, in the plan's order, once done.
    [[nodiscard]] std::vector<RecipientResult>& results() noexcept { return results_; }
    /// The session can carry another transaction.
    [[nodiscard]] bool reusable() const noexcept { return !closing_; }
    /// ... which must begin with RSET.
    [[nodiscard]] bool needs_rset() const noexcept { return mail_open_; }
    /// The session ended before the server had taken anything of this transaction: on a session
    /// that was idle before, this says nothing of the message.
    [[nodiscard]] bool untouched() const noexcept { return untouched_; }

  private:
    /// Commands by position: RSET, MAIL, RCPT..., DATA or BDAT, and after DATA the body. With BDAT
    /// the reply to the command is the verdict.
    static constexpr std::size_t rset_position = 0;
    static constexpr std::size_t mail_position = 1;
    static constexpr std::size_t first_rcpt = 2;
    [[nodiscard]] std::size_t data_position() const noexcept {
        return first_rcpt + plan_.recipients.size();
    }
    [[nodiscard]] std::size_t verdict_position() const noexcept {
        return data_position() + (chunked_ ? 0 : 1);
    }

    TransactionAction proceed(std::string& output);
    TransactionAction send_batch(std::string& output);
    TransactionAction send_bdat(std::string& output);
    [[nodiscard]] TransactionAction read_next() const;
    TransactionAction finish();
    TransactionAction on_rset(Reply reply, std::string& output);
    TransactionAction on_mail(Reply reply, std::string& output);
    TransactionAction on_rcpt(Reply reply, std::string& output);
    TransactionAction on_data(Reply reply, std::string& output);
    TransactionAction on_verdict(Reply reply);
    TransactionAction close_with(ClientFault fault, Reply reply);
    TransactionAction out_of_step(const Reply& reply);
    void settle(std::size_t recipient, ClientFault fault, Reply reply);
    void settle_rest(ClientFault fault, const Reply& reply);
    [[nodiscard]] ClientStage stage() const noexcept;

    const TransactionPlan plan_;
    const bool chunked_;
    std::vector<RecipientResult> results_;
    std::vector<bool> settled_;
    std::optional<ClientBroken> interrupted_;
    std::size_t sent_ = 0;      ///< positions before this one were written
    std::size_t answered_ = 0;  ///< positions before this one were answered
    std::size_t accepted_ = 0;  ///< recipients that RCPT was accepted for
    bool mail_refused_ = false;
    bool mail_open_ = false;  ///< MAIL was accepted and nothing has ended the transaction
    bool body_out_ = false;   ///< the whole body is on its way
    bool closing_ = false;
    bool untouched_ = false;
};

}  // namespace outpost::smtp

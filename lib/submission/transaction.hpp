#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.hpp"
#include "smtp/bdat_decoder.hpp"
#include "smtp/command.hpp"
#include "smtp/data_decoder.hpp"
#include "smtp/envelope.hpp"
#include "submission/client.hpp"
#include "submission/conversation.hpp"
#include "submission/data_sink.hpp"
#include "submission/recipient_permits.hpp"
#include "submission/settings.hpp"

namespace outpost::submission {

/// One mail transaction, from MAIL to the reply after its data: the envelope, the message on its
/// way in, and its way into the spool. Replies are lines without the last CRLF. Used by the
/// session's coroutine alone; `client` may get a newer version of its account between two calls,
/// and does not change otherwise.
class Transaction {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    struct Verdict {
        bool accepted = false;
        std::string reply;
    };

    /// `client` has signed in.
    Transaction(const Services& services, const Client& client);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    [[nodiscard]] Verdict mail(const smtp::MailCommand& command);
    /// Nothing if the account's limits first need an answer of their store: see rcpt_patiently().
    [[nodiscard]] std::optional<Verdict> rcpt(const smtp::RcptCommand& command);
    /// The same; waits for that answer.
    awaitable<Verdict> rcpt_patiently(const smtp::RcptCommand& command);
    [[nodiscard]] bool smtputf8() const noexcept { return envelope_.smtputf8; }

    /// What follows DATA's 354, up to the final dot. The error is the connection's.
    awaitable<net::Result<void>> read_data(Conversation& wire);
    /// The octets of a chunk.
    awaitable<net::Result<void>> read_chunk(Conversation& wire, std::uint64_t octets, bool last);
    /// The reply that the message has earned already, if it will not be taken.
    [[nodiscard]] std::optional<std::string> refusal() const;

    /// Stores what was read. The reply: queued, or why not.
    awaitable<std::string> store();

  private:
    struct Incoming {
        Incoming(const DataSink::Facts& facts, std::uint64_t size) : sink(facts, size) {}
        DataSink sink;
        std::optional<smtp::DataDecoder> data;
        std::optional<smtp::BdatDecoder> chunks;
        base::MonoTime deadline;
    };

    /// What the log says of a message that the spool has taken away.
    struct QueuedFacts {
        std::string from;
        std::size_t recipients;
        std::uint64_t size;
        std::uint8_t priority;
    };

    [[nodiscard]] Verdict refuse_recipient(const smtp::RcptCommand& command,
                                           const RecipientPermits::Denial& denial);
    void begin_message();
    [[nodiscard]] smtp::BodyRules rules() const;
    void log_queued(const QueuedFacts& facts) const;

    const Services& services_;
    const Client& client_;
    const AccountLimits::Counters counters_;
    RecipientPermits permits_;
    std::optional<RecipientPermits::Denial> denial_;  ///< of the recipient that was asked for last
    smtp::Envelope envelope_;
    std::uint64_t announced_ = 0;
    base::MonoTime began_{};
    base::MessageId id_;
    std::shared_ptr<const account::Account> account_;  ///< that judges the message
    std::optional<Incoming> incoming_;
};

/// Takes `octets` from the wire and drops them: a chunk of BDAT that is refused.
[[nodiscard]] boost::asio::awaitable<net::Result<void>> discard(Conversation& wire,
                                                                std::uint64_t octets);

}  // namespace outpost::submission

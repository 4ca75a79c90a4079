#pragma once

#include <array>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/stream.hpp"
#include "smtp/client_machine.hpp"
#include "smtp/client_transaction.hpp"
#include "smtp/data_encoder.hpp"
#include "smtp/reply_parser.hpp"
#include "upstream/outgoing_message.hpp"
#include "upstream/smtp_settings.hpp"
#include "upstream/targets.hpp"

namespace outpost::upstream {

/// What one transaction came to: one result a recipient, in the order asked for.
struct Transacted {
    std::vector<smtp::RecipientResult> results;
    bool untouched = false;  ///< see smtp::TransactionMachine::untouched
};

/// One SMTP connection: does on a net::Stream what the client machines say. Used by one coroutine
/// at a time. It owns what it needs, so that it can be ended in the background.
class SmtpConnection {
  public:
    template <class T>
    using awaitable = boost::asio::awaitable<T>;

    /// `token`: to sign in with, where the settings have a source of tokens.
    SmtpConnection(std::shared_ptr<const SmtpSettings> settings, Target target,
                   base::Secret token = {});

    /// TCP; then banner, EHLO, TLS and AUTH. After an error of either the connection is of no use
    /// but for quit().
    awaitable<std::expected<void, smtp::ClientFailure>> connect();
    awaitable<std::expected<void, smtp::ClientFailure>> greet();

    /// Sends a message that was prepared for this connection's extensions to some recipients.
    /// `deliver_within`: as in smtp::TransactionPlan.
    awaitable<Transacted> transact(const smtp::Envelope& envelope,
                                   std::span<const std::uint32_t> recipients,
                                   OutgoingMessage& message,
                                   std::optional<std::chrono::seconds> deliver_within);
    /// QUIT where the server still listens, and the end of the connection; bounded in time.
    awaitable<void> quit();

    [[nodiscard]] const smtp::Extensions& offered() const noexcept { return session_.extensions(); }
    [[nodiscard]] const std::string& remote() const noexcept { return remote_; }
    /// Transactions so far.
    [[nodiscard]] std::uint32_t messages() const noexcept { return messages_; }
    /// Another transaction is possible, as far as LIMITS and what was said tell.
    [[nodiscard]] bool usable() const noexcept;
    /// As usable(), and the peer has not hung up meanwhile.
    [[nodiscard]] bool idle_and_healthy() noexcept;
    /// The first recipients of `wanted` that one transaction here may carry, by the server's LIMITS
    /// (RFC 9422); empty if only a new connection can take any.
    [[nodiscard]] std::vector<std::uint32_t> batch(const smtp::Envelope& envelope,
                                                   std::span<const std::uint32_t> wanted);

  private:
    using Kind = smtp::TransactionAction::Kind;
    using Written = std::expected<void, smtp::ClientBroken>;

    awaitable<smtp::ClientEvent> perform(smtp::ClientAction action);
    awaitable<smtp::ClientEvent> handshake(std::chrono::seconds limit);
    awaitable<smtp::ClientEvent> start_sasl();
    [[nodiscard]] std::unique_ptr<smtp::SaslClient> sasl_client();
    awaitable<smtp::ClientEvent> step_sasl(std::string challenge);

    /// A reply that is in the buffer already, or that the octets there are none.
    std::expected<std::optional<smtp::Reply>, smtp::ClientBroken> buffered_reply();
    awaitable<std::expected<smtp::Reply, smtp::ClientBroken>> read_reply(
        std::chrono::seconds limit);
    awaitable<Written> write(std::span<const std::string_view> pieces, std::chrono::seconds limit);
    awaitable<Written> write_output(std::chrono::seconds limit);
    /// The output, then the body; `stuffed`: for DATA, with its end mark.
    awaitable<Written> write_body(OutgoingMessage& message, bool stuffed);
    awaitable<Written> write_memory(std::string_view body, bool stuffed);
    awaitable<Written> stream_body(spool::BodySource& source, std::uint64_t size, bool stuffed);

    std::shared_ptr<const SmtpSettings> settings_;
    Target target_;
    base::Secret token_;
    Redaction redaction_;
    net::Stream stream_;
    smtp::ClientMachine session_;
    std::shared_ptr<smtp::SaslClient> sasl_;
    smtp::ReplyParser parser_;
    std::array<char, 4096> input_;
    std::string_view unread_;
    std::string output_;
    std::string scratch_;
    std::string remote_;
    std::set<std::string, std::less<>> domains_;  ///< of recipients, where LIMITS bounds them
    std::uint32_t messages_ = 0;
    bool may_quit_ = false;
    bool reusable_ = false;
    bool needs_rset_ = false;
};

}  // namespace outpost::upstream

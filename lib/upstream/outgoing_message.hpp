#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "net/offload.hpp"
#include "smtp/client_machine.hpp"
#include "smtp/envelope.hpp"
#include "smtp/extensions.hpp"
#include "spool/body.hpp"
#include "upstream/outcome.hpp"
#include "upstream/transport.hpp"

namespace outpost::upstream {

/// A message in the form that one server can take: as it is stored, or re-encoded for a server
/// without 8BITMIME. A small one, and a re-encoded one, is held in memory; others are streamed.
class OutgoingMessage {
  public:
    /// Up to here a message is read whole, to leave in one write.
    static constexpr std::uint64_t small = 64ULL * 1024;

    OutgoingMessage(const Delivery& delivery, net::OffloadPool& pool)
        : envelope_(delivery.envelope), source_(delivery.body), pool_(pool) {
        need_smtputf8_for_addresses(delivery);
    }

    /// Fits the message to a server; may be called again for another one. The error is the outcome
    /// for all recipients: too big (5.3.4), SMTPUTF8 missing (5.6.7), no conversion (5.6.3), or
    /// deferred because the body cannot be read.
    boost::asio::awaitable<std::expected<void, Outcome>> prepare(const smtp::Extensions& offered);

    [[nodiscard]] std::uint64_t size() const noexcept;
    [[nodiscard]] smtp::BodyType body() const noexcept { return body_; }
    [[nodiscard]] bool needs_smtputf8() const noexcept { return needs_smtputf8_; }
    /// The whole message if it is in memory; else it is to be read from source().
    [[nodiscard]] std::optional<std::string_view> memory() const noexcept { return memory_; }
    /// Rewound to its start.
    [[nodiscard]] spool::BodySource& source() noexcept;

  private:
    using Checked = std::expected<void, Outcome>;

    void need_smtputf8_for_addresses(const Delivery& delivery);
    boost::asio::awaitable<Checked> load();
    boost::asio::awaitable<std::expected<bool, Outcome>> has_eight_bit();
    boost::asio::awaitable<Checked> re_encode();
    boost::asio::awaitable<std::expected<std::string, Outcome>> read_all();

    const smtp::Envelope& envelope_;
    spool::BodySource& source_;
    net::OffloadPool& pool_;
    bool loaded_ = false;
    bool needs_smtputf8_ = false;
    smtp::BodyType body_ = smtp::BodyType::seven_bit;
    std::optional<bool> eight_bit_;
    std::string stored_;                        ///< a small message that came in several pieces
    std::optional<std::string_view> original_;  ///< a small message
    std::optional<std::string> seven_bit_;      ///< re-encoded
    std::optional<std::string_view> memory_;
};

}  // namespace outpost::upstream

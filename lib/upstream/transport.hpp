#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "base/id.hpp"
#include "smtp/envelope.hpp"
#include "spool/body.hpp"
#include "upstream/outcome.hpp"

namespace outpost::upstream {

/// One message for some of its recipients. All references outlive the send.
struct Delivery {
    base::MessageId id;
    const smtp::Envelope& envelope;
    std::span<const std::uint32_t> recipients;  ///< indices into envelope.recipients, not empty
    spool::BodySource& body;
    /// Recipients that do not fit one transaction stay untried: messages or octets are counted.
    bool one_transaction = false;
};

/// The entire contract between delivery and an upstream. Used on one executor only; many sends may
/// be under way at once (the dispatcher keeps to `concurrency`).
class Transport {
  public:
    virtual ~Transport() = default;
    /// Never throws for anything the peer or the network does; reports it as outcomes.
    virtual boost::asio::awaitable<SendReport> send(Delivery delivery) = 0;
    /// Connects and logs in without sending mail; the error says what is wrong.
    virtual boost::asio::awaitable<std::expected<void, std::string>> probe() = 0;
    /// Connections that are open and wait for mail; nothing if that is not known.
    [[nodiscard]] virtual std::optional<std::size_t> idle_connections() const {
        return std::nullopt;
    }
    /// Ends pooled connections politely (QUIT), within a short time limit.
    virtual boost::asio::awaitable<void> close() = 0;
};

}  // namespace outpost::upstream

#pragma once

#include <boost/asio/awaitable.hpp>
#include <expected>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "config/types.hpp"
#include "message/dsn.hpp"
#include "spool/spool.hpp"

namespace outpost::delivery {

/// The mailbox that reports come from.
[[nodiscard]] std::string report_author(const config::Config& config);

/// Writes delivery status notifications and stores them as mail of our own.
class Reporter {
  public:
    /// `spool` and `clock` outlive it.
    Reporter(spool::Spool& spool, const base::Clock& clock, const config::Config& config);

    /// Stores a report about these recipients of the message, for its sender or dsn.to's address.
    /// Its id once it is durable; the error says why it is not. The envelope's account is empty,
    /// and `client` names the original's account, whose route the report takes.
    boost::asio::awaitable<std::expected<base::MessageId, std::string>> send(
        base::MessageId original, spool::StoredMessage& message,
        const std::vector<message::DsnRecipient>& recipients);

    [[nodiscard]] config::Dsn::To to() const noexcept { return dsn_.to; }

  private:
    spool::Spool& spool_;
    const base::Clock& clock_;
    std::string hostname_;
    config::Dsn dsn_;
};

}  // namespace outpost::delivery

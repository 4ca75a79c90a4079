#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "delivery/notices.hpp"
#include "delivery/permits.hpp"
#include "delivery/reporter.hpp"
#include "delivery/retry_policy.hpp"
#include "delivery/upstream_gate.hpp"
#include "spool/queue.hpp"
#include "spool/spool.hpp"
#include "upstream/transport.hpp"

namespace outpost::delivery {

/// What the courier needs to know of an upstream.
struct Destination {
    std::string name;
    std::unique_ptr<upstream::Transport> transport;
    config::Uncertain uncertain = config::Uncertain::retry;
    bool final_delivery = false;  ///< it keeps the mail itself (sandbox): success is `delivered`
};

/// Takes one message through one attempt: read it, send it, settle each recipient, store the
/// reports that are due and then, in one record, where the message stands. A recipient is recorded
/// as failed only once the report about it is durable. Many attempts may be under way at once, on
/// one executor.
class Courier {
  public:
    struct Result {
        std::optional<spool::Requeue> again;  ///< nothing: the message has left the queue
        GateReport gate;
        SentPart sent;
    };
    struct Parts {
        spool::Spool& spool;
        const base::Clock& clock;
        std::function<double()> random;  ///< 0 .. 1
    };

    Courier(Parts parts, const config::Config& config)
        : spool_(parts.spool),
          clock_(parts.clock),
          random_(std::move(parts.random)),
          policy_(config.retry, config.spool),
          reporter_(parts.spool, parts.clock, config) {}

    /// One attempt for the recipients that are due, or as many of them as are permitted.
    boost::asio::awaitable<Result> deliver(spool::QueueEntry entry, const Permit& permit,
                                           Destination& to);
    /// The message's deadline has passed: its delay notice, or its end. `in_turn`: nothing is
    /// wrong, it only waits for its turn under the limits; then there is no delay notice unless the
    /// sender has asked for one.
    boost::asio::awaitable<Result> attend(spool::QueueEntry entry, bool in_turn);

    [[nodiscard]] const RetryPolicy& policy() const noexcept { return policy_; }

  private:
    Result unreadable(const spool::QueueEntry& entry, const spool::ReadFailure& failure);
    boost::asio::awaitable<bool> store_report(base::MessageId id, spool::StoredMessage& message,
                                              const Notice& notice, std::string_view kind);
    boost::asio::awaitable<void> store_reports(base::MessageId id, spool::StoredMessage& message,
                                               Notices& notices);
    std::optional<spool::Requeue> conclude(const spool::QueueEntry& entry,
                                           spool::StoredMessage& message);

    spool::Spool& spool_;
    const base::Clock& clock_;
    std::function<double()> random_;
    RetryPolicy policy_;
    Reporter reporter_;
};

}  // namespace outpost::delivery

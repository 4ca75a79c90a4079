#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "delivery/counts.hpp"
#include "delivery/history_notes.hpp"
#include "delivery/notices.hpp"
#include "delivery/partings.hpp"
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
    AttemptCounts counts;
};

/// Takes one message through one attempt: read it, send it, settle each recipient, store the
/// reports that are due and then, in one record, where the message stands. A recipient is recorded
/// as failed only once the report about it is durable. Many attempts may be under way at once, on
/// one executor.
class Courier {
  public:
    struct Result {
        std::optional<spool::Requeue> again;  ///< nothing: the entry leaves the queue
        GateReport gate;
        SentPart sent;
        bool message_done = false;  ///< nobody is pending any more, in no part of the message
        /// The upstream cannot take it: for another one of the group, which Task::others promised.
        bool passed_on = false;
        bool may_take_later = false;  ///< passed on, but not for good
        bool partly_delivered = false;
    };
    /// What an attempt is for.
    struct Task {
        spool::QueueEntry entry;
        Share share;          ///< the recipients that the entry stands for
        bool others = false;  ///< another upstream may be asked for what this one cannot take
    };
    struct Parts {
        spool::Spool& spool;
        const base::Clock& clock;
        std::function<double()> random;    ///< 0 .. 1
        history::Sink* history = nullptr;  ///< null: none is kept
    };

    Courier(Parts parts, const config::Config& config)
        : spool_(parts.spool),
          clock_(parts.clock),
          random_(std::move(parts.random)),
          history_(parts.history, parts.clock),
          policy_(config.retry, config.spool),
          reporter_(parts.spool, parts.clock, config) {}

    /// One attempt for the recipients that are due, or as many of them as are permitted.
    boost::asio::awaitable<Result> deliver(Task task, const Permit& permit, Destination& to);
    /// The message's deadline has passed: its delay notice, or its end. `in_turn`: nothing is
    /// wrong, it only waits for its turn under the limits; then there is no delay notice unless the
    /// sender has asked for one.
    boost::asio::awaitable<Result> attend(Task task, bool in_turn);

    /// The operator's wish: the next attempt then, or never before it is asked for again (max()).
    boost::asio::awaitable<Result> reschedule(Task task, base::WallTime next_attempt);
    /// What the operator wants of the way and the turn of a message.
    struct Direction {
        std::string to{};           ///< upstream or group; empty: as it is
        std::uint8_t priority = 0;  ///< 0: as it is
    };
    /// Stores the operator's wish without reading the message. False if where it stands cannot be
    /// read: then nothing is stored.
    boost::asio::awaitable<bool> direct(Task task, Direction direction);
    /// The operator's wish: no more attempts. `bounce`: the sender gets a report.
    boost::asio::awaitable<Result> cancel(Task task, bool bounce, std::string reason);

    [[nodiscard]] const RetryPolicy& policy() const noexcept { return policy_; }

  private:
    Result unreadable(const spool::QueueEntry& entry, const spool::ReadFailure& failure);
    boost::asio::awaitable<bool> store_report(base::MessageId id, spool::StoredMessage& message,
                                              const Notice& notice, std::string_view kind);
    boost::asio::awaitable<void> store_reports(base::MessageId id, spool::StoredMessage& message,
                                               Notices& notices);
    struct Settlement;
    void settle(const Task& task, upstream::SendReport& report, const AttemptContext& context,
                Settlement& settlement);
    void note_expired(base::MessageId id, const spool::StoredMessage& message,
                      std::span<const std::uint32_t> expired);
    Result conclude(const Task& task, spool::StoredMessage& message);

    spool::Spool& spool_;
    const base::Clock& clock_;
    std::function<double()> random_;
    HistoryNotes history_;
    RetryPolicy policy_;
    Reporter reporter_;
};

}  // namespace outpost::delivery

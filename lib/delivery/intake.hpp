#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "delivery/partings.hpp"
#include "delivery/retry_policy.hpp"
#include "delivery/router.hpp"
#include "delivery/ways.hpp"
#include "spool/queue.hpp"
#include "spool/spool.hpp"

namespace outpost::delivery {

/// A message on its way into the queue.
struct Incoming {
    spool::Summary summary;
    /// Of one that was in another queue: when it is overdue, and for how many of its recipients
    /// there was no attempt yet.
    std::optional<base::WallTime> deadline{};
    std::optional<std::uint32_t> untried{};
};

/// Puts what the spool has stored into the queue, each recipient on the way to which the operator
/// has moved it, or else on the one that the routes say, by the operator's priority if he has given
/// it one. A way that there is not any more counts for nothing: such mail is routed anew. Where an
/// account and a priority do not tell the way, the message's envelope is read for it, and its
/// header section if a route asks for a field. On one executor.
class Intake {
  public:
    /// All of it outlives the intake, and so do the ways.
    struct Parts {
        spool::Spool& spool;
        const base::Clock& clock;
        spool::Queue& queue;
        Partings& partings;
        const RetryPolicy& policy;
        /// Runs a coroutine to its end.
        std::function<void(boost::asio::awaitable<void>)> launch;
        /// An entry has come into the queue.
        std::function<void(spool::Queue::Handle)> entered;
        /// Entries have come that were not in the queue when add() returned; also after stop().
        std::function<void()> entered_late;
    };
    Intake(Parts parts, const config::Config& config, const Ways& ways);

    /// Deadlines of mail from before this time are put off: nothing could be delivered meanwhile.
    void started(base::WallTime at) { started_ = at; }
    [[nodiscard]] base::WallTime started() const noexcept { return started_; }
    void add(const Incoming& incoming);
    /// Routes for mail that arrives from now on, and for mail of accounts that were not configured.
    void replace(Router router);
    /// Reads again what could not be read a minute ago.
    void retry(base::WallTime now);
    [[nodiscard]] const Router& router() const noexcept { return router_; }
    /// Reads nothing more. What is being read just now still comes.
    void stop() { stopping_ = true; }
    /// What has not come into the queue yet.
    [[nodiscard]] std::vector<Incoming> take_unread();

  private:
    struct Later {
        base::WallTime at;
        Incoming incoming;
    };

    void read_later(const Incoming& incoming);
    boost::asio::awaitable<void> read_all();
    boost::asio::awaitable<void> read(const Incoming& incoming);
    boost::asio::awaitable<bool> read_header(spool::BodySource& body, std::string& octets);
    void part(const Incoming& incoming, const spool::StoredMessage& stored,
              const std::vector<WayIndex>& ways, std::uint8_t own_priority);
    boost::asio::awaitable<std::optional<WayIndex>> moved_as_a_whole(const spool::Summary& summary);
    void move(std::vector<WayIndex>& ways, const spool::MessageState& state);
    spool::Queue::Handle enter(const Incoming& incoming, WayIndex way);
    void unreadable(const Incoming& incoming, const spool::ReadFailure& failure);
    void no_route(const Incoming& incoming, const std::string& account);

    Parts parts_;
    const Ways& ways_;
    Router router_;
    base::WallTime started_{};
    std::deque<Incoming> unread_;
    std::size_t readers_ = 0;
    std::deque<Later> later_;
    std::vector<Incoming> homeless_;  ///< of accounts that are not configured
    std::set<std::string> unrouted_;  ///< accounts that the log has named
    std::set<std::string> gone_;      ///< the same of upstreams and groups to which mail was moved
    bool stopping_ = false;
};

}  // namespace outpost::delivery

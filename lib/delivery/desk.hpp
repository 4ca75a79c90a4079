#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "delivery/courier.hpp"
#include "delivery/history_notes.hpp"
#include "delivery/partings.hpp"
#include "delivery/pause.hpp"
#include "delivery/picker.hpp"
#include "delivery/port.hpp"
#include "delivery/router.hpp"
#include "delivery/switchboard.hpp"
#include "delivery/test_sender.hpp"
#include "delivery/views.hpp"
#include "spool/queue.hpp"
#include "spool/spool.hpp"

namespace outpost::delivery {

/// What an operator wants done with messages.
struct QueueChange {
    enum class What : std::uint8_t {
        hold,      ///< no attempt and no expiry until it is released, also across a restart
        release,   ///< ends a hold
        retry,     ///< the next attempt now
        cancel,    ///< out of the queue
        move,      ///< to another upstream or group, as long as there is one of that name
        priority,  ///< for good, like the move also across a restart
    };
    What what = What::retry;
    bool bounce = false;     ///< of cancel: the sender gets a report
    std::string to{};        ///< of move
    std::uint8_t level = 3;  ///< of priority
    bool dry_run = false;
    std::string reason{};  ///< the operator's, for the history
};

struct QueueChanged {
    std::vector<base::MessageId> done;  ///< or would be, in a dry run
    std::vector<base::MessageId>
        skipped;  ///< in the middle of an attempt, gone meanwhile, unreadable
};

/// Where operators look at the queue and the upstreams, and change them. On the dispatcher's
/// executor; what reads messages lets deliveries go on between them.
class Desk {
  public:
    using Handle = spool::Queue::Handle;
    template <class T>
    using awaitable = boost::asio::awaitable<T>;
    /// All of it outlives the desk.
    struct Parts {
        spool::Spool& spool;
        const base::Clock& clock;
        spool::Queue& queue;
        Picker& picker;
        Courier& courier;
        Partings& partings;
        const Switchboard& switchboard;
        const Router& router;
        const std::vector<std::unique_ptr<Port>>& ports;
        Pauses& paused_elsewhere;  ///< upstreams that are not configured
        TestSender& tests;
        /// An entry that was claimed is put back, or leaves.
        std::function<void(Handle, Courier::Result&)> put_back;
        HistoryNotes history;
        std::function<void()> pump;  ///< something may go now
    };
    explicit Desk(Parts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] std::vector<UpstreamView> upstreams() const;
    [[nodiscard]] std::vector<QueueRow> queue() const;
    /// The same, all accounts together.
    [[nodiscard]] std::vector<QueueRow> totals() const;
    /// Who waits for limits. A message that several upstreams could take, and none of them has
    /// anything left, counts at each.
    [[nodiscard]] std::vector<LimitQueue> waiting_for_limits() const;
    /// When the oldest message came.
    [[nodiscard]] std::optional<base::WallTime> oldest() const;
    [[nodiscard]] std::size_t size() const noexcept { return parts_.queue.size(); }

    /// The messages that fit, oldest first, at most so many.
    awaitable<std::vector<MessageView>> list(MessageFilter filter, std::size_t most);
    /// The parts of one message; empty if it is not in the queue.
    awaitable<std::vector<MessageView>> show(base::MessageId id);
    /// The error says what cannot be: a way that there is not.
    awaitable<std::expected<QueueChanged, std::string>> change(MessageFilter filter,
                                                               QueueChange change);

    /// Where a message of an account that is configured would go, and how those stand that it may
    /// go by, in the order in which they are asked.
    [[nodiscard]] RouteView route(std::string_view account, const smtp::Envelope& envelope,
                                  const message::HeaderSection& header) const;
    /// Whether the dispatcher knows the account.
    [[nodiscard]] bool knows(std::string_view account) const {
        return parts_.router.knows(account);
    }

    /// Nothing if there is no such upstream; one that is not configured any more counts as long as
    /// it is paused.
    [[nodiscard]] std::optional<bool> paused(std::string_view name) const;
    /// False if there is no such upstream.
    bool pause(std::string_view name, Pause pause = {});
    bool resume(std::string_view name);
    /// Connects and signs in without sending mail.
    awaitable<std::expected<void, std::string>> test(std::string_view name);
    /// Sends one message by it; nothing if there is no such upstream.
    awaitable<std::optional<TestReport>> send_test(std::string name, TestRequest request);

  private:
    struct Found {
        base::MessageId id;
        Handle handle;
    };

    [[nodiscard]] Port* port(std::string_view name) const;
    [[nodiscard]] std::vector<Found> find(const MessageFilter& filter) const;
    [[nodiscard]] bool fits(const MessageFilter& filter, const spool::QueueEntry& entry) const;
    awaitable<std::optional<MessageView>> view(Found found);
    awaitable<bool> apply(Found found, const QueueChange& change, std::optional<WayIndex> to);
    void note(const spool::QueueEntry& entry, const QueueChange& change) const;
    [[nodiscard]] std::string state_of(const spool::QueueEntry& entry) const;
    [[nodiscard]] std::string reason_of(const spool::QueueEntry& entry, Handle handle,
                                        const spool::StoredMessage& stored) const;
    [[nodiscard]] std::string why_ready(const spool::QueueEntry& entry) const;
    [[nodiscard]] std::uint64_t ahead_of(const spool::QueueEntry& entry) const;

    Parts parts_;
};

}  // namespace outpost::delivery

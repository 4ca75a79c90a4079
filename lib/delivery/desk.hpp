#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "delivery/courier.hpp"
#include "delivery/history_notes.hpp"
#include "delivery/oldest_first.hpp"
#include "delivery/partings.hpp"
#include "delivery/pause.hpp"
#include "delivery/picker.hpp"
#include "delivery/places_in_line.hpp"
#include "delivery/port.hpp"
#include "delivery/router.hpp"
#include "delivery/slices.hpp"
#include "delivery/switchboard.hpp"
#include "delivery/test_sender.hpp"
#include "delivery/views.hpp"
#include "delivery/workload.hpp"
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
    /// Why a message was passed over.
    enum class Why : std::uint8_t {
        sending,  ///< an attempt is under way
        busy,     ///< another part of it, a report about it, or another change is under way
        gone,     ///< it has left the queue meanwhile
        already,  ///< it is as it should be
        absent,   ///< it is named, and was not in the queue
    };
    struct Skipped {
        base::MessageId id;
        Why why = Why::gone;
        bool operator==(const Skipped&) const = default;
    };
    std::vector<base::MessageId> done;  ///< or would be, in a dry run
    std::vector<Skipped> skipped;
};

/// Where operators look at the queue and the upstreams, and change them. On the dispatcher's
/// executor; however long the queue, deliveries go on meanwhile. What an earlier dispatcher still
/// has under way after a reload is seen here as well.
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
        TestSender& tests;
        Pauses& paused_elsewhere;  ///< upstreams that are not configured
        /// An entry was claimed, and is to be put back.
        std::function<void()> begun;
        /// It is put back, or leaves.
        std::function<void(Handle, Courier::Result&)> put_back;
        HistoryNotes history;
        std::function<void()> pump;  ///< something may go now
        /// Of the dispatchers before this one that have attempts under way, oldest first.
        std::function<std::vector<std::shared_ptr<Desk>>()> earlier;
        /// Returns when these have nothing left that waits: it is here.
        std::function<awaitable<void>()> settled;
        /// Of the one that has the mail now; null while that is this one.
        std::function<std::shared_ptr<Desk>()> heir;
    };
    explicit Desk(Parts parts) : parts_(std::move(parts)) {}

    [[nodiscard]] std::vector<UpstreamView> upstreams() const;
    [[nodiscard]] std::vector<GroupView> groups() const;
    [[nodiscard]] std::vector<QueueRow> queue() const { return rows(true); }
    /// The same, all accounts together.
    [[nodiscard]] std::vector<QueueRow> totals() const { return rows(false); }
    /// For outlook().
    awaitable<Workload> workload();
    /// Who waits for limits. A message that several upstreams could take, and none of them has
    /// anything left, counts at each.
    [[nodiscard]] std::vector<LimitQueue> waiting_for_limits() const;
    /// When the oldest message came.
    awaitable<std::optional<base::WallTime>> oldest();
    [[nodiscard]] std::size_t size() const;

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
    /// Whether there is such an upstream or group, or mail for one that there was.
    [[nodiscard]] bool knows_way(std::string_view name) const;
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
    /// Connects and signs in without sending mail, which ends a suspension; nothing if there is no
    /// such upstream.
    awaitable<std::optional<LoginTest>> test(std::string_view name);
    /// Sends one message by it; nothing if there is no such upstream.
    awaitable<std::optional<TestReport>> send_test(std::string name, TestRequest request);

  private:
    /// This one last, those before it first: mail only ever moves from the earlier to the later.
    using Desks = std::vector<std::shared_ptr<Desk>>;
    class Search;
    /// A view whose reason still lacks how many are ahead, if there is a place.
    struct Unfinished {
        MessageView view;
        std::optional<Place> place;
    };

    [[nodiscard]] Port* port(std::string_view name) const;
    [[nodiscard]] Desks all();
    [[nodiscard]] std::vector<QueueRow> rows(bool by_account) const;
    /// Shows `look` every entry, in slices.
    template <class Look>
    awaitable<void> scan(Look look) {
        for (std::optional<Handle> at = Handle{}; at;) {
            at = parts_.queue.for_some(*at, places_a_slice, look);
            if (at) co_await Slices::turn();
        }
    }
    [[nodiscard]] Supply supply(Port& port) const;
    [[nodiscard]] std::vector<std::size_t> suppliers(WayIndex way,
                                                     const std::vector<Supply>& supplies) const;
    [[nodiscard]] std::vector<Workload::Account> limited_accounts(
        std::vector<Demand> demands, const std::map<std::string_view, std::size_t>& index) const;
    [[nodiscard]] bool fits(const MessageFilter& filter, const spool::QueueEntry& entry) const;
    awaitable<bool> fits_recipient(const MessageFilter& filter, const Found& found);
    awaitable<bool> fits_why(const MessageFilter& filter, const Found& found);
    awaitable<std::optional<Unfinished>> view(Found found);
    awaitable<void> add_ahead(std::vector<MessageView>& views, std::vector<Place> places,
                              const std::vector<std::size_t>& of);
    [[nodiscard]] std::optional<QueueChanged::Why> why_not(const Found& found,
                                                           const QueueChange& change,
                                                           std::optional<WayIndex> to) const;
    [[nodiscard]] static bool already(const spool::QueueEntry& entry, const QueueChange& change,
                                      std::optional<WayIndex> to);
    awaitable<bool> apply(Found found, const QueueChange& change, std::optional<WayIndex> to);
    void note(const spool::QueueEntry& entry, const QueueChange& change) const;
    [[nodiscard]] std::string_view state_of(const spool::QueueEntry& entry) const;
    struct Attempt {
        std::string_view upstream;
        base::WallTime since;
    };
    [[nodiscard]] std::optional<Attempt> attempt(Handle handle) const;
    [[nodiscard]] std::string reason_of(const spool::QueueEntry& entry, Handle handle,
                                        const spool::StoredMessage& stored) const;
    [[nodiscard]] std::string why_ready(const spool::QueueEntry& entry) const;

    Parts parts_;
};

}  // namespace outpost::delivery

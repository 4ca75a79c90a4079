#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "config/types.hpp"
#include "delivery/permits.hpp"
#include "delivery/switchboard.hpp"
#include "spool/queue.hpp"

namespace outpost::delivery {

/// Finds the message that goes next to an upstream and may: the queue says whose turn it is, the
/// permits whether there is room. An account that has to wait is held in the queue, so that others
/// go on and nothing looks at its mail until its time has come. On one executor.
class Picker {
  public:
    struct Parts {
        boost::asio::any_io_executor executor;
        spool::Queue& queue;
        limit::Limiter& limiter;
        const base::Clock& clock;
        /// A lease that was waited for has been answered: ask for all upstreams again. Called on
        /// the executor.
        std::function<void()> again;
    };
    Picker(Parts parts, const config::Config& config);

    struct Pick {
        spool::Queue::Handle handle{};
        Permit permit;
    };
    /// What has to wait for a limit, until when (or a little earlier, to ask again).
    struct Wait {
        base::WallTime until{};
        std::string reason;         ///< `rate 14/s of upstream ses-eu`
        std::uint8_t priority = 1;  ///< of the message that had to wait
        bool brief = false;         ///< no limit is used up; its store is about to answer
        bool hours = false;         ///< it is outside the account's delivery hours
        std::uint8_t kept_for = 0;  ///< see Denial
    };
    /// A message that no wait helps: a limit never lets so much through at once.
    struct Unfit {
        spool::Queue::Handle handle{};
        std::string reason;
    };
    /// A message, taken from the queue, or one that does not fit, taken as well; or what the
    /// upstream has to wait for; or nothing, if it has no mail that could go.
    struct Result {
        std::optional<Pick> pick;
        std::optional<Unfit> unfit;
        std::optional<Wait> wait;
    };
    using Lane = Switchboard::Lane;
    /// The message of the highest priority on these ways; among equals the ways take turns.
    [[nodiscard]] Result next(PortIndex port, std::span<const Lane> lanes);
    /// An unfit message with no other way waits: limits change.
    void set_aside(const Unfit& unfit);
    /// The attempt is over: what was not used comes back. True if its account was held and will be
    /// asked again: it may have mail for other upstreams.
    bool settle(std::uint32_t account, const Permit& permit, const SentPart& sent);
    /// For a message that is not in the queue and no account's.
    [[nodiscard]] std::expected<Permit, Denial> permit_for(const spool::QueueEntry& entry,
                                                           PortIndex port) {
        return permits_.acquire(entry, {}, port);
    }
    /// The attempt with it is over.
    void settle(const Permit& permit, const SentPart& sent) { permits_.settle(permit, sent); }
    /// More mail of an account: if it is more urgent than what made the account wait, it may fit
    /// where that did not.
    void arrived(const spool::QueueEntry& entry);
    /// The wall clock was put back: what waits for a time by it asks again.
    void ask_for_all_again() { queue_.release_all_accounts(); }
    /// Other accounts, or other limits and weights of theirs; those that wait are asked again.
    void replace(const config::Config& config, Permits::Accounts accounts);
    /// What an account waits for with all its mail, if it does.
    [[nodiscard]] const Wait* held(std::uint32_t account) const;
    /// What is used of an upstream's limits.
    [[nodiscard]] std::vector<limit::Level> levels(PortIndex port) const {
        return permits_.levels(port);
    }

    [[nodiscard]] const Permits& permits() const noexcept { return permits_; }

  private:
    void set_shares(const config::Config& config);
    void set_weights(const config::Config& config);
    struct Front {
        spool::Queue::Handle handle{};
        std::size_t lane = 0;
    };
    std::optional<Front> front(PortIndex port, std::span<const Lane> lanes, base::WallTime now,
                               std::uint8_t lowest);
    void hold_account(const spool::QueueEntry& entry, const Denial& denial);
    void wait_for(limit::Limiter::Id lease, std::optional<std::uint32_t> account);
    void note(const Denial& denial);

    boost::asio::any_io_executor executor_;
    spool::Queue& queue_;
    limit::Limiter& limiter_;
    const base::Clock& clock_;
    Permits permits_;
    /// Whose turn it is where a port has several ways: recipients served, by way. The least goes
    /// next; one that had nothing to send for a while begins where the last one was.
    struct Turns {
        std::uint64_t last = 0;
        std::unordered_map<WayIndex, std::uint64_t> served;
    };
    std::vector<Turns> turns_;        ///< by port
    std::set<std::string> weighted_;  ///< accounts whose weight is not 1, or was not
    /// Leases, each with the account that waits for it or none, whose answer will be heard.
    std::set<std::pair<limit::Limiter::Id, std::optional<std::uint32_t>>> awaited_;
    /// Posted calls look at this: empty once the picker is gone.
    std::shared_ptr<std::function<void()>> again_;
    std::unordered_map<std::uint32_t, Wait>
        holds_;  ///< by account; of use while the queue holds it
    std::unordered_map<std::string, base::WallTime> noted_;  ///< by reason, until when to be silent
};

}  // namespace outpost::delivery

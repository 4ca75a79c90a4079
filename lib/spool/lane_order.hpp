#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

/// Whose turn it is: the order in which a queue's lanes are served. Pure. Start-time fair queuing:
/// each lane (and where priorities share a way by weight, each priority) has a virtual start
/// that moves on by what it was served over its weight; the least goes next. That is deficit round
/// robin without its rounds: nobody gets ahead of another by more than one message of each.
namespace outpost::spool {

/// A way out of the queue: an upstream, or several that share their mail. The caller numbers them.
using WayIndex = std::uint16_t;
constexpr std::size_t queue_priorities = 5;
/// What each of priority 1 .. 5 gets of a way while it has mail.
using PriorityShares = std::array<std::uint32_t, queue_priorities>;

class LaneOrder {
  public:
    using Index = std::uint32_t;
    static constexpr Index none = ~Index{0};

    /// A chain of queue entries, by their first and last.
    struct Chain {
        Index head = none;
        Index tail = none;
    };
    /// One account's messages for one way in one priority. Chains and counts are the queue's.
    struct Lane {
        Index account = 0;
        WayIndex way = 0;
        std::uint8_t priority = 0;
        Chain fresh;
        Chain returned;
        std::uint64_t ready = 0;
        std::uint64_t waiting = 0;
        std::uint64_t in_flight = 0;

      private:
        friend class LaneOrder;
        bool active = false;  ///< stands in its level's heap, perhaps emptied or held since
        std::uint64_t start = 0;
    };
    struct Account {
        std::string name;
        std::uint32_t weight = 1;
        bool held = false;
        Index timer = none;  ///< position among the queue's holds
        std::vector<Index> lanes{};
    };

    /// The number of an account, from its first mention on.
    Index intern(std::string_view name);
    [[nodiscard]] Account& account(Index account) { return accounts_[account]; }
    [[nodiscard]] const Account& account(Index account) const { return accounts_[account]; }
    [[nodiscard]] std::size_t accounts() const noexcept { return accounts_.size(); }
    [[nodiscard]] const std::deque<Lane>& lanes() const noexcept { return lanes_; }

    /// `priority`: 1 .. 5. References stay valid.
    Lane& lane(WayIndex way, std::uint8_t priority, Index account);
    /// The lane has ready mail, after it may have had none.
    void wake(Lane& lane);
    /// The lane that goes next; of the priorities down to `lowest` alone.
    Lane* first(WayIndex way, std::uint8_t lowest = queue_priorities);
    /// first() was served; its `ready` has been brought up to date.
    void served(Lane& lane, std::uint32_t recipients);

    /// A held account's lanes are passed over.
    void hold(Index account) { accounts_[account].held = true; }
    void release(Index account);
    /// Nothing: strict order, a higher priority always goes first.
    void set_shares(WayIndex way, const std::optional<PriorityShares>& shares);

  private:
    struct Turn {
        std::uint64_t start;
        std::uint64_t order;  ///< among equals the one that came first
        Index lane;
    };
    /// The lanes of one way and priority.
    struct Level {
        std::uint64_t virtual_time = 0;
        std::uint64_t order = 0;
        std::vector<Turn> turns;  ///< heap, the least first
        std::vector<Index> lane_by_account;
        std::uint64_t start = 0;  ///< among the way's levels
        bool idle = true;         ///< had nothing to serve when last looked at
    };
    struct Way {
        std::array<Level, queue_priorities> levels;
        std::optional<PriorityShares> shares;
        std::uint64_t virtual_time = 0;
    };

    Way& way(WayIndex index);
    Level& level_of(const Lane& lane);
    void activate(Level& level, Index lane);
    Lane* first(Level& level);
    Lane* first_by_share(Way& way, std::uint8_t lowest);

    std::vector<Way> ways_;
    std::deque<Lane> lanes_;
    std::deque<Account> accounts_;
    std::unordered_map<std::string_view, Index> account_index_;  ///< keys live in accounts_
};

}  // namespace outpost::spool

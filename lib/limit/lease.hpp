#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "limit/limits.hpp"
#include "limit/usage.hpp"

/// How counters outlive a crash, and how several nodes share them. A counter gives permits out only
/// up to an allowance that the store has granted: the store has written down beforehand that they
/// may be gone. So a crash can waste the rest of an allowance but never gives a permit out twice.
namespace outpost::limit {

/// A counter asks for a new allowance.
struct LeaseRequest {
    std::string key;  ///< `upstream/ses-eu`, `account/newsletter/quota`
    Limits limits;    ///< as they are now
    /// The counter as encode() in counter_state.hpp writes it, the wanted allowance included as
    /// given out: what restore() will get if nothing is stored after it.
    std::string state;
    // For stores that several nodes share; totals since the counter was defined in this process.
    Usage taken;     ///< permits given out
    Usage used;      ///< of these: known to have been used
    Usage returned;  ///< of these: given back unused
    Usage want;      ///< allowance wanted beyond `taken`; zero: only keeps what is known
    /// Share of each limit that this request must leave free (Ask::held_back).
    double held_back = 0;
};

struct LeaseAnswer {
    /// What may be given out beyond LeaseRequest::taken; less than wanted if a shared limit has no
    /// more.
    Usage allowance;
    /// A shared limit has no more: when to ask again.
    std::optional<base::WallTime> ask_again;
    /// Why nothing was granted: the store failed. Empty otherwise.
    std::string error;
};

class LeaseStore {
  public:
    virtual ~LeaseStore() = default;
    /// The state that was last stored under this key; nothing if there is none. May block: for
    /// start and reload.
    virtual std::optional<std::string> restore(const std::string& key) = 0;
    /// `done` is called once, from a thread of the store, never from within the call; not after
    /// the store is gone. Requests of one key are dealt with in order.
    virtual void lease(LeaseRequest request, std::function<void(const LeaseAnswer&)> done) = 0;
};

}  // namespace outpost::limit

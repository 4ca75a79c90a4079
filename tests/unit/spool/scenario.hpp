#pragma once

#include <map>
#include <string>
#include <vector>

#include "spool_harness.hpp"

namespace outpost::spool {

/// What a spool promised during a scenario, to be held against what is found later.
class Ledger {
  public:
    void offered(base::MessageId id, const Sample& sample, bool large);
    void answered(base::MessageId id, const Harness::Stored& stored);
    /// A state was recorded; it is bound to survive once a later append was acknowledged.
    void recorded(base::MessageId id, const MessageState& state);
    /// An orderly stop: everything recorded before is bound to survive.
    void stopped();
    /// Another process: what the last one could not make durable is forgotten.
    void restarted();
    /// Every promise that what a restarted spool found breaks, one a line. `refused_may_return`:
    /// the disk did not even take back what was refused.
    [[nodiscard]] std::string check(Harness& harness, bool refused_may_return = false) const;
    [[nodiscard]] std::size_t size() const { return entries_.size(); }

  private:
    struct Entry {
        Sample sample;
        bool acknowledged = false;
        bool refused = false;
        std::vector<MessageState> states;  ///< in the order they were recorded
        std::size_t bound = 0;             ///< so many of them must have survived
        bool forgotten = false;            ///< the last of them may not have reached this process
    };
    void check_missing(base::MessageId id, const Entry& entry, std::string& broken) const;
    void check_found(Harness& harness, base::MessageId id, const Entry& entry,
                     std::string& broken) const;

    std::map<base::MessageId, Entry> entries_;
};

/// Stores, defers, finishes; rolls over segments; has some removed and one compacted; stores large
/// messages; stops and starts once in between. Ends early when the disk does. `wait_for_upkeep`:
/// waits until compaction and removal have been seen to work, as long as the disk does.
void run_scenario(FaultyFiles& disk, Ledger& ledger, bool wait_for_upkeep = true);

}  // namespace outpost::spool

#include "scenario.hpp"

#include <algorithm>

namespace outpost::spool {

void Ledger::offered(base::MessageId id, const Sample& sample, bool) {
    entries_[id].sample = sample;
}

void Ledger::answered(base::MessageId id, const Harness::Stored& stored) {
    entries_[id].acknowledged = stored.has_value();
    entries_[id].refused = !stored.has_value();
    if (!stored) return;
    // States go along with the next commit: what was recorded before is durable with this one.
    stopped();
}

void Ledger::recorded(base::MessageId id, const MessageState& state) {
    entries_[id].states.push_back(state);
    entries_[id].forgotten = false;
}

void Ledger::stopped() {
    for (auto& [id, entry] : entries_)
        if (!entry.forgotten) entry.bound = entry.states.size();
}

void Ledger::restarted() {
    for (auto& [id, entry] : entries_) entry.forgotten = entry.bound < entry.states.size();
}

std::string Ledger::check(Harness& harness, bool refused_may_return) const {
    std::string broken;
    for (const auto& [id, summary] : harness.recovered())
        if (!entries_.contains(id)) broken += id.text() + ": nobody ever sent it\n";
    for (const auto& [id, entry] : entries_) {
        const bool found = harness.recovered().contains(id);
        if (found && entry.refused && !refused_may_return)
            broken += id.text() + ": refused, and back again\n";
        if (found)
            check_found(harness, id, entry, broken);
        else
            check_missing(id, entry, broken);
    }
    return broken;
}

void Ledger::check_missing(base::MessageId id, const Entry& entry, std::string& broken) const {
    const bool finished = std::ranges::any_of(entry.states, &MessageState::finished);
    if (entry.acknowledged && !finished) broken += id.text() + ": acknowledged, and lost\n";
}

void Ledger::check_found(Harness& harness, base::MessageId id, const Entry& entry,
                         std::string& broken) const {
    if (const auto difference = harness.compare(id, entry.sample); !difference.empty()) {
        broken += difference + "\n";
        return;
    }
    const auto message = harness.read(id);
    std::size_t known = entry.states.size() + 1;  // as in: none of them
    if (message->state ==
        MessageState{std::vector<RecipientState>(entry.sample.envelope.recipients.size())})
        known = 0;
    for (std::size_t i = 0; i < entry.states.size(); ++i)
        if (message->state == entry.states[i]) known = i + 1;
    if (known > entry.states.size()) broken += id.text() + ": a state that nobody recorded\n";
    if (known < entry.bound) broken += id.text() + ": an old state, though a newer was durable\n";
    const bool finished = entry.bound > 0 && entry.states[entry.bound - 1].finished();
    if (finished) broken += id.text() + ": finished for good, and back again\n";
}

namespace {

class Scenario {
  public:
    Scenario(FaultyFiles& disk, Ledger& ledger) : disk_(disk), ledger_(ledger) {}

    void run(bool wait_for_upkeep) {
        if (!harness_.start(disk_)) return;
        const auto first = store_together(4, 700);
        record(first[0], pending_state(2, 1));
        const auto large = store(9000, true);
        record(first[1], done_state(2));
        const auto second = store_together(5, 3000);  // rolls over
        record(first[0], decided_state(2, 2));
        record(large, done_state(2));
        for (int i = 0; i < 3; ++i) store_together(4, 3000);
        // All but one of the first segment are done: it gets compacted.
        record(first[2], done_state(2));
        record(first[3], done_state(2));
        for (std::size_t i = 0; i + 1 < second.size(); ++i) record(second[i], done_state(2));
        store_together(1, 100);
        if (wait_for_upkeep) wait_until_compacted();
        harness_.stop();
        if (disk_.power_lost()) return;
        if (intact_) ledger_.stopped();
        ledger_.restarted();
        if (!harness_.start(disk_)) return;
        record(first[0], decided_state(2, 3));
        store(20'000, true);
        store_together(3, 500);
        record(first[0], done_state(2));
        store_together(1, 500);
        harness_.stop();
        if (intact_ && !disk_.power_lost()) ledger_.stopped();
    }

  private:
    /// Not the spool's own: it would give out an id that was refused again after a restart.
    base::MessageId next_id() { return base::MessageId{++last_id_}; }
    base::MessageId store(std::size_t size, bool large) {
        const auto id = next_id();
        const Sample sample = make_sample(ledger_.size() + 1, size, 2);
        ledger_.offered(id, sample, large);
        note(id, large ? harness_.store_large(id, sample) : harness_.store(id, sample));
        return id;
    }
    std::vector<base::MessageId> store_together(std::size_t count, std::size_t size) {
        std::vector<std::pair<base::MessageId, Sample>> messages;
        std::vector<base::MessageId> ids;
        for (std::size_t i = 0; i < count; ++i) {
            ids.push_back(next_id());
            messages.emplace_back(ids.back(), make_sample(ledger_.size() + 1, size + 10 * i, 2));
            ledger_.offered(ids.back(), messages.back().second, false);
        }
        const auto stored = harness_.store_all(messages);
        for (std::size_t i = 0; i < count; ++i) note(ids[i], stored[i]);
        return ids;
    }
    void note(base::MessageId id, const Harness::Stored& stored) {
        if (!stored && disk_.power_lost()) return;  // who would have told the client?
        intact_ = intact_ && stored;
        ledger_.answered(id, stored);
    }
    void record(base::MessageId id, const MessageState& state) {
        ledger_.recorded(id, state);
        harness_.spool().record(id, state);
    }
    void wait_until_compacted() {
        disk_.wait_until([&] {
            const auto names = disk_.names("/spool/segments");
            return disk_.power_lost() || !harness_.spool().health().accepting ||
                   std::ranges::find(names, "00000001.log") == names.end();
        });
    }

    FaultyFiles& disk_;
    Ledger& ledger_;
    Harness harness_;
    std::uint64_t last_id_ = 1'000'000;
    bool intact_ = true;  ///< nothing was refused so far
};

}  // namespace

void run_scenario(FaultyFiles& disk, Ledger& ledger, bool wait_for_upkeep) {
    Scenario(disk, ledger).run(wait_for_upkeep);
}

}  // namespace outpost::spool

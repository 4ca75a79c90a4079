#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "limit/counter.hpp"
#include "limit/lease.hpp"

namespace outpost::limit {

/// All counters of the process, each behind its own lock, kept supplied with allowances from the
/// store. Thread-safe.
class Limiter {
  public:
    enum class Id : std::uint32_t {};
    struct Events {
        std::function<void(const std::string& key, const Warning&)> warning;
        /// The store fails (text) or works again (empty); once for each change.
        std::function<void(const std::string& error)> trouble;
        /// A kept state could not be read: key and why.
        std::function<void(const std::string& key, const std::string& why)> unreadable;
    };

    /// Store and clock outlive it. Calls no event from within a lock that take() needs. `boot_id`:
    /// as read_boot_id() gives it; empty if not known.
    Limiter(LeaseStore& store, const base::Clock& clock, Events events, std::string boot_id = {});
    /// Stores nothing, see close(). No event and no `ready` is called once it is gone; waits for
    /// those that run, so none of them may end it.
    ~Limiter();
    Limiter(const Limiter&) = delete;
    Limiter& operator=(const Limiter&) = delete;

    /// The counter of this key, restored from the store (blocks) when it is new here; one that is
    /// there gets these limits and keeps what was used. Asks for its first allowance.
    Id define(const std::string& key, const Limits& limits);
    /// The same, but no counter where there is no limit: one that is there loses its own, and goes
    /// on counting should they come back.
    std::optional<Id> define_limited(const std::string& key, const Limits& limits);

    [[nodiscard]] Answer take(Id id, const Ask& ask);
    /// What take() would grant by the limits, whatever the store has leased. Takes nothing: for
    /// those who need permits of several counters, and are the only ones to take from them.
    [[nodiscard]] Answer room(Id id, const Ask& ask);
    void settle(Id id, const Usage& taken, const Usage& used);
    /// `ready` is called once, when the store has answered for this counter (with an allowance or
    /// not), from the store's thread; at once if nothing is asked for at present. For a take() that
    /// waits for Wait::For::lease without a time.
    void when_leased(Id id, std::function<void()> ready);

    /// The counter of a key, if it is defined.
    [[nodiscard]] std::optional<Id> find(const std::string& key) const;
    /// Every counter that was ever defined.
    [[nodiscard]] std::vector<Id> all() const;
    [[nodiscard]] std::vector<Level> levels(Id id);
    [[nodiscard]] std::string describe(Id id, const Wait& wait);
    [[nodiscard]] Limits limits(Id id);
    [[nodiscard]] std::string key(Id id);

    /// Stores the exact state of all that have limits, waits for it; nothing is taken after it.
    void close();

  private:
    struct Slot;
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace outpost::limit

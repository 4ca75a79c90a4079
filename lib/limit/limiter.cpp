#include "limit/limiter.hpp"

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace outpost::limit {

/// A request on its way to the store.
struct Outgoing {
    LeaseRequest request;
    bool final = false;
};

struct Limiter::Slot {
    explicit Slot(Counter made) : counter(std::move(made)) {}

    std::mutex mutex;
    Counter counter;
    std::vector<std::function<void()>> waiters;
    /// Handed to the store outside of the lock, by one thread at a time, so that they stay in
    /// order.
    std::vector<Outgoing> outbox;
    bool handing_over = false;
};

/// Outlives the limiter as long as the store has answers to give.
struct Limiter::Shared : std::enable_shared_from_this<Shared> {
    Shared(LeaseStore& keeper, const base::Clock& time, Events told, std::string boot)
        : store(keeper), clock(time), events(std::move(told)), boot_id(std::move(boot)) {}

    LeaseStore& store;
    const base::Clock& clock;
    const Events events;
    const std::string boot_id;

    /// Held, shared, by each answer of the store while it is dealt with.
    std::shared_mutex alive;
    bool gone = false;

    std::mutex define_mutex;  ///< one define() at a time
    std::shared_mutex table_mutex;
    std::deque<Slot> slots;  ///< by Id; none is ever removed
    std::map<std::string, Id, std::less<>> ids;

    std::mutex trouble_mutex;
    bool troubled = false;

    std::mutex close_mutex;
    std::condition_variable closed;
    std::size_t unstored = 0;  ///< final states without an answer

    Slot& slot(Id id) {
        const std::shared_lock lock(table_mutex);
        return slots[static_cast<std::size_t>(id)];
    }
    Instant now() const { return Instant::now(clock); }

    /// Puts a request into the outbox if one is due; true if hand_over() has something to do.
    bool ask(Slot& slot);
    void hand_over(Slot& slot);
    void answered(Slot& slot, bool final, const LeaseAnswer& answer);
    void tell_trouble(const std::string& error);
    Slot& add(const std::string& key, const Limits& limits);
};

bool Limiter::Shared::ask(Slot& slot) {
    if (auto request = slot.counter.lease_request(now())) {
        slot.outbox.push_back({*std::move(request)});
    }
    return !slot.outbox.empty() && !slot.handing_over;
}

void Limiter::Shared::hand_over(Slot& slot) {
    std::unique_lock lock(slot.mutex);
    if (slot.handing_over) return;
    slot.handing_over = true;
    while (!slot.outbox.empty()) {
        std::vector<Outgoing> batch = std::exchange(slot.outbox, {});
        lock.unlock();
        for (Outgoing& each : batch) {
            store.lease(std::move(each.request),
                        [self = shared_from_this(), &slot, final = each.final](
                            const LeaseAnswer& answer) { self->answered(slot, final, answer); });
        }
        lock.lock();
    }
    slot.handing_over = false;
}

void Limiter::Shared::answered(Slot& slot, bool final, const LeaseAnswer& answer) {
    const std::shared_lock living(alive);
    if (gone) return;
    tell_trouble(answer.error);
    if (final) {
        const std::lock_guard lock(close_mutex);
        if (--unstored == 0) closed.notify_all();
        return;
    }
    std::vector<std::function<void()>> waiters;
    bool send = false;
    {
        const std::lock_guard lock(slot.mutex);
        slot.counter.leased(answer, now());
        send = ask(slot);
        waiters = std::exchange(slot.waiters, {});
    }
    if (send) hand_over(slot);
    for (const auto& ready : waiters) ready();
}

void Limiter::Shared::tell_trouble(const std::string& error) {
    const std::lock_guard lock(trouble_mutex);
    if (troubled == !error.empty()) return;
    troubled = !error.empty();
    if (events.trouble) events.trouble(error);
}

Limiter::Slot& Limiter::Shared::add(const std::string& key, const Limits& limits) {
    Counter counter(key, limits, now(), boot_id);
    if (const auto state = store.restore(key)) {
        const auto error = counter.restore(*state, now());
        if (error && events.unreadable) events.unreadable(key, *error);
    }
    const std::unique_lock lock(table_mutex);
    ids.emplace(key, static_cast<Id>(slots.size()));
    return slots.emplace_back(std::move(counter));
}

Limiter::Limiter(LeaseStore& store, const base::Clock& clock, Events events, std::string boot_id)
    : shared_(std::make_shared<Shared>(store, clock, std::move(events), std::move(boot_id))) {}

Limiter::~Limiter() {
    const std::unique_lock lock(shared_->alive);
    shared_->gone = true;
}

Limiter::Id Limiter::define(const std::string& key, const Limits& limits) {
    const std::lock_guard one(shared_->define_mutex);
    const auto known = shared_->ids.find(key);
    const bool fresh = known == shared_->ids.end();
    const Id id = fresh ? static_cast<Id>(shared_->slots.size()) : known->second;
    Slot& slot = fresh ? shared_->add(key, limits) : shared_->slot(id);
    bool send = false;
    {
        const std::lock_guard lock(slot.mutex);
        if (slot.counter.limits() != limits) slot.counter.set_limits(limits, shared_->now());
        send = shared_->ask(slot);
    }
    if (send) shared_->hand_over(slot);
    return id;
}

std::optional<Limiter::Id> Limiter::define_limited(const std::string& key, const Limits& limits) {
    if (!limits.empty()) return define(key, limits);
    if (find(key)) define(key, limits);
    return std::nullopt;
}

Answer Limiter::take(Id id, const Ask& ask) {
    Slot& slot = shared_->slot(id);
    Answer answer;
    bool send = false;
    {
        const std::lock_guard lock(slot.mutex);
        answer = slot.counter.take(ask, shared_->now());
        send = shared_->ask(slot);
    }
    if (send) shared_->hand_over(slot);
    return answer;
}

Answer Limiter::room(Id id, const Ask& ask) {
    Slot& slot = shared_->slot(id);
    const std::lock_guard lock(slot.mutex);
    return slot.counter.room(ask, shared_->now());
}

void Limiter::settle(Id id, const Usage& taken, const Usage& used) {
    Slot& slot = shared_->slot(id);
    std::vector<Warning> warnings;
    {
        const std::lock_guard lock(slot.mutex);
        const Instant now = shared_->now();
        slot.counter.settle(taken, used, now);
        warnings = slot.counter.warnings(now);
    }
    if (warnings.empty() || !shared_->events.warning) return;
    const std::string name = key(id);
    for (const Warning& warning : warnings) shared_->events.warning(name, warning);
}

void Limiter::when_leased(Id id, std::function<void()> ready) {
    Slot& slot = shared_->slot(id);
    {
        const std::lock_guard lock(slot.mutex);
        if (slot.counter.leasing()) {
            slot.waiters.push_back(std::move(ready));
            return;
        }
    }
    ready();
}

std::optional<Limiter::Id> Limiter::find(const std::string& key) const {
    const std::shared_lock lock(shared_->table_mutex);
    const auto found = shared_->ids.find(key);
    if (found == shared_->ids.end()) return std::nullopt;
    return found->second;
}

std::vector<Limiter::Id> Limiter::all() const {
    const std::shared_lock lock(shared_->table_mutex);
    std::vector<Id> ids;
    for (std::uint32_t i = 0; i < shared_->slots.size(); ++i) ids.push_back(Id{i});
    return ids;
}

std::vector<Level> Limiter::levels(Id id) {
    Slot& slot = shared_->slot(id);
    const std::lock_guard lock(slot.mutex);
    return slot.counter.levels(shared_->now());
}

std::string Limiter::describe(Id id, const Wait& wait) {
    Slot& slot = shared_->slot(id);
    const std::lock_guard lock(slot.mutex);
    return slot.counter.describe(wait);
}

Limits Limiter::limits(Id id) {
    Slot& slot = shared_->slot(id);
    const std::lock_guard lock(slot.mutex);
    return slot.counter.limits();
}

std::string Limiter::key(Id id) {
    return shared_->slot(id).counter.key();
}

void Limiter::close() {
    const std::lock_guard one(shared_->define_mutex);
    for (Slot& slot : shared_->slots) {
        {
            const std::lock_guard lock(slot.mutex);
            if (slot.counter.closed()) continue;
            LeaseRequest last = slot.counter.final_state(shared_->now());
            if (last.limits.empty()) continue;
            slot.outbox.push_back({std::move(last), true});
            const std::lock_guard count(shared_->close_mutex);
            ++shared_->unstored;
        }
        shared_->hand_over(slot);
    }
    std::unique_lock lock(shared_->close_mutex);
    shared_->closed.wait(lock, [this] { return shared_->unstored == 0; });
}

}  // namespace outpost::limit

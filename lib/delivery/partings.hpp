#pragma once

#include <cstddef>
#include <unordered_map>
#include <vector>

#include "base/id.hpp"
#include "delivery/ways.hpp"
#include "spool/queue.hpp"

/// Messages whose recipients go different ways: one entry in the queue for each way. Pure.
namespace outpost::delivery {

/// Those recipients of a message that one queue entry stands for: all, unless it was parted.
struct Share {
    const std::vector<WayIndex>* ways = nullptr;  ///< by which it was parted; null: it was not
    WayIndex way = 0;

    [[nodiscard]] bool has(std::size_t recipient) const {
        return ways == nullptr || (*ways)[recipient] == way;
    }
};

/// Sees to it that no two parts of a message are dealt with at once: the spool keeps one state a
/// message, which each attempt reads and writes as a whole.
class Partings {
  public:
    using Handle = spool::Queue::Handle;

    /// A message that is parted, with the way of each recipient.
    void add(base::MessageId id, std::vector<WayIndex> ways);
    /// One of its entries in the queue, for the recipients of this way.
    void add_entry(base::MessageId id, Handle entry, WayIndex way);
    /// The recipients stay the same whatever way the entry is on now. Valid until it is removed.
    [[nodiscard]] Share share(base::MessageId id, Handle entry) const;

    [[nodiscard]] bool parted(base::MessageId id) const { return messages_.contains(id); }
    /// Its entries in the queue; none if it was not parted.
    [[nodiscard]] std::vector<Handle> entries(base::MessageId id) const;
    /// Whether a part of the message is being dealt with.
    [[nodiscard]] bool busy(base::MessageId id) const;
    /// All its entries have left the queue.
    void forget(base::MessageId id) { messages_.erase(id); }

    /// An entry that was taken from the queue is to be dealt with. False if another part of its
    /// message is: then end() of that one gives the handle back.
    [[nodiscard]] bool begin(base::MessageId id, Handle entry);
    /// It goes back into the queue. Those that had to wait for it.
    [[nodiscard]] std::vector<Handle> end(base::MessageId id);
    /// It leaves the queue. If the message as a whole is done, all entries that are left have to
    /// go, and are returned with none waiting.
    struct Removal {
        std::vector<Handle> waiting;
        std::vector<Handle> done;
    };
    [[nodiscard]] Removal remove(base::MessageId id, Handle entry, bool message_done);

  private:
    struct Part {
        Handle entry{};
        WayIndex way = 0;
    };
    struct Parting {
        std::vector<WayIndex> ways;
        std::vector<Part> parts;
        bool busy = false;
        std::vector<Handle> waiting;
    };
    std::unordered_map<base::MessageId, Parting> messages_;
};

}  // namespace outpost::delivery

#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "smtp/envelope.hpp"
#include "spool/body.hpp"

/// Messages that were stored just now, kept for the delivery that reads them next, so that mail
/// which goes straight through is never read from disk. Bounded in octets. While it is full, new
/// messages stay out: delivery takes the oldest first, so throwing those out would make every read
/// a miss. What nobody has read after a while goes. Thread-safe.
namespace outpost::spool {

struct HotMessage {
    smtp::Envelope envelope;
    Content content;

    /// Octets of memory, roughly.
    [[nodiscard]] std::size_t cost() const noexcept;
};

class HotCache {
  public:
    HotCache(std::size_t max_octets, std::chrono::milliseconds max_age)
        : max_octets_(max_octets), max_age_(max_age) {}

    void put(base::MessageId id, std::unique_ptr<HotMessage> message, base::MonoTime now);
    /// Gives the message away; null if it is not here.
    [[nodiscard]] std::unique_ptr<HotMessage> take(base::MessageId id);
    /// A copy of the message's envelope, which stays; nothing if it is not here.
    [[nodiscard]] std::optional<smtp::Envelope> envelope(base::MessageId id) const;
    /// Lets go of what is too old. Returns how many messages went.
    std::size_t expire(base::MonoTime now);
    [[nodiscard]] std::size_t octets() const;

  private:
    struct Entry {
        std::unique_ptr<HotMessage> message;
        std::size_t cost = 0;
    };
    struct Arrival {
        std::uint64_t id;
        base::MonoTime time;
    };
    std::unique_ptr<HotMessage> remove(std::uint64_t id);
    std::size_t expire_locked(base::MonoTime now);

    const std::size_t max_octets_;
    const std::chrono::milliseconds max_age_;
    mutable std::mutex mutex_;
    std::size_t octets_ = 0;
    boost::unordered_flat_map<std::uint64_t, Entry> entries_;
    std::deque<Arrival> arrivals_;  ///< oldest first; those already taken included
};

}  // namespace outpost::spool

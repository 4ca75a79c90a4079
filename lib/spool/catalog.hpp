#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "spool/file_system.hpp"
#include "spool/segment_reader.hpp"
#include "spool/spool.hpp"

/// What is where: the place of every message and of its latest state, and for every segment how
/// much of it is still needed. About 40 octets a queued message. It mirrors what is durable; all
/// members are thread-safe and none does I/O.
///
/// A segment may go once nothing needs it: no queued message, no latest state of one, and no done
/// record for a message whose own record may still stand in another segment (without the done
/// record, that message would come back at the next start).
namespace outpost::spool {

/// Where a message stood when its delivery ended, for the done record.
struct Departure {
    SegmentRange range;
    bool large = false;
};

class Catalog {
  public:
    // Segments.
    void add_segment(std::uint32_t segment, std::uint64_t size, bool sealed);
    void grow_segment(std::uint32_t segment, std::uint64_t size);
    void seal_segment(std::uint32_t segment);
    /// After the removal of its file is durable.
    void forget_segment(std::uint32_t segment);
    /// The sealed segments that nothing needs, oldest first.
    [[nodiscard]] std::vector<std::uint32_t> unneeded_segments() const;
    /// The same for a full disk that takes no done records: counts messages as gone whose done
    /// record is not durable. That is right as well, since their own record goes with the segment.
    /// Looks at every message.
    [[nodiscard]] std::vector<std::uint32_t> unneeded_segments_when_full() const;
    /// The oldest sealed segment with more than `dead_percent` of dead octets, if any.
    [[nodiscard]] std::optional<std::uint32_t> most_dead(
        unsigned dead_percent, const std::set<std::uint32_t>& leave_alone) const;
    [[nodiscard]] std::size_t segment_count() const;
    /// All of it but the free space.
    [[nodiscard]] DiskUse use() const;
    /// A done record for this range that stands in `segment` is needed beyond that segment's life.
    [[nodiscard]] bool needs_done(std::uint32_t segment, const SegmentRange& range) const;
    /// Its done records that are still needed stand elsewhere now.
    void drop_done(std::uint32_t segment);

    // Records that became durable. A second message record of an id moves the message.
    void put_message(base::MessageId id, const Location& where, bool large);
    void put_state(base::MessageId id, const Location& where);
    void put_done(base::MessageId id, const Location& where, const SegmentRange& range);

    // Messages.
    /// Nothing if it is not stored or its delivery has ended.
    [[nodiscard]] std::optional<Location> find(base::MessageId id) const;
    [[nodiscard]] std::optional<Location> find_state(base::MessageId id) const;
    [[nodiscard]] bool contains(base::MessageId id) const { return find(id).has_value(); }
    /// Its delivery has ended: find() no longer gives it, though its records count until put_done.
    /// False if it was not there.
    bool finish(base::MessageId id);
    /// For the done record of a finished message, at the time that record is made.
    [[nodiscard]] Departure departure(base::MessageId id) const;
    [[nodiscard]] std::size_t size() const;

  private:
    struct Segment {
        std::uint64_t size = 0;
        std::uint64_t live_octets = 0;
        std::uint32_t messages = 0;  ///< queued, those included whose done record is not durable
        std::uint32_t states = 0;
        bool sealed = false;
        std::map<SegmentRange, std::uint64_t> done;  ///< octets of done records by range
    };

    [[nodiscard]] bool needs_records(std::uint32_t number, const Segment& segment) const;
    [[nodiscard]] bool holds(std::uint32_t self, const SegmentRange& range) const;
    void release(const Location& where, std::uint32_t Segment::* counter);
    Segment* segment(std::uint32_t number);

    mutable std::mutex mutex_;
    std::map<std::uint32_t, Segment> segments_;
    boost::unordered_flat_map<std::uint64_t, Location> messages_;
    boost::unordered_flat_map<std::uint64_t, Location> states_;
    boost::unordered_flat_set<std::uint64_t> large_;
    boost::unordered_flat_set<std::uint64_t> finishing_;
    /// The oldest segment that still holds a superseded record of a message.
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> moved_from_;
};

}  // namespace outpost::spool
